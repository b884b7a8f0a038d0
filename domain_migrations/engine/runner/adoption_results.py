"""Results of adoptions: tables that moved, and the history of another tool."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..messages import counted, printable, utc_time


class AppliedMove(NamedTuple):
    """An adoption, or its undoing, that a run has done or would do.

    Attributes:
        apps: the labels of the apps.
        backwards: whether they move back to core.
        tables: the number of tables that change their schema.
        rows: the number of rows that change their history.
        objects: kind, old and new name of everything that moves.
        functions: what is created again, because its text names what moves, and the text's diff.
        dropped_views: the number of views under old names that are no longer wanted.
        sql: the statements.
        seconds: how long the tables were locked.
    """

    apps: tuple[str, ...]
    backwards: bool
    source: str
    target: str
    tables: int
    rows: int
    objects: tuple[tuple[str, str, str], ...] = ()
    functions: tuple[tuple[str, str], ...] = ()
    dropped_views: int = 0
    sql: tuple[str, ...] = ()
    seconds: float = 0.0

    def __str__(self) -> str:
        apps = ", ".join(self.apps)
        if self.dropped_views:
            return f"drop {counted(self.dropped_views, 'view')} under old names of {apps}"
        return (
            f"move {counted(self.tables, 'table')} of {apps} from {self.source} to {self.target},"
            f" with {counted(self.rows, 'row')} of the history"
        )

    def as_json(self) -> dict[str, Any]:
        objects = [{"kind": kind, "from": old, "to": new} for kind, old, new in self.objects]
        return {
            "apps": list(self.apps),
            "direction": "backwards" if self.backwards else "forwards",
            "from": self.source,
            "to": self.target,
            "tables": self.tables,
            "rows": self.rows,
            "objects": objects,
            "functions": [name for name, _ in self.functions],
            "function_diffs": dict(self.functions),
            "dropped_views": self.dropped_views,
            "sql": list(self.sql),
            "seconds": round(self.seconds, 3),
        }


class ImportedMigration(NamedTuple):
    """A migration that another tool has run.

    Attributes:
        time: when; None if that is not known.
        batch: the tool's own batch, if it has any.
    """

    name: str
    time: datetime.datetime | None
    batch: int | None

    def __str__(self) -> str:
        when = "at an unknown time" if self.time is None else utc_time(self.time)
        return f"{printable(self.name)} {when}"

    def as_json(self) -> dict[str, Any]:
        time = None if self.time is None else utc_time(self.time)
        return {"name": self.name, "time": time, "batch": self.batch}


class ImportedHistory(NamedTuple):
    """The history of another tool that a run brings into the journal.

    Attributes:
        rows: the migrations, in the tool's order.
        left_out: the name of each row that is not an applied migration, and why.
    """

    tool: str
    table: str
    rows: tuple[ImportedMigration, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        rows = counted(len(self.rows), "migration")
        return f"bring {rows} of {self.tool} from {self.table} into the journal"

    def lines(self) -> Iterator[str]:
        """Yield a line for each row."""
        yield from map(str, self.rows)
        yield from (f"left out: {printable(name)}: {reason}" for name, reason in self.left_out)

    def as_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool,
            "table": self.table,
            "rows": [row.as_json() for row in self.rows],
            "left_out": [{"name": name, "reason": reason} for name, reason in self.left_out],
        }
