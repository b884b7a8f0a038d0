"""The statements of a dump, grouped as the operations of a migration that a person can read.

A table comes with its sequences, defaults, keys, indexes and comments where that is certain to be
possible: a statement moves to its table only if everything that it names was created before. The
rest keeps the order of the dump, which is one in which the objects can be created.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ...backends.postgresql.names import quote
from ...engine.snapshots.dump_entries import DumpEntry

NAME = r'(?:"(?:[^"]|"")*"|[^\W\d][\w$]*)'
OWNED_BY = re.compile(rf"OWNED BY ({NAME}\.{NAME})\.{NAME};\Z")
ADD_IDENTITY = re.compile(
    rf"ALTER TABLE (?:ONLY )?({NAME}\.{NAME}) ALTER COLUMN {NAME} ADD GENERATED "
)
ADD_CONSTRAINT = re.compile(rf"ADD CONSTRAINT ({NAME}) ")
INHERITS = re.compile(r"^\)\s*INHERITS \(|^PARTITION BY |\bPARTITION OF ", re.MULTILINE)

TABLE_KINDS = ("TABLE", "FOREIGN TABLE")
PARTS = ("CHECK CONSTRAINT", "CONSTRAINT", "DEFAULT", "INDEX", "STATISTICS")
"""Kinds that may move to their table."""
SEQUENCE_PARTS = ("SEQUENCE", "SEQUENCE OWNED BY")
RELATIONS = (*TABLE_KINDS, "MATERIALIZED VIEW", "SEQUENCE", "VIEW")


@dataclass
class StatementGroup:
    """The statements of one operation.

    Attributes:
        subject: the relation that they are about; "" for other objects.
        forwards, backwards: statements in the order in which they are executed.
    """

    subject: str
    forwards: list[str] = field(default_factory=list)
    backwards: list[str] = field(default_factory=list)


def group_statements(entries: Sequence[DumpEntry], schema: str) -> list[StatementGroup]:
    """Return the statements of a dump's entries in groups.

    Executing ``forwards`` of all groups creates the objects; executing ``backwards`` of all
    groups, the last one first, drops them.
    """
    return _Grouping(entries, schema).groups()


class _Grouping:
    def __init__(self, entries: Sequence[DumpEntry], schema: str) -> None:
        self.entries = entries
        own = quote(schema)
        names = {own, schema} if re.fullmatch(r"[a-z_][a-z0-9_$]*", schema) else {own}
        prefix = "|".join(re.escape(name) for name in sorted(names))
        self.qualified = re.compile(rf'(?<![\w$".])(?:{prefix})\.({NAME})')
        self.position = {
            entry.name.partition("(")[0]: i
            for i, entry in enumerate(entries)
            if entry.kind not in (*PARTS, "COMMENT", "SEQUENCE OWNED BY")
        }
        self.tables = {
            entry.name: i for i, entry in enumerate(entries) if entry.kind in TABLE_KINDS
        }
        self.attached = {entry.name for entry in entries if entry.kind == "INDEX ATTACH"}
        self.related = set(self._related_tables())
        self.owners = dict(self._sequence_owners())
        self.sequences: dict[str, list[str]] = {}
        for sequence, table in self.owners.items():
            self.sequences.setdefault(table, []).append(sequence)

    def groups(self) -> list[StatementGroup]:
        table_groups: dict[str, StatementGroup] = {}
        index_groups: dict[str, StatementGroup] = {}
        found: list[StatementGroup] = []
        target = StatementGroup("")
        for i, entry in enumerate(self.entries):
            if entry.kind == "COMMENT" and found:
                # It follows its object, unless that is the index of a constraint.
                group = index_groups.get(entry.name, target)
                group.forwards += entry.statements
                continue
            table = self._table_of_part(i, entry)
            subject = table or self._subject(entry)
            if table is not None:
                target = table_groups[table]
            elif subject and found and found[-1].subject == subject and entry.kind != "TABLE":
                target = found[-1]
            else:
                found.append(target := StatementGroup(subject))
            if entry.kind in TABLE_KINDS:
                table_groups[entry.name] = target
            if name := _name_of_constraint(entry):
                index_groups[f"INDEX {name}"] = target
            target.forwards += entry.statements
            target.backwards[:0] = _without_comment(entry)
            if entry.drop and table is None and not self._goes_with_parent(entry):
                target.backwards.insert(0, entry.drop)
        return found

    def _related_tables(self) -> Iterator[str]:
        """Yield the tables of which another one inherits, or that inherit themselves."""
        for entry in self.entries:
            text = "\n".join(entry.statements)
            if entry.kind == "TABLE ATTACH":
                yield from self._names(text)
            elif entry.kind in TABLE_KINDS and (start := INHERITS.search(text)):
                yield entry.name
                yield from self._names(text[start.start() :])

    def _sequence_owners(self) -> Iterator[tuple[str, str]]:
        for entry in self.entries:
            found = None
            if entry.kind == "SEQUENCE OWNED BY":
                found = OWNED_BY.search(entry.statements[-1])
            elif entry.kind == "SEQUENCE":
                found = ADD_IDENTITY.match(entry.statements[0])
            if found is not None:
                yield from ((entry.name, table) for table in self._names(found[1]))

    def _table_of_part(self, i: int, entry: DumpEntry) -> str | None:
        """Return the table that an entry moves to; None if it stays where it is."""
        if entry.kind in SEQUENCE_PARTS:
            table = self.owners.get(entry.name)
            is_before = table in self.tables and self.tables[table] < i
            return table if is_before and table not in self.related else None
        if entry.kind not in PARTS or any(text.startswith("SET ") for text in entry.statements):
            return None
        table = self._subject(entry)
        if table not in self.tables or table in self.related:
            return None
        own = {table, entry.name, *self.sequences.get(table, ())}
        others = set(self._names("\n".join(entry.statements))) - own
        limit = self.tables[table]
        return table if all(self.position.get(name, i) < limit for name in others) else None

    def _subject(self, entry: DumpEntry) -> str:
        """Return the relation that an entry is about; "" for another object."""
        if entry.kind in RELATIONS:
            return entry.name
        if entry.kind in ("SEQUENCE OWNED BY", "ROW SECURITY"):
            return entry.name
        text = entry.statements[-1] if entry.kind == "STATISTICS" else entry.statements[0]
        if entry.kind == "STATISTICS":
            text = text.rpartition(" FROM ")[2]
        elif entry.kind in ("INDEX", "TRIGGER", "POLICY", "RULE"):
            text = text.partition(" ON " if entry.kind != "RULE" else " TO ")[2]
        elif not text.startswith(("ALTER TABLE ", "ALTER INDEX ")):
            return ""
        return next(self._names(text), "")

    def _names(self, text: str) -> Iterator[str]:
        """Yield the names that are qualified with the schema, unquoted."""
        for name in self.qualified.findall(text):
            yield name[1:-1].replace('""', '"') if name[0] == '"' else name

    def _goes_with_parent(self, entry: DumpEntry) -> bool:
        """Return whether an entry is the constraint of a partition's attached index."""
        return entry.kind == "CONSTRAINT" and any(
            entry.name.endswith(f" {name}") for name in self.attached
        )


def _name_of_constraint(entry: DumpEntry) -> str:
    """Return the name, quoted, of a constraint and of its index; "" for other entries."""
    if entry.kind != "CONSTRAINT":
        return ""
    found = ADD_CONSTRAINT.search("\n".join(entry.statements))
    return found[1] if found else ""


def _without_comment(entry: DumpEntry) -> Iterable[str]:
    """Yield the statement that removes the schema's comment; others go with their objects."""
    if entry.name.startswith("SCHEMA "):
        for text in entry.statements:
            yield f"{text.partition(' IS ')[0]} IS NULL;"
