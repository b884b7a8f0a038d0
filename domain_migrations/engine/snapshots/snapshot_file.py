"""Snapshot files: ``snapshot.sql`` of a domain, its header and when it is stale.

The header is made of comments, ``-- key: value`` each::

    -- migration: inventory.0001_initial 1:5be1…   a contained migration, and its checksum
    -- fingerprint: 1:7d0a…                        of the schema that it restores
    -- content: 93ab…                              of the statements themselves
    -- core: public.users.id::bigint               a column that its foreign keys point at
    -- unmanaged: 41f0… view inventory.on_hand     an object without a model
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from django.db.migrations.graph import MigrationGraph

from ...domains import Domain
from ...exceptions import StaleSnapshot
from ..sources.checksum import VERSION, checksum
from ..sources.files import MigrationKey, migration_file, migrations_folders, migrations_on_disk
from ..sql.lexer import split_statements

FILE_NAME = "snapshot.sql"
FORMAT = "1"
"""The version of the file format; no other is read."""
FINGERPRINT_VERSION = 1
"""The version of schema fingerprints; digests of another version are not comparable."""

HEAD = """\
-- The schema of the domain "{domain}" as its migrations leave it, for an empty database.
-- Written by: manage.py snapshot_domain {domain}
-- Do not edit it: write it again.
--
"""
LINE = re.compile(r"-- (\w+): (.*)")


class SnapshotUnreadable(Exception):
    """A file is not a usable snapshot; the message is a clause with the reason."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The content of a domain's snapshot.

    Attributes:
        migrations: the contained migrations with their checksums, in the order of a replay.
        fingerprint: the digest of the schema that it restores.
        core: column of core that its foreign keys reference → its type.
        unmanaged: title → digest of the objects without a model.
        body: the statements that restore the schema.
    """

    domain: str
    migrations: Mapping[MigrationKey, str]
    fingerprint: str
    core: Mapping[str, str]
    unmanaged: Mapping[str, str]
    body: str

    @cached_property
    def statements(self) -> tuple[str, ...]:
        """The single statements; splitting the body takes longer than sending it."""
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
    """Return the statements as the body of a snapshot."""
    return "\n\n".join(statements) + "\n"


def snapshot_file(domain: Domain) -> Path | None:
    """Return the domain's snapshot, None if it has none."""
    places = (folder / FILE_NAME for folder in _folders(domain))
    return next((path for path in places if path.is_file()), None)


def new_snapshot_file(domain: Domain) -> Path | None:
    """Return the path to write the domain's snapshot to; None if no app of it has migrations.

    That is the existing snapshot, else in the app with the domain's name, else in the first app.
    """
    existing = snapshot_file(domain)
    if existing is not None:
        return existing
    folder = next(_folders(domain), None)
    return folder / FILE_NAME if folder else None


def _folders(domain: Domain) -> Iterator[Path]:
    """Yield the migrations folders of the domain's apps, the app with its name first."""
    for label in sorted(domain.app_labels, key=lambda label: label != domain.name):
        if migrations_on_disk([label]):
            yield from migrations_folders(label)


def display_path(path: Path) -> str:
    """Return a path relative to the working directory, if it is below it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def read_normalised(path: Path) -> bytes:
    """Return the content of the file, with the line ends that it was written with."""
    content = path.read_bytes()
    if content.partition(b"\n")[0].endswith(b"\r"):  # As git checks it out on Windows.
        return content.replace(b"\r\n", b"\n")
    return content


def read_snapshot(path: Path) -> Snapshot:
    """Return the snapshot in a file.

    Raises:
        SnapshotUnreadable: it is not a snapshot, or it was edited.
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


def stale_reasons(snapshot: Snapshot, domain: Domain, graph: MigrationGraph) -> Iterator[str]:
    """Yield why the snapshot differs from a replay, a clause each; nothing if it does not.

    Arguments:
        graph: the migrations as an empty database would get them.
    """
    if snapshot.domain != domain.name:
        yield f'it is of the domain "{snapshot.domain}"'
        return
    if not snapshot.fingerprint.startswith(f"{FINGERPRINT_VERSION}:"):
        yield "it was written by another version of the engine"
        return
    for key, known in snapshot.migrations.items():
        if key not in graph.nodes:
            yield f"{key} {_absence_reason(key)}"
        elif not known.startswith(f"{VERSION}:"):
            yield f"the checksum of {key} was taken by another version of the engine"
        elif checksum_on_disk(key) != known:
            yield f"{key} was edited"
    for key in _inserted_before_end(snapshot, domain, graph):
        yield f"{key} was inserted"


def _absence_reason(key: MigrationKey) -> str:
    return "was removed" if migration_file(key) is None else "was replaced by a squashed one"


def _inserted_before_end(
    snapshot: Snapshot, domain: Domain, graph: MigrationGraph
) -> Iterator[MigrationKey]:
    """Yield migrations that would run among those that the snapshot contains.

    Any other migration must come after all contained ones of its app, and before none of them.
    """
    contained = {key for key in snapshot.migrations if key in graph.nodes}
    for key in sorted(graph.nodes):
        if key[0] not in domain.app_labels or key in contained:
            continue
        before = set(graph.forwards_plan(key))
        after = set(graph.backwards_plan(key))
        left_out = {other for other in contained if other[0] == key[0]} - before
        if left_out or after & contained:
            yield MigrationKey(*key)


def checksum_on_disk(key: MigrationKey) -> str:
    """Return the checksum of a migration's file; empty if the file does not exist or is invalid."""
    path = migration_file(key)
    try:
        return checksum(path.read_bytes()) if path else ""
    except (SyntaxError, ValueError):
        return ""


def stale_error(domain: Domain, path: Path, reasons: list[str]) -> StaleSnapshot:
    """Return the error for a snapshot that is stale for these reasons."""
    return StaleSnapshot(
        f'The snapshot of the domain "{domain.name}" does not match its migrations:'
        f" {'; '.join(reasons)} ({display_path(path)}).",
        hint=f"Write it again: manage.py snapshot_domain {domain.name}",
    )
