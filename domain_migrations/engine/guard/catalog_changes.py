"""Changes in PostgreSQL's catalogs: the rows that a transaction wrote, and what they show."""

# ruff: noqa: S608  -- the parts of the statements are constants of this package
from __future__ import annotations

from typing import LiteralString, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ..sql.query import run_prepared, run_sql
from .catalog_before import CLASS_ROW, IN_SCHEMAS
from .transaction import NEW_OIDS, Condition, TransactionView, written_here

SCHEMA_COLUMNS: dict[str, LiteralString] = {
    "pg_class": "relnamespace",
    "pg_default_acl": "defaclnamespace",
    **{catalog: prefix + "namespace" for catalog, prefix, _ in IN_SCHEMAS},
}
"""The column of each catalog that holds an object's schema."""


class Description(NamedTuple):
    """An object, or a change of one, in words.

    Attributes:
        names: of the objects that the text is about.
    """

    text: str
    names: frozenset[str] = frozenset()


VIEW_RULE = '"_RETURN" on '

SELECT_IDENTITY = """
SELECT o.type, o.identity, array_remove(a.object_names || o.schema || o.name, NULL)
FROM pg_identify_object(%(catalog)s, %(oid)s, %(column)s) o,
    pg_identify_object_as_address(%(catalog)s, %(oid)s, %(column)s) a
"""


def describe_object(
    connection: BaseDatabaseWrapper, catalog: int, oid: int, column: int = 0
) -> Description:
    """Return an object's kind and qualified name, as PostgreSQL writes them.

    The rule that defines a view is described as the view.
    """
    params = {"catalog": catalog, "oid": oid, "column": column}
    [[(kind, identity, names)]] = run_sql(connection, SELECT_IDENTITY, params)
    if kind == "rule" and identity.startswith(VIEW_RULE):
        kind, identity = "view", identity.removeprefix(VIEW_RULE)
    return Description(f"{kind} {identity}", frozenset(names or ()))


# --- Dependencies on other schemas

DEPENDENT_CATALOGS = {
    "pg_conversion": 2607, "pg_operator": 2617, "pg_trigger": 2620, "pg_type": 1247,
    "pg_proc": 1255, "pg_class": 1259, "pg_attrdef": 2604, "pg_cast": 2605,
    "pg_constraint": 2606, "pg_opclass": 2616, "pg_rewrite": 2618, "pg_opfamily": 2753,
    "pg_policy": 3256, "pg_statistic_ext": 3381, "pg_event_trigger": 3466, "pg_ts_dict": 3600,
    "pg_ts_config": 3602,
}  # fmt: skip
"""The catalogs whose new objects may depend on another domain's, and their oids."""

NEW_OBJECTS: LiteralString = (
    "SELECT x.* FROM " + NEW_OIDS + ", LATERAL (SELECT *, xmin FROM pg_depend"
    " WHERE objid > new.low AND objid < new.high"
    " AND classid = ANY('{" + ", ".join(map(str, DEPENDENT_CATALOGS.values())) + "}'::oid[])"
    " OFFSET 0) x WHERE NOT (x.refobjid > new.low AND x.refobjid < new.high)"
)
"""What new objects depend on, but for other new objects."""

CHANGED_RELATIONS: LiteralString = (
    "SELECT x.* FROM unnest(%(relations)s::oid[]) AS r (oid), LATERAL ("
    "SELECT *, xmin FROM pg_depend"
    " WHERE classid = 'pg_class'::regclass AND objid = r.oid OFFSET 0) x"
)
"""What existing tables depend on, such as the types of their columns."""

CHANGED_VIEWS: LiteralString = (
    "SELECT x.* FROM unnest(%(relations)s::oid[]) AS r (oid), LATERAL ("
    "SELECT oid FROM pg_rewrite WHERE ev_class = r.oid OFFSET 0) rule, LATERAL ("
    "SELECT *, xmin FROM pg_depend"
    " WHERE classid = 'pg_rewrite'::regclass AND objid = rule.oid OFFSET 0) x"
)
"""What the rules of existing views depend on, which are replaced with them."""

CHANGED_FUNCTIONS: LiteralString = (
    "SELECT x.* FROM unnest(%(functions)s::oid[]) AS f (oid), LATERAL ("
    "SELECT *, xmin FROM pg_depend"
    " WHERE classid = 'pg_proc'::regclass AND objid = f.oid OFFSET 0) x"
)
"""What existing functions depend on."""

USED_CATALOGS: tuple[LiteralString, ...] = (
    "pg_class", "pg_proc", "pg_type", "pg_operator", "pg_collation", "pg_opclass", "pg_opfamily",
    "pg_ts_config", "pg_ts_dict",
)  # fmt: skip
"""The catalogs whose objects others may depend on."""

USED_SCHEMA: LiteralString = (
    "CASE refclassid "
    + " ".join(
        "WHEN '" + catalog + "'::regclass THEN (SELECT " + SCHEMA_COLUMNS[catalog]
        + " FROM " + catalog + " WHERE oid = refobjid)"
        for catalog in USED_CATALOGS
    )
    + " END"
)  # fmt: skip
"""The schema of the object that another one depends on."""


def dependency_sql(condition: Condition) -> LiteralString:
    """Return a query for the dependencies that match and that lead to other schemas.

    The dependent objects are found by index, from four sources; the schemas of the objects that
    they use are looked up one by one. The parameters name the changed relations and functions,
    because reading ``pg_locks`` again would cost as much as the rest of the query.
    """
    sources = (NEW_OBJECTS, CHANGED_RELATIONS, CHANGED_VIEWS, CHANGED_FUNCTIONS)
    return (
        "WITH found AS MATERIALIZED (" + " UNION ALL ".join(sources) + "),"
        " dependency AS MATERIALIZED (SELECT * FROM found x WHERE " + condition("x") + "),"
        " used AS MATERIALIZED ("
        "SELECT refclassid, refobjid, " + USED_SCHEMA + " AS schema"
        " FROM (SELECT DISTINCT refclassid, refobjid FROM dependency) distinct_objects)"
        " SELECT DISTINCT d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid,"
        " d.refobjsubid, used.schema, d.classid <> 'pg_constraint'::regclass OR NOT EXISTS ("
        "SELECT FROM pg_constraint"
        " WHERE oid = d.objid AND connamespace = ANY(%(others)s::oid[]))"
        " FROM used JOIN dependency d USING (refclassid, refobjid)"
        " WHERE used.schema = ANY(%(others)s::oid[])"
    )


SELECT_DEPENDENCIES = dependency_sql(written_here)


class CrossSchemaDependency(NamedTuple):
    """A dependency of one object on another.

    Attributes:
        schema: of the object that is used.
        is_own: whether the object that uses it, if a constraint, is outside of such schemas.
    """

    catalog: int
    oid: int
    column: int
    used_catalog: int
    used_oid: int
    used_column: int
    schema: int
    is_own: bool

    def describe(self, connection: BaseDatabaseWrapper) -> Description:
        user = describe_object(connection, self.catalog, self.oid, self.column)
        used = describe_object(connection, self.used_catalog, self.used_oid, self.used_column)
        return Description(f"{user.text} use {used.text}", user.names | used.names)


def read_dependencies(
    view: TransactionView, *, relations: list[int], functions: list[int], others: list[int]
) -> list[CrossSchemaDependency]:
    """Return the dependencies on the other schemas that this transaction has created."""
    if not view.inserted("pg_depend"):
        return []
    params = {"relations": relations, "functions": functions, "others": others}
    rows = run_prepared(view.connection, SELECT_DEPENDENCIES, {**view.params, **params})
    return [CrossSchemaDependency(*row) for row in rows]


SELECT_OWN_FUNCTIONS: LiteralString = (
    "SELECT x.oid FROM pg_proc x WHERE x.pronamespace = ANY(%(own)s::oid[]) AND "
    + written_here("x")
)


def read_own_functions(view: TransactionView, own: list[int]) -> list[int]:
    """Return the domain's functions that this transaction created or replaced."""
    if not (view.inserted("pg_proc") or view.updated("pg_proc")):
        return []
    rows = run_prepared(view.connection, SELECT_OWN_FUNCTIONS, {**view.params, "own": own})
    return [oid for (oid,) in rows]


# --- Tables

TRIGGERS: LiteralString = """pg_trigger x LEFT JOIN LATERAL (
    SELECT contype, connamespace FROM pg_constraint WHERE oid = x.tgconstraint OFFSET 0
) k ON true"""

TABLE_PARTS: tuple[tuple[LiteralString, LiteralString, LiteralString, LiteralString], ...] = (
    (TRIGGERS, "x.tgrelid", "CASE WHEN x.tgisinternal THEN 'foreign keys' ELSE 'trigger' END",
     "CASE WHEN NOT x.tgisinternal THEN x.tgname::text END"),
    ("pg_attribute x", "x.attrelid",
     "CASE WHEN x.attisdropped THEN 'columns' ELSE 'column' END",
     "CASE WHEN NOT x.attisdropped THEN x.attname::text END"),
    ("pg_constraint x", "x.conrelid", "'constraint'", "x.conname"),
    ("pg_index x JOIN pg_class c ON c.oid = x.indexrelid", "x.indrelid", "'index'", "c.relname"),
    ("pg_rewrite x", "x.ev_class", "'rule'", "x.rulename"),
    ("pg_policy x", "x.polrelid", "'policy'", "x.polname"),
    ("pg_inherits x", "x.inhrelid", "'inheritance'", "NULL"),
    ("pg_inherits x", "x.inhparent", "'child'", "x.inhrelid::regclass::text"),
)  # fmt: skip
"""The parts of a table: a catalog, its column of the table, the part in words, its name."""

# Two parts may change: the triggers of foreign keys that point at the table, and its own keys.
MAY_CHANGE: dict[LiteralString, LiteralString] = {
    TRIGGERS: "x.tgisinternal AND x.tgenabled = 'O' AND k.contype = 'f'"
    " AND k.connamespace = ANY(%(keys)s::oid[])",
    "pg_constraint x": "x.contype = 'f' AND x.conrelid = ANY(%(referencing)s::oid[])",
}

SELECT_TABLE_CHANGES: LiteralString = " UNION ALL ".join(
    "SELECT " + table + ", " + part + ", " + name + " FROM " + source
    + " WHERE " + table + " = ANY(%(tables)s::oid[]) AND " + written_here("x")
    + " AND NOT coalesce(" + MAY_CHANGE.get(source, "false") + ", false)"
    for source, table, part, name in TABLE_PARTS
)  # fmt: skip


def part_change(verb: str, part: str, name: str | None) -> Description:
    """Return a change of a table's part in words: "changed its column name"."""
    if name is None:
        return Description(f"{verb} its {part}")
    return Description(f"{verb} its {part} {name}", frozenset((name,)))


def read_table_changes(
    view: TransactionView, *, tables: list[int], keys: list[int], referencing: list[int]
) -> list[tuple[int, Description]]:
    """Return the tables that this transaction changed, and a part of each that it changed.

    Arguments:
        keys: the schemas whose foreign keys may point at the tables.
        referencing: those of the tables whose own foreign keys may be created again.
    """
    params = {"tables": tables, "keys": keys, "referencing": referencing}
    rows = run_prepared(view.connection, SELECT_TABLE_CHANGES, {**view.params, **params})
    return [(table, part_change("changed", part, name)) for table, part, name in rows]


SELECT_CHANGED_CLASS_ROWS: LiteralString = (
    "SELECT x.oid, " + CLASS_ROW + " FROM pg_class x"
    " WHERE x.oid = ANY(%(tables)s::oid[]) AND " + written_here("x")
)


def read_changed_class_rows(view: TransactionView, tables: list[int]) -> dict[int, str]:
    """Return the tables whose row of ``pg_class`` this transaction wrote, and that row."""
    params = {**view.params, "tables": tables}
    return dict(run_prepared(view.connection, SELECT_CHANGED_CLASS_ROWS, params))


SELECT_FOREIGN_KEYS: LiteralString = (
    "SELECT x.conrelid, x.confrelid, x.conname, x.confdeltype::text, x.confupdtype::text, "
    + written_here("x") + ", CASE WHEN " + written_here("x") + " THEN (SELECT ARRAY[a.attname,"
    " format_type(a.atttypid, a.atttypmod), b.attname, format_type(b.atttypid, b.atttypmod)]"
    " FROM unnest(x.conkey, x.confkey) AS p (c, k)"
    " JOIN pg_attribute a ON a.attrelid = x.conrelid AND a.attnum = p.c"
    " JOIN pg_attribute b ON b.attrelid = x.confrelid AND b.attnum = p.k"
    " WHERE (a.atttypid, a.atttypmod) <> (b.atttypid, b.atttypmod) LIMIT 1) END"
    + " FROM pg_constraint x WHERE x.contype = 'f' AND x.conrelid = ANY(%(tables)s::oid[])"
)  # fmt: skip


class ForeignKey(NamedTuple):
    """A foreign key.

    Attributes:
        written: whether this transaction created or altered it.
        type_mismatch: one of its columns with another type than the key, where that was altered:
            column, type, the key's column, its type.
    """

    table: int
    target: int
    name: str
    on_delete: str
    on_update: str
    written: bool
    type_mismatch: list[str] | None = None


def read_foreign_keys(view: TransactionView, tables: list[int]) -> list[ForeignKey]:
    """Return the foreign keys that the tables have."""
    params = {**view.params, "tables": tables}
    return [ForeignKey(*row) for row in run_prepared(view.connection, SELECT_FOREIGN_KEYS, params)]


# --- Objects that no lock reveals

NOT_ALLOWED: LiteralString = " <> ALL(%(allowed)s::oid[])"


def catalog_queries(condition: Condition) -> dict[str, LiteralString]:
    """Return a query for each small catalog: (catalog, oid, schema) of the rows that match."""
    queries: dict[str, LiteralString] = {
        catalog: "SELECT '" + catalog + "'::regclass::oid, x.oid, x." + column + " FROM " + catalog
        + " x WHERE x." + column + NOT_ALLOWED + " AND " + condition("x")
        for catalog, column in SCHEMA_COLUMNS.items() if catalog not in ("pg_class", "pg_type")
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
    # Of PostgreSQL's domains; those of tables come with a lock.
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


CATALOG_QUERIES = catalog_queries(written_here)

SELECT_CHANGED_TYPES: LiteralString = (
    "SELECT 'pg_type'::regclass::oid, x.oid, x.typnamespace FROM pg_type x"
    " WHERE x.typrelid = 0 AND x.typcategory <> 'A' AND x.typnamespace" + NOT_ALLOWED
    + " AND " + written_here("x")
)  # fmt: skip

SELECT_NEW_TYPES: LiteralString = SELECT_CHANGED_TYPES.replace(
    "FROM pg_type x", "FROM " + NEW_OIDS + " JOIN pg_type x ON x.oid > new.low AND x.oid < new.high"
)

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


def read_changed_objects(view: TransactionView, own_relations: list[int]) -> list[ChangedObject]:
    """Return the objects outside the allowed schemas that this transaction created or altered.

    New relations and what a lock reveals are not among them.

    Arguments:
        own_relations: the domain's relations that the transaction may have changed.
    """
    queries = [
        query
        for catalog, query in CATALOG_QUERIES.items()
        if view.inserted(catalog) or view.updated(catalog)
    ]
    if view.inserted("pg_type"):
        queries.append(SELECT_NEW_TYPES)
    if view.updated("pg_type"):
        queries.append(SELECT_CHANGED_TYPES)
    if view.updated("pg_class") and not _only_own_updates(view, own_relations):
        queries.append(SELECT_CHANGED_RELATIONS)
    if view.updated("pg_attribute"):
        queries.append(SELECT_CHANGED_COLUMNS)
    if not queries:
        return []
    params = {**view.params, "allowed": view.owners.allowed}
    [rows] = run_sql(view.connection, " UNION ALL ".join(queries), params)
    return [ChangedObject(*row) for row in rows]


# A new relation begins without rules, triggers, checks and TOAST table; each takes an update.
COUNT_UPDATED_RELATIONS: LiteralString = (
    "SELECT count(*) FROM unnest(%(relations)s::oid[]) r (oid), LATERAL ("
    " SELECT xmin, * FROM pg_class WHERE oid = r.oid OFFSET 0) x"
    " WHERE (x.relhasrules OR x.relhastriggers OR x.relchecks > 0 OR x.reltoastrelid <> 0"
    " OR NOT EXISTS (SELECT FROM " + NEW_OIDS + " WHERE x.oid > new.low AND x.oid < new.high))"
    " AND " + written_here("x")
)  # fmt: skip


def _only_own_updates(view: TransactionView, own_relations: list[int]) -> bool:
    """Return whether all updates of ``pg_class`` are explained by the domain's relations.

    Each changed relation took at least one update, so as many updates as relations leave none
    for others.
    """
    if not view.counted:
        return False
    params = {**view.params, "relations": own_relations}
    [(changed,)] = run_prepared(view.connection, COUNT_UPDATED_RELATIONS, params)
    return bool(changed == view.now.updates["pg_class"] - view.before.updates["pg_class"])
