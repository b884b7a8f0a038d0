"""Shards that differ from their tables.

Migrations change the table on the coordinator and its shards together; a change by hand on a node
changes a shard alone, and no query of the coordinator's catalog shows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import CORE_SCHEMA, Domain
from ...engine.catalog import drift_ids
from ...engine.catalog.fingerprint import catalog_cursor
from ...engine.cluster.shard_catalog import DESCRIBED, describe_shards, described
from ...engine.cluster.shard_comparison import PartDifference, compare_shard
from ...engine.cluster.shards import Placement, read_placements
from ...engine.messages import Finding
from ...engine.sessions.connection import as_text
from ...exceptions import NodeUnavailable
from .copied_rows import copied_row_findings

IDS = {
    "table": drift_ids.MISSING_SHARD,
    "column": drift_ids.SHARD_COLUMN,
    "constraint": drift_ids.SHARD_CONSTRAINT,
    "index": drift_ids.SHARD_INDEX,
    "trigger": drift_ids.SHARD_TRIGGER,
    "policy": drift_ids.SHARD_POLICY,
    "setting": drift_ids.SHARD_POLICY,
}


def shard_findings(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield the differences of each shard, and of each copy of a reference table.

    Without a cluster there is one query, and nothing is found.

    Raises:
        NodeUnavailable: a node with shards does not answer; what differs on others is found first.
    """
    placements = read_placements(connection, {domain.schema, CORE_SCHEMA})
    own = [each for each in placements if each.table.schema == domain.schema]
    if not own:
        return
    titles = list(dict.fromkeys(each.title for each in own))
    with catalog_cursor(connection) as cursor:
        cursor.execute(as_text(cursor, sql.SQL(DESCRIBED).format(relations=titles)))
        tables = described(cursor.fetchall())
    nodes, down = describe_shards(connection, own)
    names = {each.shard: each.title for each in placements}
    unlike = {each.table for each in own if (each.host, each.port) not in nodes}
    for placement in own:
        shards = nodes.get((placement.host, placement.port))
        if shards is None:
            continue
        found = compare_shard(tables[placement.title], shards.get(placement.shard, ()), names)
        for difference in found:
            if difference.kind in ("table", "column"):
                unlike.add(placement.table)
            yield _finding(domain, placement, difference)
    yield from copied_row_findings(
        connection, domain, [each for each in own if each.table not in unlike]
    )
    if down:
        raise NodeUnavailable(
            f'Shards of the domain "{domain.name}" are on {_listed(down)}, which'
            f" {'does' if len(down) == 1 else 'do'} not answer: they were not compared.",
            hint="Start the node, and verify the domain again.",
        )


def _listed(addresses: list[str]) -> str:
    return f"the node{'' if len(addresses) == 1 else 's'} {', '.join(addresses)}"


def _finding(domain: Domain, placement: Placement, difference: PartDifference) -> Finding:
    shard = f"{placement.shard} on the node {placement.address}"
    what = f"{difference.kind} {difference.name}"
    expected, found = difference.expected, difference.found
    if difference.kind == "table":
        message = f"The shard {shard}, which has the rows of {placement.title}, does not exist."
        hint = "Restore it from a backup of the node, or the domain from one of the database."
        return _of(domain, placement, difference, message, hint)
    if found is None:
        message = f"The shard {shard} lacks the {what}: {expected}."
        hint = "Create it on that node"
    elif expected is None:
        message = f"The shard {shard} has the {what}, which {placement.title} has not: {found}."
        hint = "Drop it on that node"
    else:
        message = (
            f"The shard {shard} has the {what} as {found}, and {placement.title} as {expected}."
        )
        hint = "Change it on that node"
    return _of(
        domain,
        placement,
        difference,
        message,
        f"{hint}, on the table {placement.shard}, in a session there with SET"
        " citus.enable_manual_changes_to_shards = on: a migration would change the coordinator's"
        " table, too.",
    )


def _of(
    domain: Domain, placement: Placement, difference: PartDifference, message: str, hint: str
) -> Finding:
    # Named after the table: the number and the node of a shard mean nothing to reviewers.
    part = difference.name.removesuffix(f"_{placement.shard_id}")
    about = f"{placement.title}.{part}" if part else placement.title
    definition = f"{difference.expected}\n{difference.found}"
    return Finding(IDS[difference.kind], "drift", domain.name, about, message, hint, definition)
