"""Obstacles in tables: what Citus refuses to distribute, and what stops working on shards."""

from __future__ import annotations

from collections.abc import Iterator

from ..obstacle import Obstacle
from .facts import Facts

PARENTS = """
SELECT CASE WHEN n.nspname = ANY(%(schemas)s) THEN n.nspname ELSE pn.nspname END,
    format('%%I.%%I', n.nspname, c.relname), format('%%I.%%I', pn.nspname, p.relname),
    c.relispartition, quote_ident(pn.nspname), n.nspname = pn.nspname, c.relkind = 'p'
FROM pg_catalog.pg_inherits i
JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
WHERE c.relkind IN ('r', 'p', 'f')
    AND (n.nspname = ANY(%(schemas)s) OR pn.nspname = ANY(%(schemas)s))
ORDER BY 1, 2, 3
"""

SEQUENCE_TYPES = """
SELECT min(n.nspname), format('%%I.%%I', sn.nspname, s.relname),
    string_agg(DISTINCT format('%%I.%%I.%%I', n.nspname, c.relname, a.attname), ', ')
FROM pg_catalog.pg_attrdef f
JOIN pg_catalog.pg_class c ON c.oid = f.adrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.adnum
JOIN pg_catalog.pg_depend d ON d.classid = f.tableoid AND d.objid = f.oid
    AND d.refclassid = c.tableoid
JOIN pg_catalog.pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
WHERE n.nspname = ANY(%(schemas)s)
GROUP BY 2 HAVING count(DISTINCT a.atttypid) > 1 ORDER BY 1, 2
"""

RULES = """
SELECT n.nspname, format('%%I.%%I', n.nspname, c.relname), w.rulename, quote_ident(w.rulename)
FROM pg_catalog.pg_rewrite w
JOIN pg_catalog.pg_class c ON c.oid = w.ev_class
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p') AND w.rulename <> '_RETURN'
    AND pg_get_ruledef(w.oid) !~ 'NOTHING;$'
ORDER BY 1, 2, 3
"""

FOREIGN_TABLES = """
SELECT n.nspname, format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'f' AND NOT c.relispartition ORDER BY 1, 2
"""

EXTENSIONS = """
SELECT n.nspname, x.extname, quote_ident(x.extname)
FROM pg_catalog.pg_extension x
JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
WHERE n.nspname = ANY(%(schemas)s) ORDER BY 1, 2
"""


def table_obstacles(facts: Facts) -> Iterator[Obstacle]:
    """Yield what is wrong with the tables of the domains."""
    yield from _parents(facts)
    for schema, sequence, columns in facts.rows(SEQUENCE_TYPES):
        yield facts.obstacle(
            "sequence_types",
            schema,
            sequence,
            f"The defaults of {columns} draw from one sequence, but have different types.",
            "Give each column a sequence of its own, in a migration.",
        )
    for schema, table, name, quoted in facts.rows(RULES):
        yield facts.obstacle(
            "rule_action",
            schema,
            table,
            f"The rule {name} of {table} runs a statement, which Citus refuses whenever the rule"
            " is used. A rule that does NOTHING is kept.",
            f"DROP RULE {quoted} ON {table};",
        )
    for schema, table in facts.rows(FOREIGN_TABLES):
        yield facts.obstacle(
            "foreign_table",
            schema,
            table,
            f"{table} is a foreign table, which a distributed schema cannot have.",
            f"Put it into a schema that stays on the coordinator, or: DROP FOREIGN TABLE {table};",
        )
    for schema, name, quoted in facts.rows(EXTENSIONS):
        yield facts.obstacle(
            "extension_schema",
            schema,
            name,
            f"The extension {name} is in the schema {schema}, which could not be distributed.",
            f"ALTER EXTENSION {quoted} SET SCHEMA public;",
        )


def _parents(facts: Facts) -> Iterator[Obstacle]:
    for schema, table, parent, is_partition, target, is_same, is_divided in facts.rows(PARENTS):
        if not is_partition:
            yield facts.obstacle(
                "inheritance",
                schema,
                table,
                f"{table} inherits from {parent}, which a distributed schema does not allow.",
                f"ALTER TABLE {table} NO INHERIT {parent};",
            )
        elif not is_same:
            yield facts.obstacle(
                "partition_elsewhere",
                schema,
                table,
                f"{table} is a partition of {parent}, which is in another schema.",
                f"ALTER TABLE {table} SET SCHEMA {target};",
            )
        elif is_divided:
            yield facts.obstacle(
                "partition_levels",
                schema,
                table,
                f"{table} is a partition of {parent}, and is partitioned itself: Citus distributes"
                " one level.",
                f"ALTER TABLE {parent} DETACH PARTITION {table}; and attach its partitions to"
                f" {parent}.",
            )
