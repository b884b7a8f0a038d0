"""Obstacles in triggers: on shards, and on the copies of reference tables."""

from __future__ import annotations

from collections.abc import Iterator

from ...domains import QualifiedName
from ...engine.cluster.triggers import ENABLED_AS
from ...engine.sessions.connection import fetch_all
from ..obstacle import Obstacle
from .facts import Facts

TRIGGERS = """
SELECT n.nspname, format('%%I.%%I', n.nspname, c.relname), g.tgname, quote_ident(g.tgname),
    g.tgoldtable IS NOT NULL OR g.tgnewtable IS NOT NULL,
    (SELECT quote_ident(x.extname) FROM pg_catalog.pg_depend d
     JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
     WHERE d.classid = g.tableoid AND d.objid = g.oid AND d.refclassid = x.tableoid LIMIT 1)
FROM pg_catalog.pg_trigger g
JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND NOT g.tgisinternal ORDER BY 1, 2, 3
"""

TRIGGERS_OF_TABLES = """
SELECT n.nspname, c.relname, g.tgname, quote_ident(g.tgname)
FROM pg_catalog.pg_trigger g
JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN unnest(%s::text[], %s::text[]) AS t (schema, name)
    ON t.schema = n.nspname AND t.name = c.relname
WHERE NOT g.tgisinternal ORDER BY 1, 2, 3
"""

# What Citus does to a partitioned table's trigger, it does to those of its partitions.
TRIGGERS_OF_PARTITIONS = """
SELECT n.nspname, format('%%I.%%I', n.nspname, c.relname), g.tgname, quote_ident(g.tgname),
    pt.tgrelid::regclass::text, pt.tgenabled
FROM pg_catalog.pg_trigger g
JOIN pg_catalog.pg_trigger pt ON pt.oid = g.tgparentid AND pt.tgenabled <> g.tgenabled
JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND NOT g.tgisinternal ORDER BY 1, 2, 3
"""


def trigger_obstacles(facts: Facts) -> Iterator[Obstacle]:
    """Yield the triggers that Citus refuses, that fail on shards, or that fire several times."""
    for schema, table, name, quoted, has_transition, extension in facts.rows(TRIGGERS):
        if has_transition:
            yield facts.obstacle(
                "trigger_transition",
                schema,
                table,
                f"The trigger {name} of {table} reads a transition table, which is not found on"
                " shards: every statement that fires it would fail.",
                f"DROP TRIGGER {quoted} ON {table}; or write it FOR EACH ROW.",
            )
        if extension is not None:
            yield facts.obstacle(
                "trigger_extension",
                schema,
                table,
                f"The trigger {name} of {table} depends on the extension {extension}, which Citus"
                " refuses.",
                f"ALTER TRIGGER {quoted} ON {table} NO DEPENDS ON EXTENSION {extension};",
            )
    for schema, table, name, quoted, parent, state in facts.rows(TRIGGERS_OF_PARTITIONS):
        word = ENABLED_AS.get(state, "DISABLE")
        yield facts.obstacle(
            "trigger_state",
            schema,
            table,
            f"The trigger {name} of the partition {table} is not in the state of the one of"
            f" {parent}, which it would get.",
            f"ALTER TABLE {table} {word} TRIGGER {quoted};",
        )
    tables = sorted(facts.reference_tables)
    names = [[table.schema for table in tables], [table.name for table in tables]]
    for *parts, name, quoted in fetch_all(facts.connection, TRIGGERS_OF_TABLES, names):
        table = QualifiedName(*parts)
        yield facts.obstacle(
            "trigger_on_core",
            table.schema,
            str(table),
            f"The trigger {name} of {table} would fire once on every node, because every node has"
            " a copy of the table.",
            f"DROP TRIGGER {quoted} ON {table.db_table}; and do its work in the code that writes.",
        )
