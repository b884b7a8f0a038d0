"""The declaration of another tool's history beside the migrations of an inspected schema."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.timezone import localdate

from ...domains import CORE_SCHEMA, Domain, QualifiedName, get_domains
from ...engine.catalog.other_tools.rows import (
    ToolRow,
    ToolTable,
    check_table,
    find_tables,
    read_rows,
)
from ...engine.catalog.other_tools.tool import HistoryTool
from ...engine.catalog.other_tools.tools import get_tool
from ...engine.messages import counted, printable, shortened
from ...engine.runner.adoption.history_import import HistoryImport
from ...engine.sources.tool_histories import ToolHistory, zone_problem
from ...exceptions import InvalidConfiguration

NOTHING = "Nothing was written."
NAME = re.compile(r'(?:("(?:[^"]|"")+"|[^".]+)\.)?("(?:[^"]|"")+"|[^".]+)')
LISTED = 10
"""How many rows are named."""
LONGEST = 36_500
"""For how many days a table may be kept."""


@dataclass(frozen=True, kw_only=True)
class HistoryOptions:
    """What a person says about another tool's history.

    Attributes:
        tool: the tool's key.
        table: the history's table, as ``table`` or ``schema.table``; "" for the usual one.
        only: the applications whose rows are meant, where several share the table.
        time_zone: the zone of the tool's local times; "" if it is not known.
        keep_days: for how many days the tool may still need its table; None if that is not known.
    """

    tool: str
    table: str = ""
    only: tuple[str, ...] = ()
    time_zone: str = ""
    keep_days: int | None = None


def find_history(
    connection: BaseDatabaseWrapper, domain: Domain, options: HistoryOptions
) -> HistoryImport:
    """Return the history to declare, with the rows that this database would bring in.

    Raises:
        InvalidConfiguration: the tool is not known, there is no table or there are several, it is
            not a history of the tool or is a domain's own, several applications share it and none
            was named, the time zone is unknown or of no use, or the days are out of range.
        InsufficientPrivilege: the role may not read the table.
    """
    tool = get_tool(options.tool)
    if problem := zone_problem(options.time_zone):
        raise InvalidConfiguration(
            f"--history-time-zone {problem}.", hint=f"Name one such as Asia/Bangkok. {NOTHING}"
        )
    if options.keep_days is not None and not 0 <= options.keep_days <= LONGEST:
        raise InvalidConfiguration(
            f"--history-keep {options.keep_days} is out of range.",
            hint=f"Name a number of days from 0 to {LONGEST}. {NOTHING}",
        )
    table = _named_table(connection, domain, options) or _usual_table(connection, domain, tool)
    check_table(connection, tool, table)
    today = localdate()
    declared = ToolHistory(
        tool=tool.key,
        table=table.name,
        date=today,
        time_zone=options.time_zone,
        only=options.only,
        keep_until=None
        if options.keep_days is None
        else today + datetime.timedelta(days=options.keep_days),
    )
    rows = tuple(read_rows(connection, tool, table.name) or ())
    if options.only or table.name.schema != domain.schema:
        rows = tuple(_rows_of(rows, options.only, tool, table.name))
    if options.time_zone and rows and not any(row.is_local for row in rows):
        raise InvalidConfiguration(
            f"{table.name} has no times without a zone, so that --history-time-zone"
            f" {options.time_zone} has no meaning.",
            hint=f"Omit it. {NOTHING}",
        )
    return HistoryImport(domain, declared, tool, rows)


def history_notes(found: HistoryImport) -> Iterator[str]:
    """Yield what people should know about the history that is declared."""
    declared, tool = found.declared, found.tool
    yield (
        f"The next run on each database brings the rows of {declared.table} into the journal; here"
        f" they are {counted(len(found.applied), 'migration')} of {tool.title}."
    )
    if found.left_out:
        left_out = [f"{printable(row.name)} ({row.left_out})" for row in found.left_out]
        yield f"Left out: {shortened(left_out, LISTED)}."
    unknown = [row for row in found.applied if found.time_of(row) is None]
    migrations = f"{counted(len(unknown), 'migration')} of {tool.title}"
    if any(row.is_local for row in unknown):
        yield (
            f"The times of {migrations} are local and have no zone, so that they are recorded as"
            " unknown. Name the zone with --history-time-zone if all of them are of one."
        )
    elif unknown:
        yield f"The times of {migrations} are not known."
    yield from tool.unknown


def _rows_of(
    rows: Sequence[ToolRow], only: Collection[str], tool: HistoryTool, table: QualifiedName
) -> Iterator[ToolRow]:
    """Yield the rows of the applications that a person has named, or of the only one."""
    groups = sorted({row.group for row in rows})
    if not only and len(groups) > 1:
        raise InvalidConfiguration(
            f"{table} has the rows of {len(groups)} applications: {shortened(groups)}.",
            hint="Name those that have made the schema: --history-only NAME, once for each."
            f" {NOTHING}",
        )
    if unknown := sorted(set(only) - set(groups)):
        known = f"It has those of {shortened(groups)}." if tool.group else "It names none."
        raise InvalidConfiguration(
            f'{table} has no rows of an application "{unknown[0]}".', hint=f"{known} {NOTHING}"
        )
    yield from (row for row in rows if not only or row.group in only)


def _named_table(
    connection: BaseDatabaseWrapper, domain: Domain, options: HistoryOptions
) -> ToolTable | None:
    if not options.table:
        return None
    name = parse_history_table(options.table, domain.schema)
    own = [each for each in get_domains() if each.history_table == name]
    if own:
        raise InvalidConfiguration(
            f"{name} is the history of {own[0].name}, not of another tool.",
            hint="To make a domain of an app of core, see manage.py adopt_domain --help."
            f" {NOTHING}",
        )
    if found := find_tables(connection, name.name, name.schema):
        return found[0]
    raise InvalidConfiguration(
        f"There is no table {name} in this database.",
        hint="Name the table with its schema, in quotes as in SQL where its name has a point:"
        f" --history-table SCHEMA.TABLE. {NOTHING}",
    )


def parse_history_table(text: str, schema: str) -> QualifiedName:
    """Return a table's name from ``table`` or ``schema.table``, each quoted as in SQL or plain."""
    if (match := NAME.fullmatch(text)) is None:
        return QualifiedName(schema, text)
    first, last = (
        part[1:-1].replace('""', '"') if part.startswith('"') else part
        for part in (match[1] or schema, match[2])
    )
    return QualifiedName(first, last)


def _usual_table(connection: BaseDatabaseWrapper, domain: Domain, tool: HistoryTool) -> ToolTable:
    """Return the tool's table in its own schema, or else in the domain's or in ``public``."""
    schemas = [tool.schema] if tool.schema else [domain.schema, CORE_SCHEMA]
    own = {each.history_table for each in get_domains()}
    every = [
        each
        for each in find_tables(connection, tool.table)
        if each.has_columns_of(tool) and each.name not in own
    ]
    near = [each for each in every if each.name.schema in schemas]
    if len(near) == 1:
        return near[0]
    listed = ", ".join(str(each.name) for each in near or every)
    if near:
        raise InvalidConfiguration(
            f"There are two histories of {tool.title}: {listed}.",
            hint=f"Name the one of this schema with --history-table. {NOTHING}",
        )
    places = " and ".join(schemas)
    others = f" Name one of {listed} with --history-table, if it is the one." if every else ""
    raise InvalidConfiguration(
        f"{tool.title} has no history in {places}: no table {tool.table} has its columns.",
        hint=f"Name the tool that has migrated the schema, or its table with --history-table."
        f"{others} {NOTHING}",
    )
