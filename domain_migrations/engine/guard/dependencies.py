"""Dependencies on other schemas: the rows of ``pg_depend`` that a migration wrote."""

# ruff: noqa: S608  -- the parts of the statements are constants of this package
from __future__ import annotations

from typing import LiteralString, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ..boundary.rule import depends_hint
from ..boundary.schema_owners import SchemaOwners
from .catalog_before import ON_TABLES, SCHEMA_COLUMNS
from .catalog_changes import ChangedObject, describe_object
from .held_locks import DDL_MODES
from .transaction import NEW_OIDS, WRITTEN_HERE, TransactionView
from .violations import Description, Priority, Violation

DEPENDENT_CATALOGS = {
    "pg_conversion": 2607, "pg_operator": 2617, "pg_trigger": 2620, "pg_type": 1247,
    "pg_proc": 1255, "pg_class": 1259, "pg_attrdef": 2604, "pg_cast": 2605,
    "pg_constraint": 2606, "pg_opclass": 2616, "pg_rewrite": 2618, "pg_opfamily": 2753,
    "pg_policy": 3256, "pg_statistic_ext": 3381, "pg_event_trigger": 3466, "pg_ts_dict": 3600,
    "pg_ts_config": 3602, "pg_amop": 2602, "pg_amproc": 2603, "pg_transform": 3576,
    "pg_publication_rel": 6106, "pg_ts_template": 3764, "pg_ts_parser": 3601,
}  # fmt: skip
"""The catalogs whose new objects may depend on another domain's, and their oids."""

NEW_OBJECTS: LiteralString = (
    "SELECT x.* FROM " + NEW_OIDS + ", LATERAL (SELECT *, xmin FROM pg_depend"
    " WHERE objid > new.low AND objid < new.high"
    " AND classid = ANY('{" + ", ".join(map(str, DEPENDENT_CATALOGS.values())) + "}'::oid[])"
    " OFFSET 0) x WHERE NOT (x.refobjid > new.low AND x.refobjid < new.high)"
)
"""What new objects depend on, but for other new objects."""

CHANGED_OBJECTS: LiteralString = (
    "SELECT x.* FROM {} o (catalog, oid), LATERAL (SELECT *, xmin FROM pg_depend"
    " WHERE classid = o.catalog AND objid = o.oid OFFSET 0) x"
)
"""What existing objects depend on."""

PARTS_OF_RELATIONS: LiteralString = (
    "(SELECT p.* FROM unnest(%(relations)s::oid[]) r (oid), LATERAL ("
    "SELECT 'pg_class'::regclass::oid, r.oid"
    " UNION ALL SELECT 'pg_rewrite'::regclass, oid FROM pg_rewrite WHERE ev_class = r.oid"
    " UNION ALL SELECT 'pg_trigger'::regclass, oid FROM pg_trigger"
    " WHERE tgrelid = r.oid AND NOT tgisinternal"
    " UNION ALL SELECT 'pg_policy'::regclass, oid FROM pg_policy WHERE polrelid = r.oid"
    ") p)"
)
"""Relations with their rules, triggers and policies, which can be replaced or altered."""

DEPENDENCIES: LiteralString = " UNION ALL ".join(
    (
        NEW_OBJECTS,
        CHANGED_OBJECTS.replace("{}", PARTS_OF_RELATIONS),
        CHANGED_OBJECTS.replace("{}", "unnest(%(catalogs)s::oid[], %(objects)s::oid[])"),
    )
)

TABLE_COLUMNS: tuple[tuple[LiteralString, LiteralString], ...] = (
    ("pg_attrdef", "adrelid"), *((catalog, table) for catalog, table, *_ in ON_TABLES),
)  # fmt: skip
"""The column of each catalog of parts of tables that holds the table."""

USED_CATALOGS: tuple[LiteralString, ...] = (
    "pg_class", "pg_proc", "pg_type", "pg_operator", "pg_collation", "pg_opclass", "pg_opfamily",
    "pg_ts_config", "pg_ts_dict", "pg_ts_parser", "pg_ts_template",
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


USER_SCHEMA: LiteralString = (
    "CASE d.classid "
    + " ".join(
        "WHEN '" + catalog + "'::regclass THEN (SELECT " + column + " FROM " + catalog
        + " WHERE oid = d.objid)"
        for catalog, column in SCHEMA_COLUMNS.items()
    )
    + " WHEN 'pg_constraint'::regclass THEN (SELECT connamespace FROM pg_constraint"
    " WHERE oid = d.objid) "
    + " ".join(
        "WHEN '" + catalog + "'::regclass THEN (SELECT relnamespace FROM pg_class WHERE oid ="
        " (SELECT " + table + " FROM " + catalog + " WHERE oid = d.objid))"
        for catalog, table in TABLE_COLUMNS
    )
    + " END"
)  # fmt: skip
"""The schema of the dependent object; NULL for a cast, for example, which is in none."""


def dependency_sql(written: LiteralString) -> LiteralString:
    """Return a query for the dependencies that were written and that lead to other schemas.

    The dependent objects are found by index; the schemas of the objects that they use are looked
    up one by one. The parameters name the changed relations and other objects, because reading
    ``pg_locks`` again would cost as much as the rest of the query.
    """
    return (
        "WITH found AS MATERIALIZED (" + DEPENDENCIES + "),"
        " dependency AS MATERIALIZED (SELECT * FROM found x WHERE " + written + "),"
        " used AS MATERIALIZED ("
        "SELECT refclassid, refobjid, " + USED_SCHEMA + " AS schema"
        " FROM (SELECT DISTINCT refclassid, refobjid FROM dependency) distinct_objects)"
        " SELECT DISTINCT d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid,"
        " d.refobjsubid, used.schema, "
        + USER_SCHEMA
        + " FROM used JOIN dependency d USING (refclassid, refobjid)"
        " WHERE used.schema = ANY(%(others)s::oid[])"
    )


SELECT_DEPENDENCIES = dependency_sql(WRITTEN_HERE)

SELECT_OWN_CONFIGURATIONS: LiteralString = (
    "SELECT 'pg_ts_config'::regclass::oid, oid FROM pg_ts_config"
    " WHERE cfgnamespace = ANY(%(own)s::oid[])"
)
"""Text search configurations, whose mappings depend on dictionaries without a row of their own."""


class CrossSchemaDependency(NamedTuple):
    """A dependency of one object on another.

    Attributes:
        schema: the schema of the object that is used.
        user_schema: the schema of the object that uses it; None for a cast and the like.
    """

    catalog: int
    oid: int
    column: int
    used_catalog: int
    used_oid: int
    used_column: int
    schema: int
    user_schema: int | None

    def to_violation(self, connection: BaseDatabaseWrapper, owners: SchemaOwners) -> Violation:
        user = describe_object(connection, self.catalog, self.oid, self.column)
        used = describe_object(connection, self.used_catalog, self.used_oid, self.used_column)
        what = Description(f"{user.text} use {used.text}", user.names | used.names)
        owner, hint = owners.owner(self.schema), depends_hint(owners.domain)
        return Violation.of(Priority.CROSSING, "made", what, owner, hint)


def read_dependencies(
    view: TransactionView, altered: list[ChangedObject]
) -> list[CrossSchemaDependency]:
    """Return the dependencies on other domains' schemas that this transaction has created.

    Arguments:
        altered: the domain's objects that existed before, without relations.
    """
    owners = view.owners
    if not owners.other_domains or not view.inserted("pg_depend"):
        return []
    objects = [(found.catalog, found.oid) for found in altered]
    if view.custom_sql and (view.inserted("pg_ts_config_map") or view.updated("pg_ts_config_map")):
        objects += view.rows(SELECT_OWN_CONFIGURATIONS, own=owners.own)
    rows = view.rows(
        SELECT_DEPENDENCIES,
        relations=sorted({lock.oid for lock in view.locks if lock.mode in DDL_MODES}),
        catalogs=[catalog for catalog, _ in objects],
        objects=[oid for _, oid in objects],
        others=owners.other_domains,
    )
    return [CrossSchemaDependency(*row) for row in rows]
