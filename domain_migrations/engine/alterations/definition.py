"""The definition of a schema: its objects as SQL names them, and what each of them needs."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import QualifiedName
from ..catalog.fingerprint import (
    CatalogObject,
    CatalogRow,
    catalog_cursor,
    catalog_object,
    read_rows,
    to_text,
)
from ..snapshots.cast_entries import with_casts
from ..snapshots.dump_entries import DumpEntry, read_entries
from ..snapshots.pg_dump import strip_array_casts
from .object_dependencies import DEPENDENCIES, POSITIONS

IDENTIFIER = re.compile(r'"(?:[^"]|"")*"|[^".]+')
COMMENT = "comment "
IDENTITY_OF = "identity of "
WITHOUT_SCRIPT = frozenset(
    {
        *("schema", "extension", "type", "array type", "sequence", "table", "column"),
        *("constraint", "index", "statistics", "view", "materialized view", "rule"),
        *("trigger", "policy", "function", "procedure", "window function"),
    }
)

Key = tuple[str, str]
"""Kind and qualified name, as SQL writes it."""


@dataclass(frozen=True)
class SchemaObject:
    """One object of a schema.

    Attributes:
        kind: as for ``CatalogObject``.
        name: qualified, as SQL writes it.
        relation: the unquoted name of the table, view or sequence that it belongs to.
        lines: its properties, as SQL writes them.
        title, definition: those of its ``CatalogObject``, the same in every database.
    """

    kind: str
    name: str
    relation: str | None
    lines: tuple[str, ...]
    title: str
    definition: str

    @classmethod
    def of(cls, row: CatalogRow) -> SchemaObject:
        item = catalog_object(*row)
        kind, name, relation, lines = row
        # Without these casts PostgreSQL reads back what it has written.
        own = lines if kind in ("function", "procedure") else map(strip_array_casts, lines)
        return cls(kind, name, relation, tuple(own), item.title, item.definition)

    @property
    def key(self) -> Key:
        return self.kind, self.name

    @property
    def place(self) -> tuple[str, str | None]:
        """Its kind and its relation, which a new name does not change."""
        return self.kind, self.relation

    @cached_property
    def parts(self) -> list[str]:
        """The identifiers of its name: the schema's, its own, and that of its table between."""
        return IDENTIFIER.findall(self.name)

    @property
    def table(self) -> str:
        """The name of the relation that it is a part of."""
        return ".".join(self.parts[:-1])

    @property
    def own_name(self) -> str:
        return self.parts[-1]

    @property
    def comment(self) -> str | None:
        """The literal of its comment."""
        return self.value(COMMENT)

    def value(self, prefix: str) -> str | None:
        """Return the rest of the property that begins so."""
        found = next((line for line in self.lines if line.startswith(prefix)), None)
        return None if found is None else found.removeprefix(prefix)

    def values(self, prefix: str) -> list[str]:
        return [line.removeprefix(prefix) for line in self.lines if line.startswith(prefix)]

    @property
    def definition_lines(self) -> list[str]:
        return self.definition.split("\n") if self.definition else []

    @property
    def needs_script(self) -> bool:
        """Whether only a dump knows how to create it."""
        if self.kind == "type":
            return self.lines[0] in ("base", "shell")
        return self.kind not in WITHOUT_SCRIPT

    @property
    def is_foreign_key(self) -> bool:
        return self.kind == "constraint" and self.lines[0].startswith("FOREIGN KEY")

    @property
    def is_inherited(self) -> bool:
        """Whether it exists because the parent of its table has it."""
        return "inherited" in self.lines


@dataclass(frozen=True)
class SchemaDefinition:
    """The objects of a schema in one database.

    Attributes:
        needs: object → those that it cannot be without.
        columns: name of a relation → its columns in their order.
        gaps: column → how many that were dropped are right before it; only where there are any.
        version: the server's, as ``160004``.
        scripts: kind and short name → the entries of a dump, where there are objects of a kind
            that only a dump knows how to create.
    """

    schema: str
    objects: dict[Key, SchemaObject]
    needs: dict[Key, set[Key]] = field(default_factory=dict)
    columns: dict[str, list[SchemaObject]] = field(default_factory=dict)
    gaps: dict[Key, int] = field(default_factory=dict)
    version: int = 0
    scripts: dict[tuple[str, str], list[DumpEntry]] = field(default_factory=dict)

    @classmethod
    def read(
        cls,
        connection: BaseDatabaseWrapper,
        schema: str,
        *,
        exclude: Collection[str] = (),
        include_names: bool = False,
    ) -> SchemaDefinition:
        """Read a schema.

        Arguments:
            exclude, include_names: as for ``fingerprint``.
        """
        rows = read_rows(connection, schema, exclude=exclude, include_names=include_names)
        objects = {item.key: item for item in map(SchemaObject.of, rows)}
        found = cls(schema, objects, version=connection.connection.info.server_version)
        with catalog_cursor(connection) as cursor:
            cursor.execute(DEPENDENCIES, {"schema": schema})
            for kind, name, needed_kind, needed_name in cursor.fetchall():
                if (kind, name) in objects and (needed_kind, needed_name) in objects:
                    found.needs.setdefault((kind, name), set()).add((needed_kind, needed_name))
            cursor.execute(POSITIONS, {"schema": schema})
            for relation, column, gap in cursor.fetchall():
                if item := objects.get(("column", column)):
                    found.columns.setdefault(relation, []).append(item)
                    if gap:
                        found.gaps[item.key] = gap
        found._add_parts()
        if any(item.needs_script for item in objects.values()):
            entries = read_entries(
                connection, schema, exclude=[QualifiedName(schema, name) for name in exclude]
            )
            for entry in with_casts(connection, schema, entries):
                short = entry.name.replace('"', "").lower()
                found.scripts.setdefault((entry.kind.lower(), short), []).append(entry)
        return found

    def script(self, item: SchemaObject) -> list[str]:
        """Return the statements that create an object, as a dump has them; [] if there are none.

        Operators of one name cannot be distinguished, nor operator classes from their families.
        """
        kind = "shell type" if item.lines[:1] == ("shell",) else item.kind
        short = item.title.removeprefix(f"{item.kind} ").removeprefix(f"{self.schema}.")
        short = {
            "cast": f"({short})",
            "operator": short.partition("(")[0],
        }.get(item.kind, short)
        entries = self.scripts.get((kind, short.lower()), [])
        statements = entries[0].statements if len(entries) == 1 else ()
        return [text.rstrip(";") for text in statements]

    def as_fingerprint(self) -> str:
        """Return the fingerprint of the schema."""
        return to_text(
            CatalogObject(
                item.kind, item.title.removeprefix(f"{item.kind} "), item.definition, item.relation
            )
            for item in self.objects.values()
        )

    def _add_parts(self) -> None:
        """Add that a part needs its table, and a table what its columns need."""
        for item in self.objects.values():
            owner = self.relations.get(item.relation or "")
            if owner is None or owner is item or item.kind == "sequence":
                continue
            if item.kind == "column":
                needed = self.needs.get(item.key, set()) - {owner.key}
                self.needs.setdefault(owner.key, set()).update(needed)
            self.needs.setdefault(item.key, set()).add(owner.key)

    @cached_property
    def not_null_names(self) -> dict[Key, str]:
        """Column → the name of its NOT NULL constraint, from 18 on and where names are read."""
        prefix = "NOT NULL "
        return {
            ("column", f"{item.table}.{item.lines[0].removeprefix(prefix)}"): item.own_name
            for item in self.objects.values()
            if item.kind == "constraint" and item.lines[0].startswith(prefix)
        }

    @cached_property
    def needed_by(self) -> dict[Key, set[Key]]:
        """Object → those that cannot be without it."""
        found: dict[Key, set[Key]] = {}
        for key, needed in self.needs.items():
            for other in needed:
                found.setdefault(other, set()).add(key)
        return found

    @cached_property
    def relations(self) -> dict[str, SchemaObject]:
        """Unquoted name of each table and view → its object."""
        kinds = ("table", "view", "materialized view", "foreign table")
        found = (item for item in self.objects.values() if item.kind in kinds)
        return {item.relation: item for item in found if item.relation}

    @cached_property
    def parts_of_relations(self) -> dict[str, list[SchemaObject]]:
        """Unquoted name of each table and view → what belongs to it, without itself."""
        found: dict[str, list[SchemaObject]] = {name: [] for name in self.relations}
        for item in self.objects.values():
            if item.relation in found and item is not self.relations[item.relation]:
                found[item.relation].append(item)
        return found

    @cached_property
    def identity_sequences(self) -> dict[str, SchemaObject]:
        """Name of each identity column → its sequence."""
        sequences = (item for item in self.objects.values() if item.kind == "sequence")
        owned = ((item.value(IDENTITY_OF), item) for item in sequences)
        return {column: item for column, item in owned if column is not None}
