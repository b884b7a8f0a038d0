"""Copies of reference tables whose rows are not the same.

Every node has a copy of such a table, and writes go to all of them. A copy that was changed on its
node gives other results there, and to those whose queries are routed there only.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import CORE_SCHEMA, Domain, QualifiedName
from ...engine.catalog import drift_ids
from ...engine.cluster.shards import Placement, measure_shards
from ...engine.messages import Finding
from ...engine.sessions.database_problems import Clock
from ..distribute.local_copies import ask_for_sums
from ..extract.row_checksums import Checksum, hashed_columns

LARGEST = 32 * 1024 * 1024
"""The size of a copy above which its rows are not read."""

ROUNDS = 5
PAUSE = 1.0


def copied_row_findings(
    connection: BaseDatabaseWrapper,
    domain: Domain,
    placements: Collection[Placement],
    clock: Clock = time,
) -> Iterator[Finding]:
    """Yield the reference tables of core that have other rows on one node than on another.

    Not compared are large ones, and those that the role may not read.

    Arguments:
        placements: the copies, whose columns are those of their tables.
    """
    copies = [each for each in placements if each.is_reference]
    if not copies:
        return
    columns = hashed_columns(connection, CORE_SCHEMA)
    for table, measure in measure_shards(connection, copies).items():
        if measure.size is None or measure.size > LARGEST or table not in columns:
            continue
        sums = _lasting_difference(connection, table, columns[table], clock)
        if sums:
            yield _finding(domain, [each for each in copies if each.table == table], sums)


def _lasting_difference(
    connection: BaseDatabaseWrapper,
    table: QualifiedName,
    columns: Sequence[sql.Composable],
    clock: Clock,
) -> Mapping[str, Checksum]:
    """Return what the nodes have, if they differ by the same rows twice; else nothing.

    The nodes do not commit at the same moment: what is being written now differs by other rows the
    next time.
    """
    before = None
    for number in range(ROUNDS):
        if number:
            clock.sleep(PAUSE)
        answers = ask_for_sums(connection, table, columns)
        if not all(success for _, success, _ in answers):
            return {}
        sums = {address: Checksum(*json.loads(result)) for address, _, result in answers}
        first = next(iter(sums.values()), Checksum(0, "0"))
        difference = [
            (each.rows - first.rows, int(each.total) - int(first.total)) for each in sums.values()
        ]
        if not any(map(any, difference)):
            return {}
        if difference == before:
            return sums
        before = difference
    return {}


def _finding(domain: Domain, copies: Sequence[Placement], sums: Mapping[str, Checksum]) -> Finding:
    title = copies[0].title
    rows = ", ".join(f"{each.rows} on {address}" for address, each in sums.items())
    same = "" if len({each.rows for each in sums.values()}) > 1 else ", with other values"
    return Finding(
        drift_ids.COPIED_ROWS,
        "drift",
        domain.name,
        title,
        f"The copies of {title} have other rows on one node than on another: {rows}{same}.",
        f"Find out which copy is right, and change the table {copies[0].shard} on the other nodes,"
        " in a session there with SET citus.enable_manual_changes_to_shards = on: a statement on"
        " the coordinator changes all copies.",
    )
