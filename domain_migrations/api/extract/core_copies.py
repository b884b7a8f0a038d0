"""Core's tables that a domain needs on its own server: read-only copies, which stay up to date.

They have a publication, a slot and a subscription of their own, which stay when the move is
finished.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import CORE_SCHEMA
from ...engine.history.extractions import Extraction
from ...engine.messages import shortened
from ...exceptions import ExtractionRefused, InvalidConfiguration
from .copied_schema import tables_with_rows
from .fence import always_triggers, raise_fence, remove_fence, set_triggers
from .publications import create_slot, drop_publication, drop_slot, drop_sync_slots, publish
from .sides import Sides, Table, conninfo, read_tables
from .step import ExtractOptions
from .subscriptions import drop_subscription, subscribe, subscription_oid


def core_name(name: str) -> str:
    """Return the name of the publication, subscription and slot of core's tables."""
    return f"{name}_core"


def chosen_tables(connection: BaseDatabaseWrapper, names: Sequence[str]) -> list[Table]:
    """Return core's tables of these names.

    Raises:
        InvalidConfiguration: one does not exist.
    """
    there = {table.name.name: table for table in read_tables(connection, CORE_SCHEMA)}
    if missing := [name for name in names if name not in there]:
        raise InvalidConfiguration(
            f"Core has no table {shortened(missing)}.",
            hint="--with-core takes names of tables in public, with commas.",
        )
    return [there[name] for name in names]


def copy_core_tables(sides: Sides, state: Extraction, options: ExtractOptions) -> None:
    """Begin to copy core's tables; safe to repeat.

    Raises:
        ExtractionRefused: one of them has rows in the target.
    """
    if not state.core_tables:
        return
    source, target, name = sides.from_connection, sides.to_connection, core_name(state.name)
    if subscription_oid(target, name) is None:
        tables = chosen_tables(target, state.core_tables)
        if filled := tables_with_rows(target, tables):
            raise ExtractionRefused(
                f'Core\'s table {filled[0].name} has rows in "{sides.target}" already.',
                hint="Empty it, or leave it out of --with-core.",
            )
        message = f'This is a copy of core in "{sides.source}": write there.'
        chosen = {table.name.name for table in tables}
        triggers = [row for row in always_triggers(target, CORE_SCHEMA) if row[0] in chosen]
        with transaction.atomic(using=sides.target):
            raise_fence(target, CORE_SCHEMA, tables, message)
            set_triggers(target, CORE_SCHEMA, triggers, "D")
    publish(source, name, chosen_tables(source, state.core_tables))
    create_slot(source, name, patience=options.patience)
    subscribe(target, name, options.publisher or conninfo(source), copy_data=True)


def drop_core_copies(sides: Sides, state: Extraction, *, reach_target: bool) -> None:
    """Stop copying core's tables; their rows in the target stay."""
    if not state.core_tables:
        return
    source, name = sides.from_connection, core_name(state.name)
    oid = str(state.details.get("core_subscription") or "")
    if reach_target:
        oid = subscription_oid(sides.to_connection, name) or oid
        drop_subscription(sides.to_connection, name)
        with transaction.atomic(using=sides.target):
            # Copies of core for other domains may be fenced beside them.
            remove_fence(sides.to_connection, CORE_SCHEMA, state.core_tables)
    drop_slot(source, name)
    if oid:
        drop_sync_slots(source, oid)
    drop_publication(source, name)
