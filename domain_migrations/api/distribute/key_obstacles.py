"""Obstacles in foreign keys: Citus enforces them within a domain and to reference tables."""

from __future__ import annotations

from collections.abc import Iterator

from ...domains import CORE_SCHEMA, QualifiedName
from ...engine.cluster.reference_tables import closure
from ...engine.sessions.connection import fetch_all
from ..obstacle import Obstacle
from .facts import Facts

KEYS = """
SELECT n.nspname, c.relname, fn.nspname, fc.relname, k.conname, quote_ident(k.conname),
    (k.confdeltype = 'd' OR k.confupdtype = 'd') AND EXISTS (
        SELECT FROM pg_catalog.pg_attrdef f
        JOIN pg_catalog.pg_depend d ON d.classid = f.tableoid AND d.objid = f.oid
            AND d.refclassid = c.tableoid
        JOIN pg_catalog.pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
        WHERE f.adrelid = k.conrelid AND f.adnum = ANY(k.conkey))
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class fc ON fc.oid = k.confrelid
JOIN pg_catalog.pg_namespace fn ON fn.oid = fc.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 ORDER BY 1, 2, 5
"""


def key_obstacles(facts: Facts) -> Iterator[Obstacle]:
    """Yield the foreign keys that Citus refuses, or enforces by half.

    Shards have keys of their own, in the same schemas; the catalog of the coordinator alone is
    read, and its shards are those of reference tables, whose keys stay between them.
    """
    rows = fetch_all(facts.connection, KEYS)
    keys = [(QualifiedName(*row[:2]), QualifiedName(*row[2:4])) for row in rows]
    local = {*facts.reference_tables} - {*facts.copied}
    for (table, target), (*_, name, quoted, sets_default) in zip(keys, rows, strict=True):
        remedy = f"ALTER TABLE {table.db_table} DROP CONSTRAINT {quoted};"
        if {table, target} <= local and table != target and table in closure([target], keys):
            yield facts.obstacle(
                "foreign_key_circle",
                table.schema,
                str(table),
                f"The foreign key {name} of {table} points at {target}, whose own keys lead back to"
                " it: Citus makes tables of a circle reference tables in no order.",
                f"{remedy} and add it again when the domains are distributed.",
            )
        elif table.schema in facts.schemas:
            yield from _key_of_domain(facts, table, target, name, remedy, sets_default)
        elif target.schema in facts.schemas:
            yield facts.obstacle(
                "foreign_key_across",
                target.schema,
                str(table),
                f"The foreign key {name} of {table} points at {target}, from another schema.",
                remedy,
            )
        elif target in facts.reference_tables and not facts.keeps_key(table):
            yield facts.obstacle(
                "foreign_key_half_enforced",
                table.schema,
                str(table),
                f"The foreign key {name} of {table}, which stays on the coordinator, points at the"
                f" reference table {target}: whoever deletes there would not be stopped.",
                remedy,
            )


def _key_of_domain(
    facts: Facts,
    table: QualifiedName,
    target: QualifiedName,
    name: str,
    remedy: str,
    sets_default: bool,
) -> Iterator[Obstacle]:
    if sets_default:
        yield facts.obstacle(
            "foreign_key_default",
            table.schema,
            str(table),
            f"The foreign key {name} of {table} sets a default that draws from a sequence.",
            remedy,
        )
    if target.schema == table.schema or target in facts.reference_tables:
        return
    if target.schema == CORE_SCHEMA:
        yield facts.obstacle(
            "foreign_key_to_local",
            table.schema,
            str(table),
            f"The foreign key {name} of {table} points at {target}, which stays on the coordinator:"
            " it is unlogged, partitioned, or the table of no model of core.",
            remedy,
        )
    else:
        yield facts.obstacle(
            "foreign_key_across",
            table.schema,
            str(table),
            f"The foreign key {name} of {table} points at {target}, in another schema.",
            remedy,
        )
