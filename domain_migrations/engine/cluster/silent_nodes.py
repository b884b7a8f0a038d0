"""Nodes that take connections and never answer, as one that is stopped or whose disk hangs does.

A session of the coordinator waits for such a node without an end, and if it was connected to it
before, it cannot be cancelled either. So what only reads is watched: where that takes
long, the nodes are asked on another session, and if one of them is silent the wait is ended here.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

PATIENCE = 3.0
"""Seconds after which the nodes are asked, and again."""

ANSWER_SECONDS = 2.0
"""The time that a node has to let a session begin; Citus' own limit is 30 seconds."""

CANCEL_SECONDS = 1.0
STOP_SECONDS = 2.0
APPLICATION_NAME = "domain_migrations nodes"

LIMIT = f"SET citus.node_connection_timeout = '{ANSWER_SECONDS:.0f}s'"


class SilenceWatcher:
    """Ends the wait for a node that does not answer, in a ``with`` block.

    It connects only when the block takes long. The statement that waits then fails.

    Attributes:
        silent: the addresses of the nodes for which it has ended the wait.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection
        self.silent: frozenset[str] = frozenset()

    def __enter__(self) -> SilenceWatcher:
        self._stop = threading.Event()
        # The parameters are read here, because the wrapper belongs to this thread.
        self._thread = threading.Thread(
            target=self._watch,
            args=(self._connection.get_connection_params(),),
            name=APPLICATION_NAME,
            daemon=True,
        )
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join(STOP_SECONDS)

    def _watch(self, params: dict[str, Any]) -> None:
        if self._stop.wait(PATIENCE):
            return
        # Most reads are over by now, and most databases are in no cluster.
        from ..sessions.pooling import raw_connection
        from .cluster import EXTENSION

        # Where the nodes cannot be asked, the block waits as long as it would without this.
        with (
            suppress(psycopg.Error),
            raw_connection(params, application_name=APPLICATION_NAME) as client,
        ):
            if client.execute(EXTENSION).fetchone() is None:
                return
            client.execute(LIMIT)
            while not self._stop.is_set():
                if silent := _silent_nodes(client):
                    self._end_wait(silent)
                    return
                self._stop.wait(PATIENCE)

    def _end_wait(self, silent: frozenset[str]) -> None:
        raw = self._connection.connection
        if self._stop.is_set() or raw is None or raw.closed:
            return
        self.silent = silent
        with suppress(psycopg.Error):
            raw.cancel()
        if not self._stop.wait(CANCEL_SECONDS) and not raw.closed:
            # The server's process waits for the node before it ends the statement.
            with suppress(OSError), socket.socket(fileno=os.dup(raw.fileno())) as end:
                end.shutdown(socket.SHUT_RDWR)


def _silent_nodes(client: psycopg.Connection[Any]) -> frozenset[str]:
    from .cluster import NODES, Node
    from .node_queries import PING, RUN_ON_NODES

    nodes = [Node(*row) for row in client.execute(NODES).fetchall()]
    others = [node for node in nodes if not node.is_coordinator]
    columns = [node.host for node in others], [node.port for node in others], [PING] * len(others)
    answers = client.execute(RUN_ON_NODES, columns).fetchall() if others else []
    return frozenset(
        node.address for node, (success, _) in zip(others, answers, strict=True) if not success
    )
