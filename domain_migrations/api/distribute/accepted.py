"""Notes on a distribution: what is accepted and kept, and what cannot be undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...domains import CORE_SCHEMA, QualifiedName
from ...engine.cluster.cluster import Node
from ...engine.cluster.node_queries import NodeQuery, ask_nodes
from ...engine.messages import counted, shortened
from ...engine.sessions.connection import fetch_one
from .facts import Facts

NO_WAY_BACK = (
    "There is no way back in place: Citus refuses citus_schema_undistribute() and SET SCHEMA for"
    " tables with identity columns. The way back is pg_dump of the coordinator, restored without"
    " the extension. Make a backup first."
)

ACCEPTED = """
SELECT
    (SELECT array_agg(format('%%I.%%I', schemaname, tablename) ORDER BY 1)
     FROM (SELECT DISTINCT schemaname, tablename FROM pg_catalog.pg_policies
           WHERE schemaname = ANY(%(schemas)s)) p),
    (SELECT array_agg(DISTINCT pubname::text) FROM pg_catalog.pg_publication_tables
     WHERE schemaname = ANY(%(schemas)s)),
    (SELECT array_agg(format('%%I.%%I', n.nspname, c.relname) ORDER BY 1)
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'm'),
    (SELECT array_agg(format('%%I.%%I', table_schema, table_name) ORDER BY 1)
     FROM information_schema.views
     WHERE table_schema = ANY(%(schemas)s)
        AND 'YES' IN (is_insertable_into, is_trigger_updatable, is_trigger_deletable))
"""

SIZE = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'm')
"""
CORE_SIZE = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
FROM unnest(%s::text[]) AS t (name)
JOIN pg_catalog.pg_namespace n ON n.nspname = %s
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
"""
PRETTY = "SELECT pg_size_pretty(%s::bigint), pg_size_pretty(%s::bigint)"

# NULL for whoever may not read it.
DATA_FOLDER = "SELECT to_json(current_setting('data_directory', true))"


def notes(facts: Facts) -> Iterator[str]:
    """Yield sentences about what is kept, and how it works then."""
    if facts.waiting:
        yield (
            f"Until {shortened(facts.waiting)} are distributed too, nothing stops whoever deletes"
            " rows of core that they point at; what they write is checked."
        )
    [row] = facts.rows(ACCEPTED)
    secured, publications, materialized, writable = row
    if secured:
        yield f"Row security is kept: {shortened(secured)}."
    if publications:
        yield (
            f"Publications are kept: {shortened(publications)}. Subscribers of the coordinator get"
            " no more changes of these tables: the rows are on the workers."
        )
    if materialized:
        yield f"Materialized views are kept, on the coordinator: {shortened(materialized)}."
    if writable:
        yield (
            f"Views can be read, and not written any more: {shortened(writable)}."
            " INSERT works where an INSTEAD OF trigger does it; UPDATE and DELETE fail."
        )


def sizes(facts: Facts, reference_tables: Sequence[QualifiedName]) -> tuple[int, int]:
    """Return the bytes of the domains' tables, and of core's that every node gets a copy of."""
    [domains] = fetch_one(facts.connection, SIZE, [facts.schemas])
    names = [table.name for table in reference_tables if table.schema == CORE_SCHEMA]
    [core] = fetch_one(facts.connection, CORE_SIZE, [names, CORE_SCHEMA])
    return int(domains), int(core)


def disk_note(facts: Facts, workers: Sequence[Node], size: int, core_size: int) -> str:
    """Return sentences about the room that is needed, and where."""
    domains, core = fetch_one(facts.connection, PRETTY, [size, core_size])
    queries = [NodeQuery(node.host, node.port, DATA_FOLDER) for node in workers]
    folders = [
        f"df -h {answer.value} on {node.address}"
        for node, answer in zip(workers, ask_nodes(facts.connection, queries), strict=True)
        if answer.value
    ]
    where = f" ({', '.join(folders)})" if folders else ""
    return (
        f"The rows of {counted(len(facts.domains), 'domain')} are copied, {domains}, each domain's"
        f" to one worker, and core's, {core}, to every node; the coordinator keeps its own until"
        f" they are compared. What is free is not visible in SQL{where}."
    )
