"""Foreign keys between what is adopted and the other tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ....exceptions import InvalidConfiguration
from ...messages import shortened
from ...sessions.connection import fetch_all
from .moves import Move
from .objects import MovedObject

# The constraints of partitions are their table's.
SELECT_KEYS = """
SELECT quote_ident(k.conname), k.conrelid::regclass::text, k.confrelid::regclass::text,
    k.confrelid = ANY(%(oids)s), n.nspname
FROM pg_constraint k
JOIN pg_class c ON c.oid = CASE WHEN k.confrelid = ANY(%(oids)s)
    THEN k.conrelid ELSE k.confrelid END
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0
    AND (k.conrelid = ANY(%(oids)s)) <> (k.confrelid = ANY(%(oids)s))
ORDER BY 2, 1
"""


KEY_HINT = (
    "Convert it with ConvertToReference in a migration, which keeps the column and its data, and"
    " apply that first: manage.py migrate_domain core; see docs/how-to/cross-a-boundary.md."
)


class CrossingKey(NamedTuple):
    """A foreign key of which one table moves and the other one does not.

    Attributes:
        name: quoted where it has to be.
        table, references: the two tables, as the session writes them.
        points_in: whether it references what moves.
        schema: the schema of the other table.
    """

    name: str
    table: str
    references: str
    points_in: bool
    schema: str

    def __str__(self) -> str:
        return f"{self.name} of {self.table} to {self.references}"


def crossing_keys(
    connection: BaseDatabaseWrapper, objects: Sequence[MovedObject]
) -> list[CrossingKey]:
    """Return the foreign keys between what moves and everything else."""
    oids = [item.oid for item in objects if item.kind == "TABLE"]
    return [CrossingKey(*row) for row in fetch_all(connection, SELECT_KEYS, {"oids": oids})]


def forbidden_keys(move: Move, keys: Sequence[CrossingKey]) -> list[CrossingKey]:
    """Return those that a domain may not have: to other domains, and any that point into it."""
    if move.backwards:
        return []
    allowed = {move.source.schema, move.target.schema}
    return [
        key
        for key in keys
        if (key.schema != move.target.schema if key.points_in else key.schema not in allowed)
    ]


def check_keys(move: Move, keys: Sequence[CrossingKey]) -> None:
    """Refuse a move after which a foreign key would cross the domain's boundary.

    Raises:
        InvalidConfiguration: with the foreign keys.
    """
    if found := forbidden_keys(move, keys):
        raise InvalidConfiguration(
            f"{move} cannot begin: the foreign key {shortened(found)} would cross the boundary of"
            f' the domain "{move.domain.name}".',
            hint=KEY_HINT,
        )
