"""What a transaction has done to tables, as the catalogs' rows about them tell."""

from __future__ import annotations

from typing import LiteralString, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ..sql.query import run_prepared, run_sql
from .catalog_before import CLASS_ROW
from .transaction import NEW_OIDS, Condition, TransactionPoint, written_here

# ruff: noqa: S608  -- the parts of the statements are constants of this package


DEPENDING: LiteralString = (
    "2607, 2617, 2620, 1247, 1255, 1259, 2604, 2605, 2606, 2616, 2618, 2753, 3256, 3381, 3466,"
    " 3600, 3602"
)
"""The catalogs whose new objects may depend on another domain's: all but what cannot."""


# The depending ends are found by index: new objects, the domain's locked relations, the rules
# of its locked views, its changed functions. The other ends are looked up one by one.
# The relations are given, because another look at ``pg_locks`` would cost as much as the rest.
def dependency_sql(condition: Condition) -> LiteralString:
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


SELECT_DEPENDENCIES = dependency_sql(written_here)


class CrossSchemaDependency(NamedTuple):
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


def read_dependencies(
    connection: BaseDatabaseWrapper,
    mark: TransactionPoint,
    before: TransactionPoint,
    *,
    relations: list[int],
    functions: list[int],
    others: list[int],
) -> list[CrossSchemaDependency]:
    """Return dependencies on the other schemas that this transaction has made."""
    if not mark.inserted(before, ["pg_depend"]):
        return []
    params = {
        **mark.params(before),
        "relations": relations,
        "functions": functions,
        "others": others,
    }
    rows = run_prepared(connection, SELECT_DEPENDENCIES, params)
    return [CrossSchemaDependency(*row) for row in rows]


SELECT_OWN_FUNCTIONS: LiteralString = (
    "SELECT x.oid FROM pg_proc x WHERE x.pronamespace = ANY(%(own)s::oid[]) AND "
    + written_here("x")
)


def read_own_functions(
    connection: BaseDatabaseWrapper,
    mark: TransactionPoint,
    before: TransactionPoint,
    own: list[int],
) -> list[int]:
    """Return the domain's functions that this transaction made or replaced."""
    rows = run_prepared(connection, SELECT_OWN_FUNCTIONS, {**mark.params(before), "own": own})
    return [oid for (oid,) in rows]


# ruff: noqa: S608  -- the parts of the statements are constants of this package


# Everything that hangs on a table, but the internal triggers of foreign keys that point at it.
SELECT_ATTACHED: LiteralString = (
    "SELECT x.tgrelid, CASE WHEN x.tgisinternal THEN 'changed its foreign keys'"
    " ELSE 'changed its trigger ' || x.tgname END FROM pg_trigger x"
    " LEFT JOIN LATERAL (SELECT contype, connamespace FROM pg_constraint"
    " WHERE oid = x.tgconstraint OFFSET 0) k ON true"
    " WHERE x.tgrelid = ANY(%(tables)s::oid[]) AND " + written_here("x")
    + " AND NOT coalesce(x.tgisinternal AND x.tgenabled = 'O' AND k.contype = 'f'"
    " AND k.connamespace = ANY(%(keys)s::oid[]), false)"
    " UNION ALL SELECT x.attrelid, CASE WHEN x.attisdropped THEN 'changed its columns'"
    " ELSE 'changed its column ' || x.attname END FROM pg_attribute x"
    " WHERE x.attrelid = ANY(%(tables)s::oid[]) AND " + written_here("x")
    + " UNION ALL SELECT x.conrelid, 'changed its constraint ' || x.conname FROM pg_constraint x"
    " WHERE x.conrelid = ANY(%(tables)s::oid[]) AND " + written_here("x")
    + " AND NOT (x.contype = 'f' AND x.conrelid = ANY(%(referencing)s::oid[]))"
    " UNION ALL SELECT x.indrelid, 'changed its index ' || c.relname FROM pg_index x"
    " JOIN pg_class c ON c.oid = x.indexrelid"
    " WHERE x.indrelid = ANY(%(tables)s::oid[]) AND " + written_here("x")
    + " UNION ALL SELECT x.ev_class, 'changed its rule ' || x.rulename FROM pg_rewrite x"
    " WHERE x.ev_class = ANY(%(tables)s::oid[]) AND " + written_here("x")
    + " UNION ALL SELECT x.polrelid, 'changed its policy ' || x.polname FROM pg_policy x"
    " WHERE x.polrelid = ANY(%(tables)s::oid[]) AND " + written_here("x")
    + " UNION ALL SELECT x.inhrelid, 'changed its inheritance' FROM pg_inherits x"
    " WHERE x.inhrelid = ANY(%(tables)s::oid[]) AND " + written_here("x")
    + " UNION ALL SELECT x.inhparent, 'changed its child ' || x.inhrelid::regclass"
    " FROM pg_inherits x"
    " WHERE x.inhparent = ANY(%(tables)s::oid[]) AND " + written_here("x")
)  # fmt: skip


def read_table_changes(
    connection: BaseDatabaseWrapper,
    mark: TransactionPoint,
    before: TransactionPoint,
    *,
    tables: list[int],
    keys: list[int],
    referencing: list[int],
) -> list[tuple[int, str]]:
    """Return what this transaction did to the tables: (table, what).

    Arguments:
        tables: the tables to look at.
        keys: the schemas whose foreign keys may point at the tables.
        referencing: those of the tables whose own foreign keys may be made anew.
    """
    params = {
        **mark.params(before),
        "tables": tables,
        "keys": keys,
        "referencing": referencing,
    }
    rows = run_prepared(connection, SELECT_ATTACHED, params)
    return [(table, what) for table, what in rows]


SELECT_CHANGED_CLASS_ROWS: LiteralString = (
    "SELECT x.oid, " + CLASS_ROW + " FROM pg_class x"
    " WHERE x.oid = ANY(%(tables)s::oid[]) AND " + written_here("x")
)


def read_changed_class_rows(
    connection: BaseDatabaseWrapper,
    mark: TransactionPoint,
    before: TransactionPoint,
    tables: list[int],
) -> dict[int, str]:
    """Return the tables whose row of ``pg_class`` this transaction wrote, and that row."""
    params = {**mark.params(before), "tables": tables}
    rows = run_prepared(connection, SELECT_CHANGED_CLASS_ROWS, params)
    return dict(rows)


SELECT_KEYS: LiteralString = (
    "SELECT x.conrelid, x.confrelid, x.conname, x.confdeltype::text, x.confupdtype::text, "
    + written_here("x") + ", CASE WHEN " + written_here("x") + " THEN (SELECT a.attname || ' (' ||"
    " format_type(a.atttypid, a.atttypmod) || ') refers to ' || b.attname || ' (' ||"
    " format_type(b.atttypid, b.atttypmod) || ')' FROM unnest(x.conkey, x.confkey) AS p (c, k)"
    " JOIN pg_attribute a ON a.attrelid = x.conrelid AND a.attnum = p.c"
    " JOIN pg_attribute b ON b.attrelid = x.confrelid AND b.attnum = p.k"
    " WHERE (a.atttypid, a.atttypmod) <> (b.atttypid, b.atttypmod) LIMIT 1) END"
    + " FROM pg_constraint x WHERE x.contype = 'f' AND x.conrelid = ANY(%(tables)s::oid[])"
)  # fmt: skip


class ForeignKey(NamedTuple):
    """A foreign key; ``written`` when this transaction made or altered it.

    Attributes:
        differs: which of its columns has another type than the key, where that was altered.
    """

    table: int
    target: int
    name: str
    on_delete: str
    on_update: str
    written: bool
    type_mismatch: str | None = None


def read_keys(
    connection: BaseDatabaseWrapper,
    mark: TransactionPoint,
    before: TransactionPoint,
    tables: list[int],
) -> list[ForeignKey]:
    """Return the foreign keys that the tables have."""
    rows = run_prepared(connection, SELECT_KEYS, {**mark.params(before), "tables": tables})
    return [ForeignKey(*row) for row in rows]


# ruff: noqa: S608  -- the parts of the statements are constants of this package


SCHEMA_COLUMNS: tuple[tuple[LiteralString, LiteralString], ...] = (
    ("pg_extension", "extnamespace"),
    ("pg_proc", "pronamespace"),
    ("pg_operator", "oprnamespace"),
    ("pg_opclass", "opcnamespace"),
    ("pg_opfamily", "opfnamespace"),
    ("pg_collation", "collnamespace"),
    ("pg_conversion", "connamespace"),
    ("pg_ts_config", "cfgnamespace"),
    ("pg_ts_dict", "dictnamespace"),
    ("pg_ts_parser", "prsnamespace"),
    ("pg_ts_template", "tmplnamespace"),
    ("pg_statistic_ext", "stxnamespace"),
    ("pg_default_acl", "defaclnamespace"),
)
"""Catalogs that stay small and say in which schema an object is."""

NOT_ALLOWED: LiteralString = " <> ALL(%(quiet)s::oid[])"


def catalog_queries(condition: Condition) -> dict[str, LiteralString]:
    """Return a query for each small catalog: (catalog, oid, schema) of the rows that match."""
    queries: dict[str, LiteralString] = {
        catalog: "SELECT '" + catalog + "'::regclass::oid, x.oid, x." + column + " FROM " + catalog
        + " x WHERE x." + column + NOT_ALLOWED + " AND " + condition("x")
        for catalog, column in SCHEMA_COLUMNS
    }  # fmt: skip
    queries["pg_namespace"] = (
        "SELECT 'pg_namespace'::regclass::oid, x.oid, x.oid FROM pg_namespace x WHERE "
        + condition("x")
    )
    queries["pg_event_trigger"] = (
        "SELECT 'pg_event_trigger'::regclass::oid, x.oid, 0::oid FROM pg_event_trigger x WHERE "
        + condition("x")
    )
    queries["pg_enum"] = (
        "SELECT 'pg_type'::regclass::oid, t.oid, t.typnamespace FROM pg_enum x"
        " JOIN pg_type t ON t.oid = x.enumtypid WHERE t.typnamespace" + NOT_ALLOWED
        + " AND " + condition("x")
    )  # fmt: skip
    # A domain's; those of tables come with a lock.
    queries["pg_constraint"] = (
        "SELECT 'pg_type'::regclass::oid, t.oid, t.typnamespace FROM pg_constraint x"
        " JOIN pg_type t ON t.oid = x.contypid WHERE x.conrelid = 0 AND t.typnamespace"
        + NOT_ALLOWED + " AND " + condition("x")
    )  # fmt: skip
    queries["pg_publication_namespace"] = (
        "SELECT 'pg_namespace'::regclass::oid, x.pnnspid, x.pnnspid"
        " FROM pg_publication_namespace x WHERE " + condition("x")
    )
    return queries


SELECT_SMALL = catalog_queries(written_here)

SELECT_NEW_TYPES: LiteralString = (
    "SELECT 'pg_type'::regclass::oid, x.oid, x.typnamespace FROM " + NEW_OIDS
    + " JOIN pg_type x ON x.oid > new.low AND x.oid < new.high"
    " WHERE x.typrelid = 0 AND x.typcategory <> 'A' AND x.typnamespace" + NOT_ALLOWED
    + " AND " + written_here("x")
)  # fmt: skip

SELECT_CHANGED_TYPES: LiteralString = (
    "SELECT 'pg_type'::regclass::oid, x.oid, x.typnamespace FROM pg_type x"
    " WHERE x.typrelid = 0 AND x.typcategory <> 'A' AND x.typnamespace" + NOT_ALLOWED
    + " AND " + written_here("x")
)  # fmt: skip

SELECT_CHANGED_RELATIONS: LiteralString = (
    "SELECT 'pg_class'::regclass::oid, x.oid, x.relnamespace FROM pg_class x"
    " WHERE x.relnamespace" + NOT_ALLOWED + " AND " + written_here("x")
)

SELECT_CHANGED_COLUMNS: LiteralString = (
    "SELECT 'pg_class'::regclass::oid, x.attrelid, c.relnamespace FROM pg_attribute x"
    " JOIN pg_class c ON c.oid = x.attrelid"
    " WHERE c.relnamespace" + NOT_ALLOWED + " AND " + written_here("x")
)


class ChangedObject(NamedTuple):
    """An object whose row in a catalog was written, and the schema that it is in."""

    catalog: int
    oid: int
    schema: int


def read_changed_objects(
    connection: BaseDatabaseWrapper,
    mark: TransactionPoint,
    before: TransactionPoint,
    quiet: list[int],
    locked: list[int],
) -> list[ChangedObject]:
    """Return what this transaction made or altered outside the quiet schemas.

    Not among it are relations that were made, or that only a lock tells of.

    Arguments:
        locked: the domain's relations that the transaction may have changed.
    """
    parts = [
        statement
        for catalog, statement in SELECT_SMALL.items()
        if mark.inserted(before, [catalog]) or mark.updated(before, [catalog])
    ]
    if mark.inserted(before, ["pg_type"]):
        parts.append(SELECT_NEW_TYPES)
    if mark.updated(before, ["pg_type"]):
        parts.append(SELECT_CHANGED_TYPES)
    if mark.updated(before, ["pg_class"]) and not _only_table_updates(
        connection, mark, before, locked
    ):
        parts.append(SELECT_CHANGED_RELATIONS)
    if mark.updated(before, ["pg_attribute"]):
        parts.append(SELECT_CHANGED_COLUMNS)
    if not parts:
        return []
    params = {**mark.params(before), "quiet": quiet}
    [rows] = run_sql(connection, " UNION ALL ".join(parts), params)
    return [ChangedObject(*row) for row in rows]


# A new relation begins without rules, triggers, checks and TOAST table; each takes an update.
SELECT_COUNT_OF_CHANGED: LiteralString = (
    "SELECT count(*) FROM unnest(%(relations)s::oid[]) r (oid), LATERAL ("
    " SELECT xmin, * FROM pg_class WHERE oid = r.oid OFFSET 0) x"
    " WHERE (x.relhasrules OR x.relhastriggers OR x.relchecks > 0 OR x.reltoastrelid <> 0"
    " OR NOT EXISTS (SELECT FROM " + NEW_OIDS + " WHERE x.oid > new.low AND x.oid < new.high))"
    " AND " + written_here("x")
)  # fmt: skip


def _only_table_updates(
    connection: BaseDatabaseWrapper,
    mark: TransactionPoint,
    before: TransactionPoint,
    locked: list[int],
) -> bool:
    """Return whether changes of locked tables are all that was changed in ``pg_class``.

    Each of them took one update at least, so as many updates as tables leave none for others.
    """
    if not (mark.counted and before.counted):
        return False
    params = {**mark.params(before), "relations": sorted(set(locked))}
    [(changed,)] = run_prepared(connection, SELECT_COUNT_OF_CHANGED, params)
    return bool(changed == mark.updates["pg_class"] - before.updates["pg_class"])


VIEW_RULE = '"_RETURN" on '

SELECT_IDENTITY = "SELECT type, identity FROM pg_identify_object(%(catalog)s, %(oid)s, %(column)s)"


def describe_object(
    connection: BaseDatabaseWrapper, catalog: int, oid: int, column: int = 0
) -> str:
    """Return an object's kind and qualified name, as PostgreSQL writes them.

    The rule that makes a view is told as the view.
    """
    params = {"catalog": catalog, "oid": oid, "column": column}
    [[(kind, identity)]] = run_sql(connection, SELECT_IDENTITY, params)
    if kind == "rule" and identity.startswith(VIEW_RULE):
        return f"view {identity.removeprefix(VIEW_RULE)}"
    return f"{kind} {identity}"
