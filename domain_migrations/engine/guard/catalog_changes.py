"""Changes in PostgreSQL's catalogs: the rows that a transaction wrote, and what they show."""

# ruff: noqa: S608  -- the parts of the statements are constants of this package
from __future__ import annotations

from typing import LiteralString, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ..boundary.schema_owners import SchemaOwners
from ..sql.query import run_sql
from .catalog_before import CLASS_ROW, IN_SCHEMAS, PG_CLASS, PG_NAMESPACE, SCHEMA_COLUMNS
from .transaction import NEW_OIDS, WRITTEN_HERE, TransactionView
from .violations import NOT_IN_PUBLIC, Description, Priority, Violation, hint_for

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
    + " WHERE " + table + " = ANY(%(tables)s::oid[]) AND " + WRITTEN_HERE
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
    rows = view.rows(SELECT_TABLE_CHANGES, tables=tables, keys=keys, referencing=referencing)
    return [(table, part_change("changed", part, name)) for table, part, name in rows]


SELECT_CHANGED_CLASS_ROWS: LiteralString = (
    "SELECT x.oid, " + CLASS_ROW + " FROM pg_class x"
    " WHERE x.oid = ANY(%(tables)s::oid[]) AND " + WRITTEN_HERE
)


def read_changed_class_rows(view: TransactionView, tables: list[int]) -> list[int]:
    """Return the tables whose row of ``pg_class`` a first foreign key does not explain."""
    changed = []
    for oid, row in view.rows(SELECT_CHANGED_CLASS_ROWS, tables=tables):
        was = view.catalog_before.get(PG_CLASS, oid)
        if was is None or was.row != row:
            changed.append(oid)
    return changed


SELECT_FOREIGN_KEYS: LiteralString = (
    "SELECT x.conrelid, x.confrelid, x.conname, x.confdeltype::text, x.confupdtype::text, "
    + WRITTEN_HERE + ", CASE WHEN " + WRITTEN_HERE + " THEN (SELECT ARRAY[a.attname,"
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
    return [ForeignKey(*row) for row in view.rows(SELECT_FOREIGN_KEYS, tables=tables)]


# --- Objects that no lock reveals

NOT_ALLOWED: LiteralString = " <> ALL(%(allowed)s::oid[])"

# Neither arrays nor the types of tables, which come with their element's and their table's row.
TYPES: LiteralString = "(SELECT *, xmin FROM pg_type WHERE typrelid = 0 AND typcategory <> 'A') x"

Source = tuple[LiteralString, LiteralString, LiteralString, LiteralString]
"""The catalog, the oid and the schema of objects, and what follows FROM to find them.

There, ``x`` is the catalog whose rows were written.
"""


def select_objects(source: Source, written: LiteralString) -> LiteralString:
    """Return a query for objects outside of the allowed schemas: (catalog, oid, schema)."""
    catalog, oid, schema, tables = source
    return (
        "SELECT '" + catalog + "'::regclass::oid, " + oid + ", " + schema + " FROM " + tables
        + " WHERE " + schema + NOT_ALLOWED + " AND " + written
    )  # fmt: skip


def catalog_queries(written: LiteralString) -> dict[str, LiteralString]:
    """Return a query for each catalog but ``pg_class``: the objects whose rows were written."""
    sources: dict[str, Source] = {
        **{
            catalog: (catalog, "x.oid", "x." + column, catalog + " x")
            for catalog, column in SCHEMA_COLUMNS.items() if catalog != "pg_class"
        },
        "pg_type": ("pg_type", "x.oid", "x.typnamespace", TYPES),
        "pg_attribute": ("pg_class", "c.oid", "c.relnamespace",
                         "pg_attribute x JOIN pg_class c ON c.oid = x.attrelid"),
        "pg_enum": ("pg_type", "t.oid", "t.typnamespace",
                    "pg_enum x JOIN pg_type t ON t.oid = x.enumtypid"),
        # The constraints of PostgreSQL's domains; those of tables come with a lock.
        "pg_constraint": (
            "pg_type", "t.oid", "t.typnamespace",
            "pg_constraint x JOIN pg_type t ON x.conrelid = 0 AND t.oid = x.contypid"),
        "pg_amop": ("pg_opfamily", "f.oid", "f.opfnamespace",
                    "pg_amop x JOIN pg_opfamily f ON f.oid = x.amopfamily"),
        "pg_amproc": ("pg_opfamily", "f.oid", "f.opfnamespace",
                      "pg_amproc x JOIN pg_opfamily f ON f.oid = x.amprocfamily"),
        # Whatever changes the mappings writes what the configuration depends on again.
        "pg_depend": ("pg_ts_config", "c.oid", "c.cfgnamespace", "pg_ts_config c JOIN pg_depend x"
                      " ON x.classid = 'pg_ts_config'::regclass AND x.objid = c.oid"),
        "pg_publication_namespace": ("pg_namespace", "x.pnnspid", "x.pnnspid",
                                     "pg_publication_namespace x"),
    }  # fmt: skip
    queries = {catalog: select_objects(source, written) for catalog, source in sources.items()}
    # The domain's own schema too, which may not be renamed.
    queries["pg_namespace"] = (
        "SELECT 'pg_namespace'::regclass::oid, x.oid, x.oid FROM pg_namespace x WHERE " + written
    )
    return queries


CATALOG_QUERIES = catalog_queries(WRITTEN_HERE)

NEW_TYPES = NEW_OIDS + " JOIN " + TYPES + " ON x.oid > new.low AND x.oid < new.high"
SELECT_NEW_TYPES = select_objects(("pg_type", "x.oid", "x.typnamespace", NEW_TYPES), WRITTEN_HERE)

SELECT_CHANGED_RELATIONS = select_objects(
    ("pg_class", "x.oid", "x.relnamespace", "pg_class x"), WRITTEN_HERE
)

NEW_ROWS_ELSEWHERE = ("pg_type", "pg_attribute")
"""Large catalogs that are not searched for new rows: those are found by oid, or by a lock."""


class ChangedObject(NamedTuple):
    """An object whose row in a catalog was written, and the schema that it is in."""

    catalog: int
    oid: int
    schema: int

    def to_violation(
        self,
        connection: BaseDatabaseWrapper,
        owners: SchemaOwners,
        priority: Priority,
        *,
        made: bool,
    ) -> Violation:
        """Return the violation of having made or altered the object in another's schema."""
        domain, owner = owners.domain, owners.owner(self.schema)
        what = describe_object(connection, self.catalog, self.oid)
        hint = hint_for(domain, owner)
        # An index can only be created beside its table.
        is_movable = self.catalog != PG_NAMESPACE and not what.text.startswith("index ")
        if made and owner is not None and owner.is_core and is_movable:
            hint = NOT_IN_PUBLIC.format(schema=domain.schema)
        return Violation.of(priority, "made" if made else "altered", what, owner, hint)


def read_changed_objects(view: TransactionView, own_relations: list[int]) -> list[ChangedObject]:
    """Return the objects outside the allowed schemas that this transaction created or altered.

    Relations only if the transaction updated some besides ``own_relations``: locks show new ones.

    Arguments:
        own_relations: the domain's relations that the transaction may have changed.
    """
    queries = [
        query
        for catalog, query in CATALOG_QUERIES.items()
        if view.updated(catalog) or (view.inserted(catalog) and catalog not in NEW_ROWS_ELSEWHERE)
    ]
    if view.inserted("pg_type"):
        queries.append(SELECT_NEW_TYPES)
    if view.updated("pg_class") and not _only_own_updates(view, own_relations):
        queries.append(SELECT_CHANGED_RELATIONS)
    if not queries:
        return []
    params = {**view.now.params(view.before), "allowed": view.owners.allowed}
    [rows] = run_sql(view.connection, " UNION ALL ".join(queries), params)
    return [ChangedObject(*row) for row in rows]


# Of a composite type, the row type; of any other relation, its lock shows as much.
NOT_OF_TABLES: LiteralString = (
    " AND (typrelid = 0 OR EXISTS (SELECT FROM pg_class WHERE oid = typrelid AND relkind = 'c'))"
)
OWN_OBJECTS: dict[str, LiteralString] = {
    catalog: (
        "SELECT '" + catalog + "'::regclass::oid, x.oid, x." + prefix + "namespace"
        " FROM " + catalog + " x WHERE x." + prefix + "namespace = ANY(%(allowed)s::oid[])"
        + (NOT_OF_TABLES if catalog == "pg_type" else "") + " AND " + WRITTEN_HERE
    )
    for catalog, prefix, _ in IN_SCHEMAS
}  # fmt: skip


def read_altered_own_objects(view: TransactionView) -> list[ChangedObject]:
    """Return the objects in allowed schemas that existed before and that this transaction altered.

    Relations are left out: their locks show them.
    """
    queries = [query for catalog, query in OWN_OBJECTS.items() if view.updated(catalog)]
    if not queries:
        return []
    params = {**view.params, "allowed": view.owners.allowed}
    [rows] = run_sql(view.connection, " UNION ALL ".join(queries), params)
    return [found for found in map(ChangedObject._make, rows) if not view.is_new(found.oid)]


# A new relation begins without rules, triggers, checks and TOAST table; each takes an update.
COUNT_UPDATED_RELATIONS: LiteralString = (
    "SELECT count(*) FROM unnest(%(relations)s::oid[]) r (oid), LATERAL ("
    " SELECT xmin, * FROM pg_class WHERE oid = r.oid OFFSET 0) x"
    " WHERE (x.relhasrules OR x.relhastriggers OR x.relchecks > 0 OR x.reltoastrelid <> 0"
    " OR NOT EXISTS (SELECT FROM " + NEW_OIDS + " WHERE x.oid > new.low AND x.oid < new.high))"
    " AND " + WRITTEN_HERE
)  # fmt: skip


def _only_own_updates(view: TransactionView, own_relations: list[int]) -> bool:
    """Return whether all updates of ``pg_class`` are explained by the domain's relations.

    Each changed relation took at least one update, so as many updates as relations leave none
    for others.
    """
    updates = view.count("updated", "pg_class")
    if updates is None:
        return False
    [(changed,)] = view.rows(COUNT_UPDATED_RELATIONS, relations=own_relations)
    return bool(changed == updates)
