"""What to do about each kind of crossing."""

from __future__ import annotations

from ...domains import Domain
from ..refusals import CORE_USES, USES

STATEMENTS = {
    "foreign key": "ALTER TABLE {place} DROP CONSTRAINT {name};",
    "constraint": "ALTER TABLE {place} DROP CONSTRAINT {name};",
    "view": "DROP VIEW {place};",
    "materialized view": "DROP MATERIALIZED VIEW {place};",
    "trigger": "DROP TRIGGER {name} ON {place};",
    "default of": "ALTER TABLE {place} ALTER COLUMN {name} DROP DEFAULT;",
    "generated column": "ALTER TABLE {place} DROP COLUMN {name};",
    "rule": "DROP RULE {name} ON {place};",
    "policy": "DROP POLICY {name} ON {place};",
    "index": "DROP INDEX {place};",
    "function": "DROP FUNCTION {place};",
    "procedure": "DROP PROCEDURE {place};",
    "aggregate": "DROP AGGREGATE {place};",
    "sequence": "ALTER SEQUENCE {place} OWNED BY NONE;",
    "operator": "DROP OPERATOR {place};",
    "statistics object": "DROP STATISTICS {place};",
}
"""What takes the crossing away, by the kind of object."""

BY_ID = {
    "B008": "ALTER TABLE {place} NO INHERIT {used};",
    "B009": "ALTER TABLE {used} DETACH PARTITION {place};",
}

OF_TYPES = "Give it a type of its own, or one of core."
OTHER = "Drop it, or make it of what is its own or of core."


def drop_hint(number: str, kind: str, place: str, name: str, user: Domain, used: str) -> str:
    """Return what the rule leaves instead of a crossing, and what takes it away."""
    statement = BY_ID.get(number) or STATEMENTS.get(kind)
    if number == "B007":
        end = OF_TYPES
    elif statement:
        end = f"Take it away with: {statement.format(place=place, name=name, used=used)}"
    else:
        end = OTHER
    return f"{CORE_USES if user.is_core else USES} {end}"
