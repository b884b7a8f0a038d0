"""Ids and hints of drift findings."""

from __future__ import annotations

MISSING_TABLE = "D001"
NOT_A_TABLE = "D002"
PERSISTENCE = "D003"
REPLICA_IDENTITY = "D004"
MISSING_COLUMN = "D011"
TYPE = "D012"
AUTOMATIC_KEY = "U012"
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
NOT_DISTRIBUTED = "D071"
NOT_ON_EVERY_NODE = "D072"
MISSING_SHARD = "D081"
SHARD_COLUMN = "D082"
SHARD_CONSTRAINT = "D083"
SHARD_INDEX = "D084"
SHARD_TRIGGER = "D085"
SHARD_POLICY = "D086"
COPIED_ROWS = "D087"
EXTRA_TABLE = "101"
EXTRA_COLUMN = "102"
EXTRA_DEFAULT = "103"
EXTRA_CONSTRAINT = "104"
EXTRA_INDEX = "105"
EXTRA_COMMENT = "106"
EXTRA_SETTING = "107"
EXTRA_OBJECT = "108"
"""Numbers of what exists only in the database: ``D101`` as drift, ``U101`` as unmanaged."""

HINT_REPAIR = "Repair it by hand, or write and apply a migration that makes the change."
HINT_EXTRA = (
    "If the domain needs it, write and apply a migration that creates it. A package or another"
    " tool may use it: find out before you remove it."
)
HINT_UNMANAGED = (
    "No model manages it. A migration may create it with SQL, and a package or another tool may use"
    " it: find out before you remove it."
)
HINT_DECLARED = "A migration creates it with SQL, so there is no model to compare it with."
HINT_RECORDED = (
    "According to the journal, a migration created it with SQL, so there is no model to compare it"
    " with."
)
HINT_AUTOMATIC_KEY = (
    "Nothing has to be done: both types work. Django gives the key of an automatic table the type"
    " of DEFAULT_AUTO_FIELD, and has no migration that changes it."
)
HINT_SNAPSHOT = "Repair it by hand; the domain's snapshot.sql has the statement that creates it."
