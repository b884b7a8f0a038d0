"""Obstacles in constraints whose rows violate them: the copies of the rows are checked."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from ...engine.sessions.connection import fetch_one
from ..obstacle import Obstacle
from .facts import PLACED, Facts

# A constraint that is not enforced is not valid either, and no row is checked. In a domain, foreign
# keys are made NOT VALID again on the shards.
NOT_VALID = f"""
SELECT n.nspname, c.relname, format('%%I.%%I', n.nspname, c.relname), k.conname,
    quote_ident(k.conname), CASE k.contype
    WHEN 'c' THEN format('NOT (%%s)', pg_get_expr(k.conbin, k.conrelid))
    WHEN 'n' THEN format('%%I IS NULL', a.attname)
    ELSE format('NOT EXISTS (SELECT FROM %%s AS target WHERE %%s) AND %%s', k.confrelid::regclass,
        e.equal, e.filled) END
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
CROSS JOIN LATERAL (
    SELECT string_agg(format('target.%%I = %%s.%%I', f.attname, c.oid::regclass, o.attname),
            ' AND '),
        string_agg(format('%%I IS NOT NULL', o.attname), ' AND ')
    FROM unnest(k.conkey, k.confkey) AS u (own, target)
    JOIN pg_catalog.pg_attribute o ON o.attrelid = k.conrelid AND o.attnum = u.own
    JOIN pg_catalog.pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = u.target
) AS e (equal, filled)
WHERE {PLACED} AND NOT k.convalidated
    AND (k.contype IN ('c', 'n') OR k.contype = 'f' AND n.nspname <> ALL(%(schemas)s))
    AND pg_get_constraintdef(k.oid) !~ 'NOT ENFORCED$'
ORDER BY 1, 3, 4
"""  # noqa: S608 (made of constants only)
VIOLATION = sql.SQL("SELECT EXISTS (SELECT FROM {table} WHERE {condition})")

# The catalog calls a key that was disabled valid.
DISABLED_KEYS = f"""
SELECT DISTINCT n.nspname, format('%%I.%%I', n.nspname, c.relname), k.conname
FROM pg_catalog.pg_trigger g
JOIN pg_catalog.pg_constraint k ON k.oid = g.tgconstraint AND k.contype = 'f'
JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE {PLACED} AND g.tgisinternal AND g.tgenabled <> 'O'
ORDER BY 1, 2, 3
"""  # noqa: S608 (made of constants only)


def constraint_obstacles(facts: Facts) -> Iterator[Obstacle]:
    """Yield constraints that rows violate, and foreign keys that are not enforced now."""
    for schema, name, label, constraint, quoted, condition in facts.rows(NOT_VALID):
        query = VIOLATION.format(table=sql.Identifier(schema, name), condition=sql.SQL(condition))
        [is_violated] = fetch_one(facts.connection, query)
        if is_violated:
            yield facts.obstacle(
                "check_violated",
                schema,
                label,
                f"Rows of {label} violate its constraint {constraint}, which is NOT VALID: Citus"
                " checks every row that it copies.",
                f"Repair the rows for which {condition}, or:"
                f" ALTER TABLE {label} DROP CONSTRAINT {quoted};",
            )
    for schema, label, constraint in facts.rows(DISABLED_KEYS):
        yield facts.obstacle(
            "key_disabled",
            schema,
            label,
            f"The triggers of the foreign key {constraint} are not enabled on {label}, as"
            " after ALTER TABLE … DISABLE TRIGGER ALL: the shards would enforce it.",
            f"ALTER TABLE {label} ENABLE TRIGGER ALL; which enables its other triggers, too. Repair"
            " rows that violate the key.",
        )
