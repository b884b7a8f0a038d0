"""The parts of shards, and of the tables that they belong to: columns, constraints, policies …

A table is described by the same query on the coordinator and on the nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import LiteralString, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ..sessions.connection import as_text
from .node_queries import NodeQuery, ask_nodes
from .shards import Placement

# What PostgreSQL 18 keeps of NOT NULL as constraints is compared with the columns. An identity and
# a default that draws from a sequence are the table's alone: shards get the numbers with the rows.
# So are triggers of TRUNCATE, which fire on the coordinator.
DESCRIBED: LiteralString = """
SELECT r.name, p.kind, p.name, p.definition
FROM unnest({relations}::text[]) AS r (name)
CROSS JOIN LATERAL (SELECT pg_catalog.to_regclass(r.name)::oid AS oid) c
CROSS JOIN LATERAL (
    SELECT 'table' AS kind, '' AS name, '' AS definition WHERE c.oid IS NOT NULL
    UNION ALL
    SELECT 'column', a.attname, concat_ws(' ',
        pg_catalog.format_type(a.atttypid, a.atttypmod),
        'COLLATE ' || nullif(a.attcollation, t.typcollation)::regcollation,
        CASE WHEN a.attgenerated = '' THEN 'DEFAULT '
            ELSE 'GENERATED ' || a.attgenerated::text || ' AS ' END
            || pg_catalog.pg_get_expr(d.adbin, d.adrelid),
        CASE WHEN a.attnotnull THEN 'NOT NULL' END)
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        AND d.adbin::text NOT LIKE '%:funcid ' || 'nextval(regclass)'::regprocedure::oid || ' %'
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'constraint', k.conname, pg_catalog.pg_get_constraintdef(k.oid)
    FROM pg_catalog.pg_constraint k
    WHERE k.conrelid = c.oid AND k.contype IN ('c', 'f', 'p', 'u', 'x')
    UNION ALL
    SELECT 'index', x.relname,
        replace(pg_catalog.pg_get_indexdef(x.oid), format('%I', x.relname) || ' ON ', 'ON ')
            || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    WHERE i.indrelid = c.oid AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
        WHERE k.conindid = x.oid AND k.conrelid = c.oid)
    UNION ALL
    SELECT 'trigger', g.tgname, concat_ws(' ',
        replace(pg_catalog.pg_get_triggerdef(g.oid), format(' %I ', g.tgname), ' '),
        CASE g.tgenabled WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'ENABLED REPLICA'
            WHEN 'A' THEN 'ENABLED ALWAYS' END)
    FROM pg_catalog.pg_trigger g
    WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgtype & 32 = 0
    UNION ALL
    SELECT 'policy', o.polname, concat_ws(' ',
        CASE WHEN o.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
        'FOR ' || CASE o.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT'
            WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
        'TO ' || (SELECT string_agg(coalesce(pg_catalog.quote_ident(b.rolname), 'PUBLIC'), ', '
                ORDER BY b.rolname)
            FROM unnest(o.polroles) AS u (oid) LEFT JOIN pg_catalog.pg_roles b ON b.oid = u.oid),
        'USING ' || pg_catalog.pg_get_expr(o.polqual, o.polrelid),
        'WITH CHECK ' || pg_catalog.pg_get_expr(o.polwithcheck, o.polrelid))
    FROM pg_catalog.pg_policy o WHERE o.polrelid = c.oid
    UNION ALL
    SELECT 'setting', 'ROW LEVEL SECURITY', CASE WHEN NOT e.relrowsecurity THEN 'DISABLED'
        WHEN e.relforcerowsecurity THEN 'FORCED' ELSE 'ENABLED' END
    FROM pg_catalog.pg_class e WHERE e.oid = c.oid
) p
"""

# The subquery runs after the setting, on which deparsed names depend, has been changed.
ON_NODE: LiteralString = f"""
SELECT CASE WHEN pg_catalog.set_config('search_path', '', true) = '' THEN (
    SELECT json_agg(json_build_array(q.relation, q.kind, q.name, q.definition))
    FROM ({DESCRIBED}) AS q (relation, kind, name, definition)
) END
"""  # noqa: S608 (made of constants only)


class Part(NamedTuple):
    """A column, constraint, index, trigger or policy of a table or shard, or a setting of it.

    One of the kind ``table`` says that it exists.
    """

    kind: str
    name: str
    definition: str


Descriptions = dict[str, list[Part]]
"""Relation → its parts; none of one that does not exist."""


def described(rows: Iterable[Sequence[str]]) -> Descriptions:
    """Return the rows of ``DESCRIBED`` by relation."""
    found: Descriptions = {}
    for relation, *part in rows:
        found.setdefault(relation, []).append(Part(*part))
    return found


def describe_shards(
    connection: BaseDatabaseWrapper, placements: Sequence[Placement]
) -> tuple[Mapping[tuple[str, int], Descriptions], list[str]]:
    """Return node → the descriptions of the shards on it, and the nodes that do not answer."""
    nodes = list(dict.fromkeys((each.host, each.port) for each in placements))
    with connection.cursor() as cursor:
        queries = [
            NodeQuery(
                *node,
                as_text(
                    cursor,
                    sql.SQL(ON_NODE).format(
                        relations=[e.shard for e in placements if (e.host, e.port) == node]
                    ),
                ),
            )
            for node in nodes
        ]
    answers = dict(zip(nodes, ask_nodes(connection, queries), strict=True))
    found = {
        node: described(answer.value or ())
        for node, answer in answers.items()
        if not answer.problem
    }
    down = [f"{host}:{port}" for (host, port), answer in answers.items() if answer.problem]
    return found, down
