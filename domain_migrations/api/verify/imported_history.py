"""Findings about the history of another tool that a domain has taken over."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.timezone import localdate

from ...domains import Domain
from ...engine.catalog.other_tools.rows import ToolRow, find_tables, read_rows
from ...engine.catalog.other_tools.tools import get_tool
from ...engine.history.imported_rows import read_import
from ...engine.messages import Finding, printable, shortened
from ...engine.sources.files import HISTORY_FILE
from ...engine.sources.tool_histories import read_tool_history
from ...exceptions import InsufficientPrivilege, InvalidConfiguration


def later_rows(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield a finding if the other tool has changed its history since that was brought in."""
    declared = read_tool_history(domain)
    if declared is None:
        return
    tool, table = get_tool(declared.tool), str(declared.table)
    done = read_import(connection, domain, tool.key, table)
    try:
        rows = None if done is None else read_rows(connection, tool, declared.table, declared.only)
    except (InvalidConfiguration, InsufficientPrivilege) as exc:
        yield Finding("H010", "history", domain.name, table, exc.message, exc.hint)
        return
    if done is None or rows is None:
        return
    known = done.rows | done.left_out
    later = [row for row in rows if row.identity not in known]
    new = [printable(row.name) for row in later if not row.left_out]
    others = [_titled(row) for row in later if row.left_out]
    changed = [_titled(row) for row in rows if row.left_out and row.identity in done.rows]
    gone = done.rows - {row.identity for row in rows}
    parts = [f"has run {shortened(new)}"] if new else []
    parts += [f"has added {shortened(others)}"] if others else []
    parts += [f"no longer has {shortened(changed)} as applied"] if changed else []
    parts += [f"has lost {len(gone)} of the rows that the journal has"] if gone else []
    if parts:
        yield Finding(
            "H010",
            "history",
            domain.name,
            table,
            f"Since its history was brought in, {tool.title} {', and '.join(parts)}: {table}.",
            "It may have changed the schema without the domain: run manage.py verify_domain"
            f" {domain.name} --only drift, write what has changed as a migration, and stop"
            f" {tool.title} from migrating this database.",
        )


def _titled(row: ToolRow) -> str:
    return f"{printable(row.name)} ({row.left_out})"


def kept_too_long(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield a finding if another tool's table is there after the day until which it was wanted."""
    declared = read_tool_history(domain)
    if declared is None or declared.keep_until is None or declared.keep_until >= localdate():
        return
    table = str(declared.table)
    if find_tables(connection, declared.table.name, declared.table.schema):
        yield Finding(
            "L009",
            "leftover",
            domain.name,
            table,
            f"The table {table}, the history of {get_tool(declared.tool).title}, was wanted until"
            f" {declared.keep_until}.",
            f"When that tool migrates nothing here any more, drop its tables and delete"
            f" {HISTORY_FILE}; the journal keeps the rows. Or set a later day in keep_until.",
        )
