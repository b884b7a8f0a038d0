"""What a plan does to tables that are not its own: foreign keys reach over the boundary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from django.db.backends.base.base import BaseDatabaseWrapper

from ..boundary.held import STRENGTH
from ..catalog.core_keys import Reference, read_references
from ..domains import CORE_SCHEMA, Domain, QualifiedName
from .alterations import Alteration, alterations
from .results import Step

ADDED, DROPPED = "ShareRowExclusiveLock", "AccessExclusiveLock"
"""What PostgreSQL takes on the table that a foreign key points at."""


def announce(
    connection: BaseDatabaseWrapper, domain: Domain, steps: Iterable[Step]
) -> tuple[Step, ...]:
    """Add to each step what it locks beyond its domain, and to its notes why.

    For a domain those are the core tables that a foreign key to them locks; for core the tables
    of domains whose foreign keys point at a key that changes or goes.
    """
    references = read_references(connection)
    if domain.is_core:
        return tuple(_with(step, _into_domains(step, references)) for step in steps)
    keys = [
        Alteration("add key", found.table, found.constraint, (found.column,), found.key_table)
        for found in references
        if found.table.schema == domain.schema
    ]
    return tuple(_with(step, _into_core(step, keys)) for step in steps)


Announced = tuple[QualifiedName, str, str]
"""A table, the mode of the lock on it, and why."""


def _with(step: Step, announced: Iterable[Announced]) -> Step:
    locks, notes = dict(step.locks), list(step.notes)
    for table, mode, why in announced:
        if STRENGTH[mode] > STRENGTH.get(locks.get(str(table), ""), -1):
            locks[str(table)] = mode
        note = f"locks {table} ({mode}): {why}"
        if note not in notes:
            notes.append(note)
    return replace(step, locks=locks, notes=tuple(notes))


def _into_core(step: Step, keys: list[Alteration]) -> Iterator[Announced]:
    """Yield the locks on core; ``keys`` are those that there are, and is kept up to date."""
    for change in _changes(step):
        if change.kind == "add key":
            if change.target is not None and change.target.schema == CORE_SCHEMA:
                keys.append(change)
                yield change.target, ADDED, f"adds the foreign key {_named(change)} to it"
            continue
        if change.kind == "rename":
            keys[:] = [
                key._replace(table=key.table._replace(name=change.name))
                if key.table == change.table
                else key
                for key in keys
            ]
        gone = [key for key in keys if key.table == change.table and _goes(key, change)]
        for key in gone:
            keys.remove(key)
            what = f"the foreign key {_named(key)} to it"
            with_ = {
                "drop table": f"drops {key.table} with {what}",
                "drop column": f"drops {key.table}.{change.name} with {what}",
            }
            if key.target is not None:
                yield key.target, DROPPED, with_.get(change.kind, f"drops {what}")


def _goes(key: Alteration, change: Alteration) -> bool:
    if change.kind == "drop constraint":
        return key.name == change.name
    return change.kind == "drop table" or (
        change.kind == "drop column" and change.name in key.columns
    )


def _into_domains(step: Step, references: list[Reference]) -> Iterator[Announced]:
    for change in _changes(step):
        for found in references:
            if found.key_table != change.table:
                continue
            if change.kind in ("type", "drop column") and change.name == found.key_column:
                verb = "changes the type of" if change.kind == "type" else "drops"
                yield found.table, DROPPED, f"{verb} {found.key}, which {found.column} refers to"
            elif change.kind == "drop table":
                yield found.table, DROPPED, f"drops {change.table}, which {found.column} refers to"


def _changes(step: Step) -> Iterator[Alteration]:
    for statement in step.sql:
        yield from alterations(statement)


def _named(key: Alteration) -> str:
    return f"{key.table}.{key.name}" if key.name else f"of {key.table}.{', '.join(key.columns)}"
