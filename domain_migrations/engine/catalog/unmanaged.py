"""Objects that no model manages: those that migrations make with SQL, and those made by hand.

A view, a trigger or a function that a migration makes with SQL has no model to be compared with.
A domain's snapshot records its definition after a replay.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db.migrations import Migration, RunPython, RunSQL, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation

from ...domains import Domain
from ..messages import Finding
from . import drift_ids as ids
from .expressions import split_names
from .fingerprint import CatalogObject

WORD = re.compile(r"\w+")
STATE_OPERATIONS = (
    "django.db.migrations.operations.fields",
    "django.db.migrations.operations.models",
    "domain_migrations.operations",
)


class ReferencedNames:
    """The words in operations that run custom SQL or Python.

    An object that none of them names was made by hand. One that they name may still have been
    changed by hand since.
    """

    def __init__(self, migrations: Iterable[Migration]) -> None:
        self.texts = [
            frozenset(WORD.findall(text.lower()))
            for migration in migrations
            for operation in migration.operations
            for text in _texts(operation)
        ]

    def contains(self, *names: str) -> bool:
        """Return whether one operation has all the words of these names."""
        words = {word for name in names for word in WORD.findall(name.lower())}
        return bool(words) and any(words <= text for text in self.texts)


def _texts(operation: Operation) -> Iterator[str]:
    if isinstance(operation, SeparateDatabaseAndState):
        for inner in operation.database_operations:
            yield from _texts(inner)
    elif isinstance(operation, RunSQL):
        yield _sql_text(operation.sql)
    elif isinstance(operation, RunPython):
        try:
            yield inspect.getsource(operation.code)
        except (OSError, TypeError):
            return  # Code that was not read from a file has no source.
    elif type(operation).__module__ not in STATE_OPERATIONS:
        yield repr(operation.deconstruct())


def _sql_text(sql: object) -> str:
    if isinstance(sql, str):
        return sql
    if isinstance(sql, Sequence):
        parts = (part if isinstance(part, str) else part[0] for part in sql)
        return "\n".join(map(str, parts))
    return str(sql)


class CreatedObjects:
    """The objects that migrations created according to the journal.

    A part of a table that was renamed since is found by its own name.

    Arguments:
        created: the number of a finding about each, and its qualified name.
        objects: all objects in the schema.
    """

    def __init__(self, created: Iterable[str], objects: Iterable[CatalogObject]) -> None:
        self.names = {_plain(entry) for entry in created}
        live = {_plain(item.name) for item in objects}
        gone = (entry for entry in self.names if entry.partition(" ")[2] not in live)
        self.moved = {_short(entry) for entry in gone if entry.count(".") > 1}

    def contain(self, number: str, title: str) -> bool:
        """Return whether a migration created the object of a finding."""
        entry = f"{number} {_plain(title)}"
        return entry in self.names or (entry.count(".") > 1 and _short(entry) in self.moved)


def _short(entry: str) -> tuple[str, str]:
    return entry.partition(" ")[0], entry.rpartition(".")[2]


KINDS = {
    ids.EXTRA_TABLE: {"table"},
    ids.EXTRA_COLUMN: {"column"},
    ids.EXTRA_DEFAULT: {"column"},
    ids.EXTRA_CONSTRAINT: {"constraint"},
    ids.EXTRA_INDEX: {"index"},
    ids.EXTRA_COMMENT: {"table", "column"},
    ids.EXTRA_SETTING: {"table", "column"},
}
"""Number of a finding → the kinds of its objects; any other number is about other kinds."""
MANAGED_KINDS = frozenset().union(*KINDS.values())
WITH_PARTS = frozenset({ids.EXTRA_TABLE, ids.EXTRA_OBJECT})
"""Findings that include the parts of their objects."""

DIGEST_LENGTH = 16
INHERITS = "inherits "
"""The beginning of a line in the definition of a table."""


def digest(item: CatalogObject) -> str:
    """Return a short digest of an object's definition."""
    return hashlib.sha256(item.definition.encode()).hexdigest()[:DIGEST_LENGTH]


def title_of(item: CatalogObject) -> str:
    return item.title.replace("\n", "\\n")


class UnmanagedObjects:
    """The catalog objects of findings.

    Arguments:
        objects: all objects in the schema.
    """

    def __init__(self, objects: Iterable[CatalogObject]) -> None:
        self.objects = tuple(objects)
        self.of_finding: dict[Finding, tuple[CatalogObject, ...]] = {}
        self._named: dict[str, list[CatalogObject]] = defaultdict(list)
        self._parts: dict[str | None, list[CatalogObject]] = defaultdict(list)
        for item in self.objects:
            self._named[_plain(item.name)].append(item)
            self._parts[item.relation].append(item)

    def add(self, finding: Finding) -> None:
        """Add a finding about an object that exists only in the database."""
        self.of_finding[finding] = tuple(self._objects(finding))

    def digests(self) -> dict[str, str]:
        """Return title → digest of the findings' objects, sorted by name."""
        found = {item for items in self.of_finding.values() for item in items}
        ordered = sorted(found, key=lambda item: (item.name, item.kind))
        return {title_of(item): digest(item) for item in ordered}

    def live(self) -> dict[str, CatalogObject]:
        return {title_of(item): item for item in self.objects}

    def _objects(self, finding: Finding) -> Iterator[CatalogObject]:
        number = finding.id[1:]
        kinds = KINDS.get(number)
        name = _plain(finding.object)
        for item in self._named.get(name, ()):
            if item.kind in kinds if kinds else item.kind not in MANAGED_KINDS:
                yield item
        if number in WITH_PARTS:
            parts = self._parts.get(name.partition(".")[2], ())
            yield from (item for item in parts if _plain(item.name) != name)


def _plain(title: str) -> str:
    return title.replace('"', "")


@dataclass(frozen=True)
class UnmanagedBaseline:
    """The objects without a model, as the migrations make them.

    Attributes:
        digests: title → digest.
        may_have_changed: whether a later migration may have changed the object of a name and a
            relation.
        parents: table → those that it inherits from or is a partition of.
    """

    digests: Mapping[str, str]
    may_have_changed: Callable[[str, str], bool] = lambda name, relation: False
    parents: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def compare(
        self, domain: Domain, found: Iterable[Finding], unmanaged: UnmanagedObjects
    ) -> set[Finding]:
        """Return the findings, with unmanaged objects compared to the baseline."""
        parents = dict(_parents(unmanaged.objects))
        return replace(self, parents=parents)._compare(domain, found, unmanaged)

    def _compare(
        self, domain: Domain, found: Iterable[Finding], unmanaged: UnmanagedObjects
    ) -> set[Finding]:
        kept = {finding for finding in found if finding not in unmanaged.of_finding}
        live = unmanaged.live()
        kept.update(self._compared(domain, live))
        for finding, items in unmanaged.of_finding.items():
            kept.update(self._unexpected(finding, items))
        return kept

    def _compared(self, domain: Domain, live: Mapping[str, CatalogObject]) -> Iterator[Finding]:
        for title, known in self.digests.items():
            item, name = live.get(title), name_of(title)
            if (item is not None and digest(item) == known) or self._is_open(name, item):
                continue
            number, what = ids.ALTERED_OBJECT, "differs from what the migrations create"
            if item is None:
                number, what = ids.MISSING_OBJECT, "does not exist; the migrations create it"
            message = f"The {title} {what}."
            yield Finding(number, "drift", domain.name, name, message, ids.HINT_SNAPSHOT)

    def _unexpected(self, finding: Finding, items: tuple[CatalogObject, ...]) -> Iterator[Finding]:
        unknown = [item for item in items if title_of(item) not in self.digests]
        if len(unknown) == len(items):
            first = items[0] if items else None
            # Something without a catalog entry of its own cannot be looked up.
            is_open = not items or self._is_open(_plain(finding.object), first)
            is_open = is_open or finding.hint == ids.HINT_RECORDED
            number = finding.id[1:]
            yield (finding if is_open else finding._replace(id=f"D{number}", hint=ids.HINT_EXTRA))
            return
        differing = [
            item for item in items if self.digests.get(title_of(item), digest(item)) != digest(item)
        ]
        if any(self._is_open(_plain(item.name), item) for item in differing):
            yield finding
        for item in unknown:
            if not self._is_open(_plain(item.name), item):
                yield finding._replace(
                    id="D" + ids.EXTRA_OBJECT,
                    object=item.name,
                    message=f"The {item.title} exists only in the database.",
                    hint=ids.HINT_EXTRA,
                )

    def _is_open(self, name: str, item: CatalogObject | None) -> bool:
        short = name.partition("(")[0].rpartition(".")[2]
        relation = (item.relation if item is not None else _relation_in(name)) or ""
        return self.may_have_changed(short, relation) or any(
            self.may_have_changed(short, parent) for parent in self._parents_of(name)
        )

    def _parents_of(self, name: str) -> Iterator[str]:
        """Yield the tables that pass their changes on to the one in a qualified name."""
        for parent in self.parents.get(".".join(_plain(name).split(".")[:2]), ()):
            yield parent.rpartition(".")[2]
            yield from self._parents_of(parent)


def _relation_in(name: str) -> str:
    """Return the relation that the qualified name of its part has; "" of anything else."""
    parts = _plain(name).partition("(")[0].split(".")
    return parts[1] if len(parts) == 3 else ""


def _parents(objects: Iterable[CatalogObject]) -> Iterator[tuple[str, list[str]]]:
    for item in objects:
        for line in item.definition.split("\n") if item.kind == "table" else ():
            if line.startswith(INHERITS):
                parents = split_names(line.removeprefix(INHERITS))
                yield _plain(item.name), [*map(_plain, parents)]


def name_of(title: str) -> str:
    """Return the name in an object's title, which begins with the word before the first dot."""
    head, _, rest = title.partition(".")
    return f"{head.rpartition(' ')[2]}.{rest}"
