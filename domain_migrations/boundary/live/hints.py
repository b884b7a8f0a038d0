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
}
"""What takes the crossing away, by the kind of object."""

BY_ID = {
    "B008": "ALTER TABLE {place} NO INHERIT {used};",
    "B009": "ALTER TABLE {used} DETACH PARTITION {place};",
}

TYPE = "Give it a type of {where}."
OTHER = "Drop it."


def drop_hint(number: str, kind: str, place: str, name: str, user: Domain, used: str) -> str:
    """Return the statement that takes a crossing away, and what the rule leaves instead."""
    statement = BY_ID.get(number) or STATEMENTS.get(kind)
    if number == "B007":
        where = "its own or of core" if not user.is_core else "core"
        begin = TYPE.format(where=where)
    elif statement:
        begin = f"Take it away: {statement.format(place=place, name=name, used=used)}"
    else:
        begin = OTHER
    return f"{begin} {CORE_USES if user.is_core else USES}"
