"""Declarations of other tools' histories: the rows that a domain's journal takes over.

A declaration is the file ``history.toml`` in the migrations folder of an app of the domain. It is
reviewed and deployed like code. Each database brings its own rows into the journal with the next
run of the domain, once; see ``runner/adoption/history_import.py``.
"""

from __future__ import annotations

import datetime
import zoneinfo
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...domains import Domain, QualifiedName
from ...exceptions import InvalidConfiguration
from .files import history_file
from .toml_values import is_date, is_name, quoted, read_toml

FORMAT = 1
REQUIRED = ("tool", "schema", "table", "date")
KEYS = ("format", *REQUIRED, "time_zone", "keep_until", "only")


@dataclass(frozen=True, kw_only=True)
class ToolHistory:
    """A history that another tool has kept, as declared.

    Attributes:
        tool: the key of the tool.
        table: the table in which it keeps its history.
        date: the day of the declaration.
        time_zone: the zone of the tool's local times; "" if it is not known.
        only: the applications whose rows of the table are meant; empty for all rows.
        keep_until: the last day on which the tool may still need its table; None for no such day.
    """

    tool: str
    table: QualifiedName
    date: datetime.date
    time_zone: str = ""
    keep_until: datetime.date | None = None
    only: tuple[str, ...] = ()

    @property
    def zone(self) -> zoneinfo.ZoneInfo | None:
        return zoneinfo.ZoneInfo(self.time_zone) if self.time_zone else None

    def as_text(self) -> str:
        """Return the text of the file."""
        lines = [
            "# The history that another tool has kept of this schema. Each database brings its",
            "# rows into the journal with the next run of migrate_domain; the table stays.",
            f"format = {FORMAT}",
            f"tool = {quoted(self.tool)}",
            f"schema = {quoted(self.table.schema)}",
            f"table = {quoted(self.table.name)}",
            f"date = {self.date.isoformat()}",
        ]
        if self.time_zone:
            lines.append(f"time_zone = {quoted(self.time_zone)}")
        if self.only:
            lines.append(f"only = [{', '.join(map(quoted, self.only))}]")
        if self.keep_until is not None:
            lines.append(f"keep_until = {self.keep_until.isoformat()}")
        return "\n".join(lines) + "\n"


def read_tool_history(domain: Domain) -> ToolHistory | None:
    """Return the domain's declaration; None if it has none.

    Raises:
        InvalidConfiguration: the file is not a declaration, or a second app has one.
    """
    paths = [path for label in domain.app_labels if (path := history_file(label)) is not None]
    if len(paths) > 1:
        raise InvalidConfiguration(
            f'The domain "{domain.name}" has two declarations of a history: {paths[0]} and'
            f" {paths[1]}.",
            hint="Keep the one whose table the schema's migrations are in.",
        )
    return _read(paths[0]) if paths else None


def _read(path: Path) -> ToolHistory:
    try:
        values = read_toml(path)
    except ValueError as exc:
        raise _invalid(path, str(exc)) from exc
    if problem := _problem(values):
        raise _invalid(path, problem)
    del values["format"]
    table = QualifiedName(values.pop("schema"), values.pop("table"))
    return ToolHistory(table=table, only=tuple(values.pop("only", ())), **values)


def _problem(values: dict[str, Any]) -> str:
    """Return what is wrong with the values of a file, as a predicate; "" if nothing is."""
    if values.get("format") != FORMAT:
        return f"has the format {values.get('format')!r}, and only {FORMAT} is known"
    if unknown := sorted(values.keys() - set(KEYS)):
        return f"has an unknown key: {unknown[0]}"
    if missing := [key for key in REQUIRED if key not in values]:
        return f"lacks {missing[0]}"
    for key in ("tool", "schema", "table"):
        if not is_name(values[key]):
            return f"has an invalid {key}: {values[key]!r}"
    for key in ("date", "keep_until"):
        if key in values and not is_date(values[key]):
            return f"needs a date such as 2026-11-29 in {key}"
    only = values.get("only", [])
    if not isinstance(only, list) or not all(isinstance(name, str) for name in only):
        return f"needs a list of names in only, not {only!r}"
    return zone_problem(values.get("time_zone", ""))


def zone_problem(name: Any) -> str:
    """Return what is wrong with the name of a time zone, as a predicate; "" if nothing is."""
    try:
        if name:
            zoneinfo.ZoneInfo(name)
    except (ValueError, TypeError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return f"names an unknown time zone: {name!r}"
    return ""


def _invalid(path: Path, problem: str) -> InvalidConfiguration:
    return InvalidConfiguration(
        f"The declaration {path} {problem.rstrip('.')}.",
        hint="Correct it, or delete it and write it again: manage.py inspect_domain SCHEMA"
        " --history TOOL",
    )
