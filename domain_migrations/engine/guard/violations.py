"""What the footprint guard says when it refuses."""

from __future__ import annotations

from typing import NamedTuple

from ...domains import Domain
from ..boundary.rule import CORE_DEPENDS, DOMAIN_DEPENDS
from .transaction import LockKey

CORE_KEY = (
    "Change the key with domain_migrations.operations.AlterReferencedKey, alone in its migration:"
    " it changes the domains' columns too."
)
CORE_ROWS = (
    "Set writes_core = True on the migration if it has to write rows of core, or write them in"
    " a migration of core."
)
CORE_SHAPE = (
    "Change core's objects in a migration of core. All that a domain may add to core's tables"
    " is a foreign key of its own."
)
NOT_IN_PUBLIC = (
    'Make it in the schema "{schema}", qualified; what every domain needs is made in a'
    " migration of core."
)
UNOWNED_SCHEMA = 'Make and change objects in the schema "{schema}" only, qualified.'
SCHEMA_NAME = 'Leave the schema its name: everything finds the domain under "{schema}".'

(
    EXTENSION,
    NEW_IN_PUBLIC,
    MOVED,
    CHANGE_LOCK,
    WRITTEN,
    CROSSING,
    READ_LOCK,
    OBJECT_LOCK,
    INDEX_LOCK,
) = range(0, 180, 20)
"""Ranks: which of several traces of the same deed says most."""


class Violation(NamedTuple):
    """One thing that a migration did and may not.

    Attributes:
        rank: the lower, the more it says; the lowest is reported.
        did: what was done to what, as the rest of a sentence that begins with an operation.
        key: of the lock that tells it, which tells the operation as well.
    """

    priority: int
    action: str
    hint: str
    key: LockKey | None = None


def hint_for(domain: Domain, owner: Domain | None, *, shape: bool) -> str:
    """Return what to do instead of touching something of the owner's."""
    if owner is None:
        return UNOWNED_SCHEMA.format(schema=domain.schema)
    if domain.is_core:
        return CORE_DEPENDS
    if owner.is_core:
        return CORE_SHAPE if shape else CORE_ROWS
    return DOMAIN_DEPENDS
