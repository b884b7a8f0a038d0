"""The progress of an extraction: rows and bytes per table, lag, and the next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...engine.history.extractions import Extraction
from .sides import Sides, read_tables, stored
from .subscriptions import READY, Lag, error_count, read_lag, table_states

STATE_WORDS = {
    "i": "waiting",
    "d": "copying",
    "f": "copied",
    "s": "catching up",
    READY: "ready",
}


@dataclass(frozen=True)
class TableProgress:
    """One table.

    Attributes:
        rows, bytes: in the target so far.
        total_rows: an estimate.
    """

    table: str
    state: str
    rows: int
    total_rows: int
    bytes: int
    total_bytes: int

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class Progress:
    """Everything that ``status`` shows.

    Attributes:
        lag: of the side that receives; None where nobody does.
        errors: how often the receiving side has failed.
        problem: a sentence, if something needs attention.
    """

    domain: str
    source: str
    target: str
    phase: str
    tables: tuple[TableProgress, ...]
    lag: Lag | None
    errors: int
    problem: str
    next: str
    back: str

    @property
    def is_copied(self) -> bool:
        return bool(self.tables) and all(table.state == "ready" for table in self.tables)

    def as_json(self) -> dict[str, Any]:
        return {
            "format": 1,
            "domain": self.domain,
            "source": self.source,
            "target": self.target,
            "phase": self.phase,
            "tables": [table.as_json() for table in self.tables],
            "lag": None
            if self.lag is None
            else {"bytes": self.lag.bytes, "seconds": self.lag.seconds, "active": self.lag.active},
            "errors": self.errors,
            "problem": self.problem,
            "next": self.next,
            "back": self.back,
        }


def read_progress(sides: Sides, state: Extraction) -> Progress:
    """Return the progress, read in both databases."""
    tables: tuple[TableProgress, ...] = ()
    lag, errors = None, 0
    if state.phase == "copying":
        tables = _tables(sides, state.name)
        lag = read_lag(sides.from_connection, state.name)
        errors = error_count(sides.to_connection, state.name)
    elif state.phase == "switched":
        lag = read_lag(sides.to_connection, back_name(state.name))
        errors = error_count(sides.from_connection, back_name(state.name))
    following, back = next_steps(sides, state, all(table.state == "ready" for table in tables))
    return Progress(
        sides.domain.name,
        sides.source,
        sides.target,
        state.phase,
        tables,
        lag,
        errors,
        describe_problem(state, lag, errors),
        following,
        back,
    )


def back_name(name: str) -> str:
    """Return the name of the publication, subscription and slot of the way back."""
    return f"{name}_back"


def next_steps(sides: Sides, state: Extraction, is_copied: bool = True) -> tuple[str, str]:
    """Return the command that comes next, and the one that leads back."""
    command = f"manage.py extract_domain {sides.domain.name}"
    to = f"--to {sides.target}"
    back = f"{command} abort {to}"
    following = {
        "preparing": f"{command} start {to}",
        "copying": f"{command} {'cut-over' if is_copied else 'status'} {to}",
        "switching": f"{command} cut-over {to}",
        "switched": f"{command} finish {to}",
        "aborting": back,
    }
    return following.get(state.phase, ""), "" if state.is_over else back


def _tables(sides: Sides, name: str) -> tuple[TableProgress, ...]:
    source = {
        table.name.name: table for table in stored(read_tables(sides.from_connection, sides.schema))
    }
    found = []
    for each in table_states(sides.to_connection, name):
        table = source.get(each.table)
        if table is None:
            continue
        state = STATE_WORDS.get(each.state, each.state)
        # Statistics come late: a table that is ready has the source's rows.
        rows = each.rows or (table.rows if each.state == READY else 0)
        found.append(
            TableProgress(
                str(table.name), state, rows, max(table.rows, rows), each.size, table.size
            )
        )
    return tuple(found)


def describe_problem(state: Extraction, lag: Lag | None, errors: int) -> str:
    """Return what of a copy needs attention, as a sentence; empty if nothing.

    Arguments:
        lag: of the side that receives.
        errors: how often it has failed.
    """
    if state.phase not in ("copying", "switched"):
        return ""
    receiver = state.target if state.phase == "copying" else state.source
    if lag is None:
        return "The replication slot is gone. Give the move up with abort, and start again."
    if errors:
        return (
            f'The copy has failed {errors} times: the log of the server of "{receiver}" says why.'
            " A table that fails stops the others, while the lag may look like none."
        )
    if not lag.active:
        return (
            f'Nobody receives: is the server of "{receiver}" running, and can it reach the other?'
        )
    return ""
