"""Dependencies from one domain's objects on another's, as PostgreSQL records them."""

# ruff: noqa: S608  -- the parts of the statements are constants of this package
from __future__ import annotations

from typing import LiteralString, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from .asking import ask
from .mark import NEW_OIDS, Condition, Mark, ours

DEPENDING: LiteralString = (
    "2607, 2617, 2620, 1247, 1255, 1259, 2604, 2605, 2606, 2616, 2618, 2753, 3256, 3381, 3466,"
    " 3600, 3602"
)
"""The catalogs whose new objects may depend on another domain's: all but what cannot."""


# The depending ends are found by index: new objects, the domain's locked relations, the rules
# of its locked views, its changed functions. The other ends are looked up one by one.
# The relations are given, because another look at ``pg_locks`` would cost as much as the rest.
def crossings(condition: Condition) -> LiteralString:
    """Return a query for the dependencies that match and that cross to other schemas."""
    return (
        """
WITH changed AS MATERIALIZED (
    SELECT unnest(%(relations)s::oid[]) AS oid
), x AS MATERIALIZED (
    SELECT x.* FROM """ + NEW_OIDS + """, LATERAL (
        SELECT *, xmin FROM pg_depend
        WHERE objid > new.low AND objid < new.high
          AND classid = ANY('{""" + DEPENDING + """}'::oid[]) OFFSET 0
    ) x WHERE NOT (x.refobjid > new.low AND x.refobjid < new.high)
  UNION ALL
    SELECT x.* FROM changed, LATERAL (
        SELECT *, xmin FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND objid = changed.oid OFFSET 0
    ) x
  UNION ALL
    SELECT x.* FROM changed, LATERAL (
        SELECT oid FROM pg_rewrite WHERE ev_class = changed.oid OFFSET 0
    ) w, LATERAL (
        SELECT *, xmin FROM pg_depend
        WHERE classid = 'pg_rewrite'::regclass AND objid = w.oid OFFSET 0
    ) x
  UNION ALL
    SELECT x.* FROM unnest(%(functions)s::oid[]) AS f (oid), LATERAL (
        SELECT *, xmin FROM pg_depend
        WHERE classid = 'pg_proc'::regclass AND objid = f.oid OFFSET 0
    ) x
), d AS MATERIALIZED (
    SELECT * FROM x WHERE """ + condition("x") + """
), ends AS MATERIALIZED (
    SELECT refclassid, refobjid, CASE refclassid
        WHEN 'pg_class'::regclass THEN (SELECT relnamespace FROM pg_class WHERE oid = refobjid)
        WHEN 'pg_proc'::regclass THEN (SELECT pronamespace FROM pg_proc WHERE oid = refobjid)
        WHEN 'pg_type'::regclass THEN (SELECT typnamespace FROM pg_type WHERE oid = refobjid)
        WHEN 'pg_operator'::regclass
            THEN (SELECT oprnamespace FROM pg_operator WHERE oid = refobjid)
        WHEN 'pg_collation'::regclass
            THEN (SELECT collnamespace FROM pg_collation WHERE oid = refobjid)
        WHEN 'pg_opclass'::regclass
            THEN (SELECT opcnamespace FROM pg_opclass WHERE oid = refobjid)
        WHEN 'pg_opfamily'::regclass
            THEN (SELECT opfnamespace FROM pg_opfamily WHERE oid = refobjid)
        WHEN 'pg_ts_config'::regclass
            THEN (SELECT cfgnamespace FROM pg_ts_config WHERE oid = refobjid)
        WHEN 'pg_ts_dict'::regclass
            THEN (SELECT dictnamespace FROM pg_ts_dict WHERE oid = refobjid)
    END AS schema
    FROM (SELECT DISTINCT refclassid, refobjid FROM d) distinct_ends
)
SELECT DISTINCT d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid,
    ends.schema, d.classid <> 'pg_constraint'::regclass OR NOT EXISTS (
        SELECT FROM pg_constraint
        WHERE oid = d.objid AND connamespace = ANY(%(others)s::oid[]))
FROM ends JOIN d USING (refclassid, refobjid)
WHERE ends.schema = ANY(%(others)s::oid[])
"""
    )  # fmt: skip


SELECT_CROSSINGS = crossings(ours)


class Crossing(NamedTuple):
    """A dependency of one object on another.

    Attributes:
        schema: of the second.
        is_own: whether the first, if it is a constraint, is outside of such schemas itself.
    """

    catalog: int
    oid: int
    column: int
    used_catalog: int
    used_oid: int
    used_column: int
    schema: int
    is_own: bool


def read_crossings(
    connection: BaseDatabaseWrapper,
    mark: Mark,
    before: Mark,
    *,
    relations: list[int],
    functions: list[int],
    others: list[int],
) -> list[Crossing]:
    """Return dependencies on the other schemas that this transaction has made."""
    if not mark.inserted(before, ["pg_depend"]):
        return []
    params = {
        **mark.params(before),
        "relations": relations,
        "functions": functions,
        "others": others,
    }
    rows = ask(connection, SELECT_CROSSINGS, params)
    return [Crossing(*row) for row in rows]


SELECT_OWN_FUNCTIONS: LiteralString = (
    "SELECT x.oid FROM pg_proc x WHERE x.pronamespace = ANY(%(own)s::oid[]) AND " + ours("x")
)


def read_own_functions(
    connection: BaseDatabaseWrapper, mark: Mark, before: Mark, own: list[int]
) -> list[int]:
    """Return the domain's functions that this transaction made or replaced."""
    rows = ask(connection, SELECT_OWN_FUNCTIONS, {**mark.params(before), "own": own})
    return [oid for (oid,) in rows]
