"""The limits that the rows of a live schema set to statements that repair it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db.backends.base.base import BaseDatabaseWrapper

from ...engine.alterations.definition import SchemaDefinition, SchemaObject
from ...engine.cluster.shards import measure_shards, read_placements
from ...engine.sessions.connection import fetch_all, fetch_one

LARGE = 64 * 1024 * 1024
"""A table of more bytes is not read or indexed under a strong lock unasked."""

TABLES = """
SELECT c.relname, pg_table_size(c.oid), c.relkind = 'p',
    has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'm')
"""


@dataclass(frozen=True)
class TableFacts:
    """What is known of a table.

    Attributes:
        size: in bytes; None if a node of a cluster does not say it.
        readable: whether the role may read all of its rows.
    """

    size: int | None
    is_partitioned: bool
    readable: bool

    @property
    def is_large(self) -> bool:
        return self.size is None or self.size > LARGE or self.is_partitioned


class RowFacts:
    """The tables of a live schema, and whether there are rows in the way of a statement."""

    def __init__(self, connection: BaseDatabaseWrapper, definition: SchemaDefinition) -> None:
        self.connection, self.definition = connection, definition
        rows = fetch_all(connection, TABLES, [definition.schema])
        self.tables = {name: TableFacts(*facts) for name, *facts in rows}
        # Of a distributed table, the coordinator has a shell without rows.
        shards = measure_shards(connection, read_placements(connection, [definition.schema]))
        for name, measure in shards.items():
            facts = self.tables[name.name]
            self.tables[name.name] = replace(facts, size=measure.size)

    def too_large(self, relation: str | None) -> str:
        """Return why a table is not read under a strong lock; "" if it may be."""
        facts = self.tables.get(relation or "")
        if facts is None or not facts.is_large:
            return ""
        if facts.is_partitioned:
            return "the table has partitions, which are all locked meanwhile"
        if facts.size is None:
            return "the size of the table is not known, and nobody can write to it meanwhile"
        return f"the table has {facts.size // 1024**2} MiB, and nobody can write to it meanwhile"

    def not_null_problem(self, column: SchemaObject) -> str:
        """Return why a column cannot be made NOT NULL now; "" if it can."""
        facts = self.tables.get(column.relation or "")
        if facts is None:
            return ""
        if not facts.readable:
            return "whether rows have NULL could not be read"
        if column.key not in self.definition.objects:
            query = f"SELECT FROM {column.table} LIMIT 1"
            problem = "the table has rows, which need a value first"
        else:
            query = f"SELECT FROM {column.table} WHERE {column.own_name} IS NULL LIMIT 1"
            problem = "rows have NULL, which need a value first"
        if fetch_one(self.connection, query) is not None:
            return problem
        return self.too_large(column.relation)
