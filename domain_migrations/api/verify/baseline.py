"""The baseline: findings that a project has accepted, in a file that is reviewed like code.

A finding is accepted together with the definition of its object in the database: once that
changes, the finding is reported again, and the entry as outdated. What a finding says is only for
readers, so that a newer version of the engine can word it differently.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from django.conf import settings as django_settings
from django.db.backends.base.base import BaseDatabaseWrapper

from ...conf import get_settings
from ...domains import Domain
from ...engine.catalog.fingerprint import CatalogObject, read_objects
from ...engine.history.tables import read_histories
from ...engine.messages import Finding
from ...exceptions import InvalidConfiguration

FORMAT = 1
KINDS = ("drift", "leftover")
"""The kinds of findings that can be accepted: the others are mended, or break the rule."""
OUTDATED = {"drift": "D061", "leftover": "L007"}
"""The id of the finding about an outdated entry, for each kind of its own finding."""
NOT_LOADED = "H005"
DIGEST_LENGTH = 16


class Entry(NamedTuple):
    """An accepted finding.

    Attributes:
        id, domain, object: the finding's.
        definition: the digest of what the database has.
        message: the finding's, for reviewers.
        reason: why it was accepted, for reviewers; written by hand.
    """

    id: str
    domain: str
    object: str
    definition: str
    message: str = ""
    reason: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        return self[:4]

    @property
    def kind(self) -> str:
        return "drift" if self.id.startswith("D") else "leftover"


@dataclass
class Baseline:
    """The accepted findings of a project.

    Attributes:
        path: the file; None if the project has no baseline.
    """

    path: Path | None
    entries: list[Entry] = field(default_factory=list)

    @classmethod
    def read(cls, *, required: bool = False) -> Baseline:
        """Return the baseline in the file of the setting ``VERIFY_BASELINE``; it may be missing.

        Raises:
            InvalidConfiguration: the file is not a baseline, or one is required and not set.
        """
        name = get_settings().verify_baseline
        if not name and required:
            raise InvalidConfiguration(
                "The project has no file for accepted findings.",
                hint="Name one in the settings:"
                ' DOMAIN_MIGRATIONS = {"VERIFY_BASELINE": "verify_baseline.json"}',
            )
        if not name:
            return cls(None)
        path = Path(getattr(django_settings, "BASE_DIR", "")) / name
        if not path.exists():
            return cls(path)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            entries = [Entry(**entry) for entry in content["accepted"]]
            is_known = content["format"] == FORMAT
            is_known = is_known and all(isinstance(part, str) for one in entries for part in one)
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise _unreadable(path) from exc
        if not is_known:
            raise _unreadable(path)
        return cls(path, entries)

    def compare(
        self,
        connection: BaseDatabaseWrapper,
        domain: Domain,
        found: Sequence[Finding],
        kinds: Collection[str],
    ) -> list[Finding]:
        """Return the findings that are not accepted, and one about each outdated entry."""
        if not self.entries:
            return list(found)
        accepted = {entry.key for entry in self.entries}
        keys = {item: entry.key for item, entry in _entries(connection, found)}
        kept = [item for item in found if keys.get(item) not in accepted]
        if _is_compared(connection, domain, found):
            unseen = (entry for entry in self.entries if entry.key not in keys.values())
            kept += [
                _outdated(entry)
                for entry in unseen
                if entry.domain == domain.name and entry.kind in kinds
            ]
        return kept

    def accept(
        self,
        connection: BaseDatabaseWrapper,
        domain: Domain,
        found: Sequence[Finding],
        kinds: Collection[str],
    ) -> None:
        """Accept the findings, in place of those that were accepted of the domain and the kinds."""
        if not _is_compared(connection, domain, found):
            return
        reasons = {entry.key: entry.reason for entry in self.entries}
        replaced = [
            entry for entry in self.entries if entry.domain == domain.name and entry.kind in kinds
        ]
        new = {entry.key: entry for _, entry in _entries(connection, found)}
        kept = [entry for entry in self.entries if entry not in replaced and entry.key not in new]
        added = [entry._replace(reason=reasons.get(key, "")) for key, entry in new.items()]
        self.entries = sorted([*kept, *added])

    def write(self) -> str:
        """Write the file, and return its name in the settings.

        Raises:
            InvalidConfiguration: the file cannot be written.
        """
        content = {"format": FORMAT, "accepted": [entry._asdict() for entry in self.entries]}
        try:
            text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
            Path(self.path or "").write_text(text, encoding="utf-8")
        except OSError as exc:
            raise InvalidConfiguration(
                f"The accepted findings cannot be written: {exc}.",
                hint='Correct DOMAIN_MIGRATIONS["VERIFY_BASELINE"].',
            ) from exc
        return str(get_settings().verify_baseline)


def _is_compared(connection: BaseDatabaseWrapper, domain: Domain, found: Iterable[Finding]) -> bool:
    """Return whether the domain was compared: it is migrated, and its migrations were loaded."""
    is_migrated = bool(read_histories(connection, [domain])[domain.name])
    return is_migrated and all(item.id != NOT_LOADED for item in found)


def _entries(
    connection: BaseDatabaseWrapper, found: Iterable[Finding]
) -> Iterator[tuple[Finding, Entry]]:
    """Yield an entry for each finding that can be accepted."""
    schemas: dict[str, tuple[CatalogObject, ...]] = {}
    for item in found:
        if item.kind not in KINDS or item.is_unmanaged or item.id == NOT_LOADED:
            continue
        schema = _plain(item.object.partition(".")[0])
        if schema not in schemas:
            schemas[schema] = read_objects(connection, schema)
        digest = _digest(item, schemas[schema])
        yield item, Entry(item.id, item.domain, item.object, digest, item.message)


def _digest(finding: Finding, objects: Iterable[CatalogObject]) -> str:
    """Return the digest of a finding's object with its parts, as the catalog has them.

    That of a shard is in the catalog of its node, which the finding has.
    """
    name = _plain(finding.object)
    parts = [
        f"{item.title}\n{item.definition}"
        for item in objects
        if _plain(item.name) == name or _plain(item.name).startswith(f"{name}.")
    ]
    text = finding.definition or "\n".join(sorted(parts))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def _plain(name: str) -> str:
    return name.replace('"', "")


def _outdated(entry: Entry) -> Finding:
    return Finding(
        OUTDATED[entry.kind],
        entry.kind,
        entry.domain,
        entry.object,
        f"The baseline accepts {entry.id} of {entry.object}, which is no longer found as it was"
        " accepted.",
        "Remove the entry from the file, or write it again:"
        f" manage.py verify_domain {entry.domain} --write-baseline",
    )


def _unreadable(path: Path) -> InvalidConfiguration:
    return InvalidConfiguration(
        f"{path} is not a file of accepted findings.",
        hint="Correct it, or delete it and run: manage.py verify_domain --write-baseline",
    )
