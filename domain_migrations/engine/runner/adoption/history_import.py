"""The import of another tool's history: its migrations become rows of the domain's journal.

The domain declares the table (``history.toml``, see ``sources/tool_histories.py``), and each
database brings its own rows in with the next run, once. Where the run adopts an inspected schema,
both happen in one transaction. The tool's table is only read, and stays.

Where migrations make the schema from nothing, no other tool has made it: nothing is brought in,
then or later, whatever the table has.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from ....domains import Domain
from ...catalog.other_tools.rows import ToolRow, find_tables, read_rows
from ...catalog.other_tools.tool import HistoryTool
from ...catalog.other_tools.tools import get_tool
from ...history.imported_rows import ImportedRow, has_import, write_import
from ...history.journal import NAME_LENGTH, Journal
from ...messages import printable, shortened
from ...sources.tool_histories import ToolHistory, read_tool_history
from ..adoption_results import ImportedHistory, ImportedMigration
from ..loader import DomainLoader, Plan

UNKNOWN, EXACT = "unknown", "exact"
MADE_HERE = "the domain's own migrations make the schema"


@dataclass(frozen=True)
class HistoryImport:
    """The rows of a declared history that a database has and its journal has not.

    Attributes:
        rows: all rows of the table, in the tool's order.
        is_made_here: whether the domain's own migrations make the schema, so that no row counts.
    """

    domain: Domain
    declared: ToolHistory
    tool: HistoryTool
    rows: tuple[ToolRow, ...]
    is_made_here: bool = False

    @property
    def applied(self) -> tuple[ToolRow, ...]:
        """The rows that become rows of the journal."""
        return () if self.is_made_here else tuple(row for row in self.rows if not row.left_out)

    @property
    def left_out(self) -> tuple[ToolRow, ...]:
        """The rows that do not, each with the reason."""
        if self.is_made_here:
            return tuple(row._replace(left_out=row.left_out or MADE_HERE) for row in self.rows)
        return tuple(row for row in self.rows if row.left_out)

    def time_of(self, row: ToolRow) -> datetime.datetime | None:
        """Return when the tool ran a migration; None if that is not known."""
        if row.time is None or not row.is_local:
            return row.time
        zone = self.declared.zone
        return None if zone is None else row.time.replace(tzinfo=zone)

    def result(self) -> ImportedHistory | None:
        """Return what a run shows of the import; None if there is nothing to show."""
        if self.is_made_here and not self.rows:
            return None
        return ImportedHistory(
            self.tool.title,
            str(self.declared.table),
            tuple(
                ImportedMigration(row.name, self.time_of(row), row.batch) for row in self.applied
            ),
            tuple((row.name, row.left_out) for row in self.left_out),
        )

    def record(self, journal: Journal) -> None:
        """Write the rows, in the transaction that is open."""
        imported = [
            ImportedRow(row.name, self.time_of(row), self._details(row)) for row in self.applied
        ]
        summary: dict[str, Any] = {
            "rows": len(imported),
            "left_out": [
                {"row": row.identity, "name": row.name, "reason": row.left_out}
                for row in self.left_out
            ],
        }
        if self.tool.unknown:
            summary["unknown"] = list(self.tool.unknown)
        write_import(journal, self.tool.key, str(self.declared.table), imported, summary)

    def _details(self, row: ToolRow) -> dict[str, Any]:
        details: dict[str, Any] = {**row.details, "row": row.identity, "time": UNKNOWN}
        if len(row.name) > NAME_LENGTH:
            details["name"] = row.name
        if row.batch is not None:
            details["batch"] = row.batch
        if row.is_local and row.time is not None:
            details["local_time"] = row.time.isoformat(sep=" ")
        if (time := self.time_of(row)) is not None:
            details["time"] = self.declared.time_zone if row.is_local else EXACT
            if row.is_local and not _is_certain(time):
                details["time"] += ", where clocks were changed: it may be another hour"
        return details


def _is_certain(time: datetime.datetime) -> bool:
    """Return whether a local time exists, and only once."""
    return time.replace(fold=0).utcoffset() == time.replace(fold=1).utcoffset()


def pending_history(connection: BaseDatabaseWrapper, domain: Domain) -> ToolHistory | None:
    """Return the declared history if its table exists and was not imported yet.

    Raises:
        InvalidConfiguration: the declaration is not one.
    """
    declared = read_tool_history(domain)
    if declared is None:
        return None
    tool = get_tool(declared.tool)
    if not find_tables(connection, declared.table.name, declared.table.schema):
        return None
    is_over = has_import(connection, domain, tool.key, str(declared.table))
    return None if is_over else declared


def find_import(
    connection: BaseDatabaseWrapper, loader: DomainLoader, plan: Plan, *, is_there: bool
) -> HistoryImport | None:
    """Return the import that a run has to do; None if it has none.

    Arguments:
        plan: what the run does to the schema.
        is_there: whether the schema was there before, although no migration of it is recorded.

    Raises:
        InvalidConfiguration: the declaration is not one, or the table is not a history of the tool.
        InsufficientPrivilege: the role may not read the table.
    """
    domain = loader.domain
    if any(backwards for _, backwards in plan):
        return None
    declared = read_tool_history(domain)
    if declared is None:
        return None
    tool, table = get_tool(declared.tool), declared.table
    if has_import(connection, domain, tool.key, str(table)):
        return None
    applied = loader.applied_migrations
    is_made_here = not is_there and not any(key[0] in domain.app_labels for key in applied)
    if is_made_here and not plan:
        return None
    rows = read_rows(connection, tool, table, declared.only)
    if rows is None and not is_made_here:
        return None
    return HistoryImport(domain, declared, tool, tuple(rows or ()), is_made_here=is_made_here)


def describe_import(found: HistoryImport) -> str:
    """Return a sentence about an import that was done; "" if it had nothing to bring in."""
    shown = found.result()
    if shown is None:
        return ""
    names = [f"{printable(name)} ({reason})" for name, reason in shown.left_out]
    left_out = f" Left out: {shortened(names)}." if names else ""
    return f"Brought {str(shown).removeprefix('bring ')}.{left_out}"
