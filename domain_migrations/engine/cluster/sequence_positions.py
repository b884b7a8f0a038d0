"""Sequences of distributed tables that lag their rows after a crash of the coordinator.

A row is committed on its node before the coordinator has written down, for good, the number that
it drew for the row; where the coordinator dies in between, its sequence gives the number again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import QualifiedName
from ..sessions.connection import execute, fetch_one

HIGHEST: LiteralString = "SELECT max(id) FROM {} WHERE id < 2 ^ 48"
"""Numbers from there up are drawn by workers, from sequences of their own."""

CATCH_UP: LiteralString = """
SELECT setval(s.seqrelid::regclass, {highest})
FROM pg_catalog.pg_sequence s
WHERE s.seqrelid = pg_get_serial_sequence({table}, 'id')::regclass
    AND {highest} > coalesce(pg_sequence_last_value(s.seqrelid::regclass), 0)
"""


def catch_up_sequences(connection: BaseDatabaseWrapper, tables: Iterable[QualifiedName]) -> None:
    """Set the sequences of tables that lag their rows, of the column ``id``."""
    for table in tables:
        # Alone: together with the other, the query would be run on the node, on its sequence.
        (highest,) = fetch_one(connection, sql.SQL(HIGHEST).format(sql.Identifier(*table)))
        if highest is not None:
            statement = sql.SQL(CATCH_UP).format(highest=highest, table=table.db_table)
            execute(connection, statement)
