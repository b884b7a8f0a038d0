"""The way back: an extraction is given up, before the cut-over or after it."""

from __future__ import annotations

from django.db import transaction

from ...engine.history.existing_tables import existing_tables
from ...engine.history.extractions import Extraction, record_extraction
from ...engine.history.journal import Journal
from ...engine.history.run_context import RunContext
from ...engine.messages import shortened
from ...engine.runner.results import Reporter
from ...exceptions import ExtractionRefused
from .catalog_mark import catalog_mark, columns_without_counterpart
from .copied_schema import drop_copy
from .core_copies import drop_core_copies
from .cut_over import open_way_back
from .database_origins import translated_errors
from .extract import remove_replication
from .extraction_progress import Progress, back_name, read_progress
from .fence import fenced_tables, remove_fence, set_triggers
from .sequence_values import copy_sequences
from .sides import Sides, read_tables
from .step import ExtractOptions, Step, current_state, sides_of
from .subscriptions import enable
from .switch import Switch


def abort_extraction(
    name: str,
    options: ExtractOptions,
    reporter: Reporter | None = None,
    *,
    without_target: bool = False,
) -> Progress:
    """Give the move up: the source is open, and nothing of the move is left on either side.

    After the cut-over, the domain is switched back in a pause like that of the cut-over.

    Arguments:
        without_target: the target's server does not answer any more; only the source is cleared.
            What was written in the target and has not arrived in the source is lost.

    Raises:
        ExtractionRefused: there is nothing to give up, or the pause was too short.
    """
    sides = sides_of(name, options)
    with Step.begin(sides, options, reporter or Reporter()) as step:
        state = step.require("preparing", "copying", "switching", "switched", "aborting", "aborted")
        was_aborted = state.phase == "aborted"
        if not was_aborted:
            _return_to_source(step, state, without_target)
        state = step.state or state
        remove_replication(sides, state, reach_target=not without_target)
        drop_core_copies(sides, state, reach_target=not without_target)
        if not without_target and (not was_aborted or is_copy_left(sides)):
            _clear_target(sides, state)
        if not was_aborted:
            state = state.at("aborted", **state.details)
            step.record_alone(state)
        return read_progress(sides, state)


def what_is_dropped(name: str, options: ExtractOptions) -> str:
    """Return what giving up drops in the target, as a sentence; empty if nothing."""
    sides = sides_of(name, options)
    with translated_errors(sides):
        state = current_state(sides)
    if state is None or state.phase == "finished" or not state.made_tables:
        return ""
    with translated_errors(sides):
        number = len(read_tables(sides.to_connection, sides.schema))
        is_ours = state.phase != "aborted" or is_copy_left(sides)
    if not number or not is_ours:
        return ""
    what = f'the schema "{sides.schema}" with {number} tables'
    if state.objects_before is not None:
        what = f'{number} tables, and the rest of what was made in the schema "{sides.schema}"'
    return f'This drops the copy of the domain in "{sides.target}": {what}.'


def is_copy_left(sides: Sides) -> bool:
    """Return whether the target still has the copy of a move that was given up without it.

    Whatever else has that schema by now is not the move's.
    """
    return bool(fenced_tables(sides.to_connection, sides.schema))


def _return_to_source(step: Step, state: Extraction, without_target: bool) -> None:
    """Open the source, after it has got what was written in the target."""
    sides = step.sides
    was_switched = state.phase == "switched" or bool(state.details.get("switched"))
    if state.phase == "switching" and not without_target:
        was_switched = not fenced_tables(sides.to_connection, sides.schema)
    if was_switched and not without_target:
        if state.phase == "aborting" and not fenced_tables(sides.from_connection, sides.schema):
            return  # An earlier call has opened the source.
        if fenced_tables(sides.to_connection, sides.schema):
            back_switch(step, state).open()  # An earlier call has compared the rows and closed it.
            return
        mark = catalog_mark(sides.to_connection, sides.schema)
        _refuse_new_columns(sides)
        _ensure_way_back(step, state)
        if state.phase != "aborting":
            state = state.at("aborting", **{**state.details, "switched": True})
            step.record_alone(state)
        back_switch(step, state).run(
            mark=mark, max_pause=step.options.max_pause, patience=step.options.patience
        )
        return
    with transaction.atomic(using=sides.source):
        remove_fence(sides.from_connection, sides.schema)
        if state.phase in ("switching", "switched", "aborting"):
            set_triggers(sides.from_connection, sides.schema, state.triggers)
        step.record(state.at("aborting", **state.details))


def _refuse_new_columns(sides: Sides) -> None:
    """Refuse to drop what was made by hand in the target after the cut-over."""
    both = sides.to_connection, sides.from_connection
    if new := columns_without_counterpart(*both, sides.schema):
        raise ExtractionRefused(
            f'"{sides.target}" has what "{sides.source}" has no place for: {shortened(new)}.',
            hint="Make it there, too, or drop it, and run abort again.",
        )


def _ensure_way_back(step: Step, state: Extraction) -> None:
    """Let the source receive what was written in the target, if a killed cut-over did not."""
    open_way_back(step.sides, state, step.options)
    enable(step.sides.from_connection, back_name(state.name), on=True)


def back_switch(step: Step, state: Extraction) -> Switch:
    """Return the switch from the target back to the source."""
    sides = step.sides
    return Switch(
        schema=sides.schema,
        old=sides.to_connection,
        new=sides.from_connection,
        feed=back_name(state.name),
        back="",
        triggers=state.triggers,
        writable="",
        message=f'The domain "{sides.domain.name}" has moved back to "{sides.source}".',
        record=lambda: None,
        record_back=lambda: None,
        report=step.reporter.on_note,
        # The source's journal also has the rows of the move itself.
        uncompared=frozenset({sides.domain.journal_table}),
    )


def _clear_target(sides: Sides, state: Extraction) -> None:
    """Drop the copy that the move has made; tables that were there before are opened again."""
    target = sides.to_connection
    if state.made_tables:
        drop_copy(target, sides.schema, state.objects_before)
        return
    if not existing_tables(target, [sides.domain.journal_table]):
        return
    # Rows were copied into tables that stay, without their sequences.
    copy_sequences(sides.from_connection, target, sides.schema)
    with transaction.atomic(using=sides.target):
        remove_fence(target, sides.schema)
        set_triggers(target, sides.schema, state.triggers)
        # Its journal says that the domain is being copied.
        journal = Journal(target, sides.domain, RunContext())
        record_extraction(journal, state.at("aborted", **state.details))
