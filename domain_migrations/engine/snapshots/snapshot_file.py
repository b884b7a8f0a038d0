"""The file ``snapshot.sql`` of a domain: a header that says what it holds, then the statements.

The header is made of comments, ``-- key: value`` each::

    -- migration: inventory.0001_initial 1:5be1…   a migration that it contains, and its checksum
    -- fingerprint: 1:7d0a…                        of the schema that it restores
    -- content: 93ab…                              of the statements themselves
    -- core: public.users.id::bigint               a column that its foreign keys point at
    -- unmanaged: 41f0… view inventory.on_hand     something that no model describes
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ...domains import Domain
from ..sources.files import MigrationKey, migrations_folders, migrations_on_disk
from ..sql.lexer import split_statements

FILE_NAME = "snapshot.sql"
FORMAT = "1"
"""Of the file; another one is not read."""

HEAD = """\
-- The schema of the domain "{domain}" as its migrations leave it, for an empty database.
-- Written by: manage.py snapshot_domain {domain}
-- Do not edit it: write it again.
--
"""
LINE = re.compile(r"-- (\w+): (.*)")


class SnapshotUnreadable(Exception):
    """A file is no snapshot that can be used; the message says why, as the end of a sentence."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What a domain's snapshot says.

    Attributes:
        migrations: those that it contains with their checksums, in the order of a replay.
        fingerprint: the digest of the schema that it restores.
        core: column of core that its foreign keys point at → its type.
        unmanaged: title → digest of the objects that no model describes.
        body: the statements that restore the schema, as ``body_of`` joins them.
    """

    domain: str
    migrations: Mapping[MigrationKey, str]
    fingerprint: str
    core: Mapping[str, str]
    unmanaged: Mapping[str, str]
    body: str

    @cached_property
    def statements(self) -> tuple[str, ...]:
        """The statements one by one; to cut them takes longer than to send them together."""
        return tuple(split_statements(self.body))

    def render(self) -> str:
        """Return the text of the file."""
        head = [
            ("format", FORMAT),
            ("domain", self.domain),
            *(("migration", f"{key} {digest}") for key, digest in self.migrations.items()),
            ("fingerprint", self.fingerprint),
            ("content", _content(self.body)),
            *(("core", f"{column}::{kind}") for column, kind in sorted(self.core.items())),
            *(("unmanaged", f"{digest} {title}") for title, digest in self.unmanaged.items()),
        ]
        lines = "".join(f"-- {name}: {value}\n" for name, value in head)
        return f"{HEAD.format(domain=self.domain)}{lines}\n{self.body}"


def join_statements(statements: Iterable[str]) -> str:
    """Return the text of the statements, as a snapshot has them."""
    return "\n\n".join(statements) + "\n"


def snapshot_file(domain: Domain) -> Path | None:
    """Return the domain's snapshot, None where it has none."""
    places = (folder / FILE_NAME for folder in _folders(domain))
    return next((path for path in places if path.is_file()), None)


def new_snapshot_file(domain: Domain) -> Path | None:
    """Return where the domain's snapshot is written; None where no app of it has migrations.

    That is where one is already, else in the app with the domain's name, else in its first one.
    """
    existing = snapshot_file(domain)
    if existing is not None:
        return existing
    folder = next(_folders(domain), None)
    return folder / FILE_NAME if folder else None


def _folders(domain: Domain) -> Iterator[Path]:
    """Yield the migrations folders of the domain's apps, of that with its name first."""
    for label in sorted(domain.app_labels, key=lambda label: label != domain.name):
        if migrations_on_disk([label]):
            yield from migrations_folders(label)


def display_path(path: Path) -> str:
    """Return a path as a person reads it: from where they are, if it is below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def read_normalised(path: Path) -> bytes:
    """Return what is in the file, with the line ends that it was written with."""
    content = path.read_bytes()
    if content.partition(b"\n")[0].endswith(b"\r"):  # As git checks it out on Windows.
        return content.replace(b"\r\n", b"\n")
    return content


def read_snapshot(path: Path) -> Snapshot:
    """Return the snapshot in a file.

    Raises:
        Unreadable: it is none, or it was edited.
    """
    try:
        text = read_normalised(path).decode()
    except (OSError, UnicodeDecodeError) as exc:
        raise SnapshotUnreadable(f"it cannot be read: {exc}") from exc
    head, _, body = text.partition("\n\n")
    return _parse(head, body)


def _parse(head: str, body: str) -> Snapshot:
    values: dict[str, list[str]] = {}
    for line in head.split("\n"):
        if found := LINE.fullmatch(line):
            values.setdefault(found[1], []).append(found[2])
        elif not line.startswith("--"):
            raise SnapshotUnreadable(f"its header has the line {line[:40]!r}")
    if values.get("format") != [FORMAT]:
        raise SnapshotUnreadable(f"its format is not {FORMAT}")
    try:
        [domain], [fingerprint], [content] = (
            values[name] for name in ("domain", "fingerprint", "content")
        )
        migrations = dict(map(_migration, values["migration"]))
        core = dict(line.rsplit("::", 1) for line in values.get("core", ()))
        unmanaged = {
            title: digest
            for digest, title in (line.split(" ", 1) for line in values.get("unmanaged", ()))
        }
    except (KeyError, ValueError) as exc:
        raise SnapshotUnreadable("its header is not complete") from exc
    if _content(body) != content:
        raise SnapshotUnreadable("its statements were edited")
    return Snapshot(
        domain=domain,
        migrations=migrations,
        fingerprint=fingerprint,
        core=core,
        unmanaged=unmanaged,
        body=body,
    )


def _migration(line: str) -> tuple[MigrationKey, str]:
    title, digest = line.rsplit(" ", 1)
    app, name = title.split(".", 1)
    return MigrationKey(app, name), digest


def _content(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
