"""Queries that the coordinator sends to single nodes, on connections of its own.

They see what is committed only, and nothing that they do would be undone by a rollback: they read
catalogs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ..sessions.connection import fetch_all

RUN_ON_NODES = """
SELECT r.success, r.result
FROM pg_catalog.master_run_on_worker(%s::text[], %s::int[], %s::text[], true)
    WITH ORDINALITY AS r (host, port, success, result, number)
ORDER BY r.number
"""

PING = "SELECT to_json(true)"


class NodeQuery(NamedTuple):
    """A query for one node, which returns one value of the type json, or NULL."""

    host: str
    port: int
    text: str


class NodeAnswer(NamedTuple):
    """What a node has answered.

    Attributes:
        value: of the query; None where there is a problem.
        problem: why there is no answer, in Citus' words; "" if there is one.
    """

    value: Any
    problem: str


def ask_nodes(connection: BaseDatabaseWrapper, queries: Sequence[NodeQuery]) -> list[NodeAnswer]:
    """Return the answers to the queries, in their order; a node that is down raises nothing."""
    if not queries:
        return []
    columns = [list(column) for column in zip(*queries, strict=True)]
    return [
        NodeAnswer(json.loads(result) if result else None, "")
        if success
        else NodeAnswer(None, result or "no answer")
        for success, result in fetch_all(connection, RUN_ON_NODES, columns)
    ]
