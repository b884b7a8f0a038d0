"""Rows of a journal that were another tool's: its migrations, which no run applies or reverts.

Their ``direction`` is ``import``. A row for each migration has the status ``adopted``, the tool's
key as its app and the tool's name of the migration; ``started`` is the tool's time, or that of the
import where that is unknown. A last row, ``done``, has no name and says that the import is over.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, LiteralString, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.timezone import now
from psycopg import sql

from ...domains import Domain
from ..sessions.connection import execute, fetch_all
from .journal import Journal
from .journal_queries import read_object
from .tables import existing_journals

DETAILS = "import"
"""In the details of a row: what is known of the tool's row beside its name and its time."""

AT_ONCE = 200
"""Rows that one statement appends."""

OF_IMPORT = """
FROM {table}
WHERE direction = 'import' AND jsonb_typeof(details -> 'import') = 'object'
    AND details -> 'import' ->> 'tool' = {tool} AND details -> 'import' ->> 'table' = {name}
"""
SELECT_IMPORT = f"SELECT details -> 'import' ->> 'row', details -> 'import', status {OF_IMPORT}"
HAS_IMPORT = f"SELECT EXISTS (SELECT {OF_IMPORT} AND status = 'done')"


class ImportedRow(NamedTuple):
    """A migration of another tool, as the journal has it.

    Attributes:
        started: the tool's time; None if it is not known.
        details: of the tool's row, with its identity as ``row``.
    """

    name: str
    started: datetime.datetime | None
    details: Mapping[str, Any]


class FinishedImport(NamedTuple):
    """What a journal says of an import that is over.

    Attributes:
        rows: the identities of the tool's rows that were brought in.
        left_out: the identities of the others.
    """

    rows: frozenset[str]
    left_out: frozenset[str]


def write_import(
    journal: Journal, tool: str, table: str, rows: Iterable[ImportedRow], summary: Mapping[str, Any]
) -> None:
    """Append the rows of an import and the one that ends it, in the transaction that is open."""
    moment, source = now(), {"tool": tool, "table": table}
    statements = [
        journal.insert_sql(
            "adopted",
            "import",
            app=tool,
            name=row.name,
            started=row.started or moment,
            details={DETAILS: {**source, **row.details}},
        )
        for row in rows
    ]
    end = journal.insert_sql(
        "done", "import", app=tool, started=moment, details={DETAILS: {**source, **summary}}
    )
    statements.append(end)
    for first in range(0, len(statements), AT_ONCE):
        batch = statements[first : first + AT_ONCE]
        execute(journal.connection, sql.SQL("; ").join(batch))


def read_import(
    connection: BaseDatabaseWrapper, domain: Domain, tool: str, table: str
) -> FinishedImport | None:
    """Return the import of a tool's table into the domain's journal; None if there was none."""
    found = _query(connection, domain, SELECT_IMPORT + "ORDER BY id", tool, table)
    ends = [read_object(details) for _, details, status in found if status == "done"]
    if not ends:
        return None
    rows = frozenset(str(row) for row, _, status in found if status == "adopted")
    left_out = ends[-1].get("left_out", [])
    return FinishedImport(rows, frozenset(str(item["row"]) for item in left_out))


def has_import(connection: BaseDatabaseWrapper, domain: Domain, tool: str, table: str) -> bool:
    """Return whether a tool's table was brought into the domain's journal."""
    return (True,) in _query(connection, domain, HAS_IMPORT, tool, table)


def _query(
    connection: BaseDatabaseWrapper, domain: Domain, query: LiteralString, tool: str, table: str
) -> list[tuple[Any, ...]]:
    """Return the rows of a query of the journal; none if there is no journal."""
    if not existing_journals(connection, [domain], readable=True):
        return []
    statement = sql.SQL(query).format(
        table=sql.Identifier(*domain.journal_table), tool=sql.Literal(tool), name=sql.Literal(table)
    )
    return fetch_all(connection, statement)
