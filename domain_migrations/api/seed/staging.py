"""The tables that the rows of a file go through, beside the table that they are merged into.

They are temporary, but where Citus has the target's rows on other nodes: there, they are tables of
the target's schema, whose shards lie beside the target's, or reference tables as the target is, so
that the nodes join them as one server does. They are dropped in the transaction that creates them.
"""

from __future__ import annotations

from typing import Any, LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import QualifiedName
from ...engine.cluster.cluster import Cluster
from ...engine.sessions.connection import as_text
from ...engine.sql.query import run_sql

TABLES = ("staged", "rows", "merged", "keys")
"""The rows as the file has them; with their references looked up; what is to be done with those
that differ; the natural keys in the file."""

COLUMNS = ("row", "key", "values", "missing", "pk", "known")

INSERT_THROUGH_COORDINATOR = """
INSERT INTO {table} SELECT * FROM ({query}) AS q WHERE clock_timestamp() IS NOT NULL
"""
"""The condition is volatile, so that Citus runs the query on the node and copies its rows back.

As one statement for the node, Citus 14 writes it with a syntax error if it has a function that is
stable, as to_jsonb() is.
"""

MAKE_REFERENCE_TABLE = "SELECT create_reference_table({table})"


class Staging:
    """Where the tables of one target are.

    Arguments:
        target: the table that the rows are merged into.
        cluster: the Citus cluster; None on plain PostgreSQL.
    """

    def __init__(self, target: QualifiedName, cluster: Cluster | None) -> None:
        self.is_reference = cluster is not None and target in cluster.reference_tables
        is_sharded = cluster is not None and cluster.is_distributed(target.schema)
        self.is_temporary = not (self.is_reference or is_sharded)
        self.schema = "pg_temp" if self.is_temporary else target.schema

    def table(self, name: str) -> sql.Identifier:
        """Return the identifier of one of TABLES."""
        return sql.Identifier(self.schema, f"~{name}")


class Statements:
    """Statements on the staging tables and others, whose names are filled in.

    Arguments:
        keys: where the table of natural keys is, if it is not with the others.
        names: name in a statement → SQL, besides those of the staging tables.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        staging: Staging,
        keys: Staging | None = None,
        **names: sql.Composable,
    ) -> None:
        self.connection = connection
        self.places = {**dict.fromkeys(TABLES, staging), "keys": keys or staging}
        self.names: dict[str, sql.Composable] = {
            **{name: place.table(name) for name, place in self.places.items()},
            **{name: sql.Identifier(f"~{name}") for name in COLUMNS},
            **names,
        }

    def execute(self, statement: LiteralString, **parts: sql.Composable) -> int:
        """Run a statement, and return the number of its rows."""
        with self.connection.cursor() as cursor:
            cursor.execute(as_text(cursor, self.filled(statement, parts)))
            return int(cursor.rowcount)

    def fetch(self, query: LiteralString, **parts: sql.Composable) -> Any:
        """Return the first row of a query."""
        with self.connection.cursor() as cursor:
            cursor.execute(as_text(cursor, self.filled(query, parts)))
            return cursor.fetchone()

    def filled(self, statement: LiteralString, parts: dict[str, sql.Composable]) -> sql.Composed:
        """Return a statement with the names and other parts filled in."""
        return sql.SQL(statement).format(**{**self.names, **parts})

    def create(self, name: str, query: LiteralString, **parts: sql.Composable) -> None:
        """Create one of TABLES from the rows of a query."""
        filled = self.filled(query, parts)
        if self.places[name].is_temporary:
            self.execute(
                "CREATE TEMPORARY TABLE {table} ON COMMIT DROP AS {query}",
                table=self.names[name],
                query=filled,
            )
        else:
            # CREATE TABLE AS would leave a second copy of the rows on the coordinator.
            self.create_empty(name, query, **parts)
            self.execute(INSERT_THROUGH_COORDINATOR, table=self.names[name], query=filled)

    def create_empty(self, name: str, query: LiteralString, **parts: sql.Composable) -> None:
        """Create one of TABLES with the columns of a query, without rows."""
        place, table = self.places[name], self.names[name]
        query_sql = self.filled(query, parts)
        if place.is_temporary:
            statement: LiteralString = (
                "CREATE TEMPORARY TABLE {table} ON COMMIT DROP AS {query} WITH NO DATA"
            )
        else:
            statement = "CREATE UNLOGGED TABLE {table} AS {query} WITH NO DATA"
        self.execute(statement, table=table, query=query_sql)
        if place.is_reference:
            # Past Django's cursors, where a seed's own calls of such functions are refused.
            run_sql(
                self.connection,
                sql.SQL(MAKE_REFERENCE_TABLE).format(table=table.as_string(None)),
            )

    def analyze(self, name: str) -> None:
        """Let the planner know the rows of one of TABLES, where this is possible.

        Citus refuses it after the coordinator has written rows of its own in the transaction.
        """
        if self.places[name].is_temporary:
            self.execute("ANALYZE {table}", table=self.names[name])

    def drop(self, name: str) -> None:
        """Drop one of TABLES."""
        self.execute("DROP TABLE {table}", table=self.names[name])
