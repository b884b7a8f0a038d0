"""The cut-over: the domain is closed in the source and opened in the target."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from ...domains import Domain
from ...engine.history.extractions import Extraction
from ...engine.runner.results import Reporter
from ...engine.sessions.connection import execute, fetch_all
from ...exceptions import ExtractionRefused
from .catalog_mark import catalog_mark
from .copied_schema import check_equal
from .deferred_indexes import build_indexes
from .extraction_progress import Progress, back_name, read_progress
from .publications import create_slot, drop_publication, drop_slot, drop_sync_slots, publish
from .settings_diff import settings_diff
from .sides import Sides, conninfo, read_tables
from .step import ExtractOptions, Step, sides_of
from .subscriptions import (
    await_receiver,
    drop_subscription,
    enable,
    subscribe,
    subscription_oid,
    table_states,
)
from .switch import Switch, Switched

MATERIALIZED = """
SELECT c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'm' ORDER BY c.oid
"""


@dataclass(frozen=True)
class CutOver:
    """A cut-over.

    Attributes:
        switched: what was done in the pause; None if an earlier call had done it.
        diff: the change of the settings.
        indexes: how many were built before the pause, and in how many seconds.
    """

    progress: Progress
    switched: Switched | None
    diff: str
    indexes: tuple[int, float] = (0, 0.0)

    def as_json(self) -> dict[str, Any]:
        done = self.switched
        pause = (
            None
            if done is None
            else {
                "seconds": done.pause,
                "parts": done.parts,
                "rows": done.rows,
                "tables": done.tables,
                "sequences": done.sequences,
            }
        )
        number, seconds = self.indexes
        return {
            **self.progress.as_json(),
            "pause": pause,
            "indexes": {"number": number, "seconds": seconds},
            "settings": self.diff,
        }


def cut_over(name: str, options: ExtractOptions, reporter: Reporter | None = None) -> CutOver:
    """Close the domain in the source, and open it in the target.

    Raises:
        ExtractionRefused: the copy is not ready, or a step outlasted the pause: everything was
            put back.
    """
    sides = sides_of(name, options)
    with Step.begin(sides, options, reporter or Reporter()) as step:
        state = step.require("copying", "switching", "switched")
        switched, indexes = None, (0, 0.0)
        if state.phase == "copying":
            mark = catalog_mark(sides.from_connection, sides.schema)
            indexes = _complete_copy(step, state)
            _prepare_way_back(sides, state, options.patience)
            switched = forward_switch(step, state).run(
                mark=mark, max_pause=options.max_pause, patience=options.patience
            )
            state = step.require("switching")
        if state.phase == "switching":
            switch = forward_switch(step, state)
            if not switch.is_open():
                switch.open()
            pause = switched.pause if switched else None
            state = state.at("switched", **{**state.details, "pause": pause, "switched": True})
            step.record_alone(state)
        open_way_back(sides, state, options)
        _refresh_views(sides)
        return CutOver(
            read_progress(sides, state),
            switched,
            settings_diff(sides.domain, sides.target),
            indexes,
        )


def _complete_copy(step: Step, state: Extraction) -> tuple[int, float]:
    """Build the indexes that are left, and compare the schemas again.

    Returns:
        How many indexes were built, and in how many seconds.

    Raises:
        ExtractionRefused: rows are still being copied, or the schemas differ.
    """
    sides = step.sides
    enable(sides.to_connection, state.name, on=True)
    states = table_states(sides.to_connection, state.name)
    waiting = [each.table for each in states if each.state != "r"]
    if waiting or not states:
        raise ExtractionRefused(
            f"{len(waiting)} of {len(states)} tables are still being copied.",
            hint=f"manage.py extract_domain {sides.domain.name} status --to {sides.target}",
        )
    began = time.monotonic()
    number = build_indexes(sides.from_connection, sides.to_connection, sides.schema)
    seconds = time.monotonic() - began
    if number:
        step.reporter.on_note(f"Building {number} indexes took {seconds:.1f} s.")
    check_equal(sides, state.triggers)
    return number, seconds


def _prepare_way_back(sides: Sides, state: Extraction, patience: float) -> None:
    """Make what the way back needs before the pause: a new slot waits for open transactions."""
    target, name = sides.to_connection, back_name(state.name)
    publish(target, name, read_tables(target, sides.schema))
    create_slot(target, name, patience=patience)


def forward_switch(step: Step, state: Extraction) -> Switch:
    """Return the switch from the source to the target."""
    sides = step.sides
    return Switch(
        schema=sides.schema,
        old=sides.from_connection,
        new=sides.to_connection,
        feed=state.name,
        back=back_name(state.name),
        triggers=state.triggers,
        writable=sides.domain.journal_table.name,
        message=left_message(sides.domain, sides.target),
        record=lambda: step.record(state.at("switching", **state.details)),
        record_back=lambda: step.record(state.at("copying", **state.details)),
        report=step.reporter.on_note,
    )


def left_message(domain: Domain, target: str) -> str:
    return f'The domain "{domain.name}" has moved to the database "{target}": write there.'


def open_way_back(sides: Sides, state: Extraction, options: ExtractOptions) -> None:
    """Replace the copy by one in the other direction; safe to repeat."""
    source, target, back = sides.from_connection, sides.to_connection, back_name(state.name)
    subscription = subscription_oid(target, state.name) or str(
        state.details.get("subscription") or ""
    )
    drop_subscription(target, state.name)
    drop_slot(source, state.name)
    if subscription:
        drop_sync_slots(source, subscription)
    drop_publication(source, state.name)
    subscribe(source, back, options.subscriber or conninfo(target), copy_data=False)
    await_receiver(target, back)


def _refresh_views(sides: Sides) -> None:
    for (name,) in fetch_all(sides.to_connection, MATERIALIZED, [sides.schema]):
        view = sql.Identifier(sides.schema, name)
        execute(sides.to_connection, sql.SQL("REFRESH MATERIALIZED VIEW {}").format(view))
