"""The function of each step of ``extract_domain``. Steps are safe to repeat."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from ...engine.history.extractions import (
    Extraction,
    database_id,
    read_extraction,
    record_extraction,
)
from ...engine.history.journal import Journal
from ...engine.history.run_context import RunContext
from ...engine.messages import shortened
from ...engine.runner.results import Reporter
from ...engine.sessions.connection import schema_exists
from ...exceptions import ExtractionRefused
from .copied_schema import (
    check_equal,
    empty_tables,
    is_made,
    make_schema,
    schema_objects,
    tables_with_rows,
)
from .core_copies import copy_core_tables, core_name
from .database_origins import translated_errors
from .deferred_indexes import drop_indexes
from .extraction_progress import Progress, back_name, read_progress
from .fence import always_triggers, fenced_tables, raise_fence, set_triggers
from .obstacles import Preflight, preflight
from .publications import (
    create_slot,
    drop_publication,
    drop_slot,
    drop_sync_slots,
    publish,
    published_tables,
)
from .sides import (
    Sides,
    Table,
    conninfo,
    object_name,
    read_tables,
    stored,
)
from .step import ExtractOptions, Step, current_state, require_phase, sides_of
from .subscriptions import await_receiver, drop_subscription, enable, subscribe, subscription_oid


def plan_extraction(name: str, options: ExtractOptions) -> Preflight:
    """Return what keeps the domain from leaving; changes nothing.

    Raises:
        DomainMigrationsError: a database cannot be read.
    """
    sides = sides_of(name, options)
    with translated_errors(sides):
        state = current_state(sides)
        begun = state is not None and not state.is_over
        return preflight(sides, is_begun=begun, core_tables=options.core_tables)


def start_extraction(
    name: str, options: ExtractOptions, reporter: Reporter | None = None
) -> Progress:
    """Make the schema in the target, prove it equal, and begin to copy.

    Raises:
        ExtractionRefused: there are obstacles, or the schemas differ.
        DomainMigrationsError: a database or the run in the target failed.
    """
    sides = sides_of(name, options)
    with Step.begin(sides, options, reporter or Reporter()) as step:
        state = step.state
        if state is None or state.is_over:
            _refuse_left(sides, state)
            found = preflight(sides, core_tables=options.core_tables)
            _refuse_obstacles(found, sides)
            state = _first_state(sides, options)
            step.record_alone(state)
        state = step.require("preparing", "copying", "switching", "switched")
        if state.phase == "preparing":
            state = _prepare(step, state)
        if state.phase == "copying":
            enable(sides.to_connection, state.name, on=True)
            await_receiver(sides.from_connection, state.name)
        return read_progress(sides, state)


def _refuse_left(sides: Sides, state: Extraction | None) -> None:
    """Refuse to copy the old tables of a domain that has left this database."""
    finished = state is not None and state.phase == "finished"
    if state and finished and database_id(sides.from_connection) == state.source_id:
        raise ExtractionRefused(
            f'The domain "{sides.domain.name}" has left "{sides.source}" for "{state.target}".',
            hint=f"Move it from there: --from {state.target}.",
        )


def _refuse_obstacles(found: Preflight, sides: Sides) -> None:
    if found.obstacles:
        number = len(found.obstacles)
        raise ExtractionRefused(
            f"{number} {'obstacle keeps' if number == 1 else 'obstacles keep'} the domain"
            f' "{sides.domain.name}" from leaving: {found.obstacles[0].message}',
            hint=f"manage.py extract_domain {sides.domain.name} plan --to {sides.target} lists"
            " them, with the statement that removes each.",
        )


def _first_state(sides: Sides, options: ExtractOptions) -> Extraction:
    source, target = sides.from_connection, sides.to_connection
    before = schema_objects(target, sides.schema) if schema_exists(target, sides.schema) else None
    return Extraction(
        phase="preparing",
        source=sides.source,
        target=sides.target,
        name=object_name(sides),
        source_id=database_id(source),
        triggers=always_triggers(source, sides.schema),
        made_tables=not read_tables(target, sides.schema),
        objects_before=before,
        core_tables=options.core_tables,
    )


def _prepare(step: Step, state: Extraction) -> Extraction:
    """Do what is missing until the copy runs."""
    sides, target = step.sides, step.sides.to_connection
    source = sides.from_connection
    # The fence is raised together with the emptying: with it, the target is ready for the copy.
    if not fenced_tables(target, sides.schema):
        if not is_made(sides):
            step.reporter.on_note(f'Making the schema in "{sides.target}".')
            make_schema(sides, step.reporter)
        check_equal(sides, state.triggers)
        step.reporter.on_note("The schemas are equal.")
        tables = read_tables(target, sides.schema)
        if not state.made_tables:
            _refuse_rows(sides, tables)
        with transaction.atomic(using=sides.target):
            empty_tables(target, sides.schema)
            if state.made_tables:
                drop_indexes(target, sides.schema)
            message = f'The domain "{sides.domain.name}" is still being copied to this database.'
            raise_fence(target, sides.schema, tables, message)
            set_triggers(target, sides.schema, state.triggers, "D")
    copy_core_tables(sides, state, step.options)
    publish(source, state.name, read_tables(source, sides.schema))
    _check_published(sides, state)
    create_slot(source, state.name, patience=step.options.patience)
    publisher = step.options.publisher or conninfo(source)
    subscribe(target, state.name, publisher, copy_data=True)
    oid = subscription_oid(target, state.name)
    core = subscription_oid(target, core_name(state.name))
    state = state.at("copying", subscription=oid, core_subscription=core)
    step.record_alone(state)
    step.reporter.on_note("The copy has begun.")
    return state


def _refuse_rows(sides: Sides, tables: Sequence[Table]) -> None:
    """Refuse to empty tables that the extraction did not make."""
    own = sides.domain.engine_tables
    filled = tables_with_rows(
        sides.to_connection, [each for each in tables if each.name not in own]
    )
    if filled:
        raise ExtractionRefused(
            f"The target already has rows in {shortened([str(each.name) for each in filled])}.",
            hint="Find out whose they are, and empty the tables.",
        )


def _check_published(sides: Sides, state: Extraction) -> None:
    source = sides.from_connection
    wanted = {tuple(table.name) for table in stored(read_tables(source, sides.schema))}
    if missing := wanted - published_tables(source, state.name):
        names = shortened(sorted(".".join(table) for table in missing))
        raise ExtractionRefused(
            f"The publication {state.name} lacks {names}.",
            hint="Give the move up with abort, and start again.",
        )


def extraction_status(name: str, options: ExtractOptions) -> Progress:
    """Return how far the extraction is; changes nothing.

    Raises:
        ExtractionRefused: the domain does not move to the target.
    """
    sides = sides_of(name, options)
    with translated_errors(sides):
        state = current_state(sides)
        active = ("preparing", "copying", "switching", "switched", "aborting")
        return read_progress(sides, require_phase(sides, state, *active, "finished", "aborted"))


def finish_extraction(
    name: str, options: ExtractOptions, reporter: Reporter | None = None
) -> Progress:
    """End the way back. The source keeps the old tables, which refuse writes.

    Raises:
        ExtractionRefused: the cut-over has not been made.
    """
    sides = sides_of(name, options)
    with Step.begin(sides, options, reporter or Reporter()) as step:
        state = step.require("switched", "finished")
        remove_replication(sides, state)
        if state.phase == "switched":
            over = state.at("finished", **state.details)
            arrived = read_extraction(sides.to_connection, sides.domain)
            if arrived is None or arrived.phase != "finished":
                journal = Journal(sides.to_connection, sides.domain, RunContext())
                record_extraction(journal, over)
            step.record_alone(over)
            state = over
        return read_progress(sides, state)


def remove_replication(sides: Sides, state: Extraction, *, reach_target: bool = True) -> None:
    """Drop the publications, subscriptions, slots and origins of both directions.

    Arguments:
        reach_target: whether the target's server can be asked; else only the source is cleared.
    """
    source, back = sides.from_connection, back_name(state.name)
    subscription = str(state.details.get("subscription") or "")
    if reach_target:
        target = sides.to_connection
        subscription = subscription_oid(target, state.name) or subscription
        drop_subscription(target, state.name)
    drop_subscription(source, back)
    drop_slot(source, state.name)
    if subscription:
        drop_sync_slots(source, subscription)
    drop_publication(source, state.name)
    if reach_target:
        drop_slot(target, back)
        drop_publication(target, back)
