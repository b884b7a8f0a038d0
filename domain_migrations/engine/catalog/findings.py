"""What a comparison of models and database has to say."""

from __future__ import annotations

from dataclasses import dataclass

MISSING_TABLE = "D001"
NOT_A_TABLE = "D002"
PERSISTENCE = "D003"
MISSING_COLUMN = "D011"
TYPE = "D012"
NULLABILITY = "D013"
DEFAULT = "D014"
GENERATED = "D015"
IDENTITY = "D016"
COLLATION = "D017"
COMMENT = "D018"
MISSING_CONSTRAINT = "D021"
CONSTRAINT = "D022"
NOT_ENFORCED = "D023"
MISSING_INDEX = "D031"
INDEX = "D032"
RENAMED = "D041"
MISSING_OBJECT = "D051"
ALTERED_OBJECT = "D052"
EXTRA_TABLE = "101"
EXTRA_COLUMN = "102"
EXTRA_DEFAULT = "103"
EXTRA_CONSTRAINT = "104"
EXTRA_INDEX = "105"
EXTRA_COMMENT = "106"
EXTRA_SETTING = "107"
EXTRA_OBJECT = "108"
"""Numbers of what is in the database only: ``D101`` as drift, ``U101`` as unmanaged."""

HINT_REPAIR = "Put it right by hand, or write and apply a migration that makes the change."
HINT_REMOVE = "Drop it, or write and apply a migration that makes it."
UNMANAGED = "No model manages it: if no migration makes it with SQL either, drop it."
DECLARED = "A migration makes it with SQL, so no model can tell whether it is as it should be."

SNAPSHOT = "Put it right by hand; the domain's snapshot.sql has the statement that makes it."


@dataclass(frozen=True, slots=True)
class DriftFinding:
    """One difference between the live schema and the state of the migrations.

    Attributes:
        id: stable; ``D…`` is drift, ``U…`` something that models do not manage.
        object: what it is about, qualified: ``inventory.drugs.note``.
    """

    id: str
    domain: str
    object: str
    message: str
    hint: str = HINT_REPAIR
    kind: str = "drift"

    @property
    def unmanaged(self) -> bool:
        return self.id.startswith("U")
