"""The rows that a distributed table had on the coordinator, where no query sees them any more.

They are kept until the rows on the nodes are found to be whole, and removed then.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import QualifiedName
from ...engine.cluster.local_rows import removal_statement
from ...engine.sessions.connection import execute, fetch_all
from ...engine.sessions.database_problems import Clock
from ...exceptions import DistributionFailed, NodeUnavailable
from ..extract.row_checksums import hashed_columns
from .contents import TEXT_SETTINGS

# The settings of the other sessions may differ, and the text of values with them.
PLACEMENT_SUM = """
WITH settings AS MATERIALIZED (SELECT {settings})
SELECT json_build_array(count(*), coalesce(sum(hash_record_extended(ROW({columns}), 0)), 0)::text)
FROM settings, {shard} AS t
"""
SHARD = "%s"
ON_PLACEMENTS = """
SELECT nodename || ':' || nodeport, success, result
FROM pg_catalog.run_command_on_placements({table}::regclass, {query})
"""

ROUNDS = 5
PAUSE = 0.2

Retry = Callable[[str, Callable[[], None]], None]
"""Runs a transaction, which the first argument names, again after each lock timeout."""


def remove_local_copies(
    connection: BaseDatabaseWrapper,
    tables: Collection[QualifiedName],
    retry: Retry,
    clock: Clock = time,
) -> Iterator[QualifiedName]:
    """Remove the hidden rows of tables, and yield each table that has none any more.

    Arguments:
        retry: runs the removal, for which nobody may be reading the table.

    Raises:
        NodeUnavailable: a node with the rows does not answer.
        DistributionFailed: the nodes have other rows than each other.
    """
    columns = {
        table: parts
        for schema in {table.schema for table in tables}
        for table, parts in hashed_columns(connection, schema).items()
    }
    for table in tables:
        _check_placements(connection, table, columns.get(table, []), clock)
        statement = removal_statement(table)
        remove = partial(execute, connection, statement)
        retry(f"The removal of the local rows of {table}", remove)
        yield table


def _check_placements(
    connection: BaseDatabaseWrapper,
    table: QualifiedName,
    columns: Sequence[sql.Composable],
    clock: Clock,
) -> None:
    """Check that every node with a copy of the table answers, and that all copies are equal."""
    for number in range(ROUNDS):
        if number:
            clock.sleep(PAUSE)  # Somebody may have written between the answers.
        answers = ask_for_sums(connection, table, columns)
        for address, success, result in answers:
            if not success:
                raise NodeUnavailable(
                    f"The node {address} could not be asked for the rows of {table}: {result}.",
                    hint="The distribution is committed. When the node answers, run the command"
                    " again: it removes the local rows that are left.",
                )
        sums = {address: tuple(json.loads(result)) for address, _, result in answers}
        if len(set(sums.values())) == 1:
            return
    found = ", ".join(f"{address} has {count} rows" for address, (count, _) in sums.items())
    raise DistributionFailed(
        f"The copies of {table} differ between the nodes: {found or 'no node has one'}.",
        hint="Its rows on the coordinator are kept, where no query sees them. The view citus_shards"
        " names the copies.",
    )


def ask_for_sums(
    connection: BaseDatabaseWrapper, table: QualifiedName, columns: Sequence[sql.Composable]
) -> list[tuple[str, bool, str]]:
    """Return for each copy of the table its node, whether that has answered, and what.

    The answer is a JSON list of the number of rows and the sum of their hashes.
    """
    return fetch_all(
        connection,
        sql.SQL(ON_PLACEMENTS).format(
            table=table.db_table, query=_placement_query(connection, columns)
        ),
    )


def _placement_query(connection: BaseDatabaseWrapper, columns: Sequence[sql.Composable]) -> str:
    """Return the query for a shard, in which Citus replaces ``%s`` by the shard's name."""
    settings = sql.SQL(", ").join(
        sql.SQL("set_config({}, {}, true)").format(name, value)
        for name, value in TEXT_SETTINGS.items()
    )
    with connection.cursor() as cursor:
        listed = sql.SQL(", ").join(columns).as_string(cursor.connection).replace("%", "%%")
        values = settings.as_string(cursor.connection)
    return PLACEMENT_SUM.format(settings=values, columns=listed, shard=SHARD)
