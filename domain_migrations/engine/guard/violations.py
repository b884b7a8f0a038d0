"""Violations of the boundary: the error texts, their order, and the operation to name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from django.db.migrations.operations.base import Operation

from ...backends.postgresql.names import parse_table_name
from ...domains import Domain
from ..boundary.rule import depends_hint, owner_clause
from .operation_kinds import drops_dependents, indexes_and_constraints, runs_custom_sql

CORE_KEY = (
    "Change the key with domain_migrations.operations.AlterReferencedKey, alone in its migration:"
    " it changes the domains' columns too."
)
CORE_ROWS = (
    "Set writes_core = True on the migration if it has to write rows of core, or write them in"
    " a migration of core."
)
CORE_SHAPE = (
    "Change core's objects in a migration of core. A domain may add nothing to core's"
    " tables but its own foreign keys."
)
NOT_IN_PUBLIC = (
    'Create it in the schema "{schema}", qualified; what every domain needs is created in a'
    " migration of core."
)
UNOWNED_SCHEMA = 'Create and change objects in the schema "{schema}" only, qualified.'
SCHEMA_NAME = 'Do not rename the schema: everything finds the domain by the name "{schema}".'
WHOLE_DATABASE = (
    "Leave it to the database's administrator, or set alters_database = True on the migration."
)
IN_TRANSACTION = (
    "Use Django's cursor, or put the COPY or the psycopg cursor into a block of"
    " transaction.atomic(), which is checked before its commit."
)
JOURNAL = (
    "Leave the engine's tables alone: manage.py repair_domain corrects a history, and a journal"
    " keeps what happened."
)


class Priority(IntEnum):
    """The order of violations: a statement leaves several traces, and the first explains it best.

    The values leave room for the strength of a lock.
    """

    EXTENSION = 0
    NEW_IN_PUBLIC = 20
    MOVED = 40
    CHANGE_LOCK = 60
    WRITTEN = 80
    CROSSING = 100
    NEWER = 120  # Newer than the start of a non-atomic migration, whoever wrote it.
    READ_LOCK = 140
    OBJECT_LOCK = 160
    INDEX_LOCK = 180


class Description(NamedTuple):
    """An object, or a change of one, in words.

    Attributes:
        names: the names of the objects that the text is about: schema, relation, column, …
    """

    text: str
    names: frozenset[str] = frozenset()


class Violation(NamedTuple):
    """One thing that a migration did and may not do.

    Attributes:
        priority: the violation with the lowest is reported.
        action: what was done to what, as the rest of a sentence that begins with an operation.
        names: the objects' names; the operation is found by them, never by ``action``'s wording.
    """

    priority: int
    action: str
    hint: str
    names: frozenset[str]

    @classmethod
    def of(
        cls, priority: int, verb: str, what: Description, owner: Domain | None, hint: str
    ) -> Violation:
        """Return the violation of having done something to an object of the owner's."""
        return cls(priority, f"{verb} {what.text}, {owner_clause(owner)}", hint, what.names)


def hint_for(domain: Domain, owner: Domain | None) -> str:
    """Return what a domain can do instead of changing an object of the owner's."""
    if owner is None:
        return UNOWNED_SCHEMA.format(schema=domain.schema)
    return CORE_SHAPE if owner.is_core and not domain.is_core else depends_hint(domain)


def causing_operation(violation: Violation, operations: Sequence[Operation]) -> Operation:
    """Return the operation whose names fit the violation best; of several, the last one.

    Operations of Django are checked together, because they can do little harm; should one of
    them break the rule, their names show which. One with custom SQL is checked alone, as the
    last of those that ran.
    """
    names = {name.lower() for name in violation.names if name}
    return max(reversed(operations), key=lambda operation: _match_score(operation, names))


def _match_score(operation: Operation, names: set[str]) -> float:
    score = 2.0 * sum(name.lower() in names for name in _declared_names(operation))
    score += _table_name(operation).lower() in names
    if runs_custom_sql(operation):
        return score + 0.5
    return score + 0.25 * drops_dependents(operation)


def _declared_names(operation: Operation) -> Iterator[str]:
    """Yield the names of the model, field, index or constraint, and of a new model's fields."""
    declared = [getattr(part, "name", None) for part in indexes_and_constraints(operation)]
    created = getattr(operation, "fields", None) or ()
    declared += [field[0] for field in created if isinstance(field, tuple)]
    declared += [getattr(operation, attribute, None) for attribute in ("name", "old_name")]
    yield from (name for name in declared if isinstance(name, str))


def _table_name(operation: Operation) -> str:
    options = getattr(operation, "options", None) or {}
    try:
        return parse_table_name(options.get("db_table") or "").name
    except ValueError:
        return ""
