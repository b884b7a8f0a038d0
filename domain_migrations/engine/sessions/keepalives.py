"""TCP keepalives, by which both ends of a run's connection notice that the network is gone.

Without them, a run whose packets are dropped waits as long as the operating system wants, and the
server keeps its lock for two hours.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

from django.db.backends.base.base import BaseDatabaseWrapper

IDLE_SECONDS = 30
INTERVAL_SECONDS = 10
COUNT = 3
LOST_SECONDS = IDLE_SECONDS + COUNT * INTERVAL_SECONDS
"""The time without an answer after which a connection counts as lost."""

KEEPALIVES = {
    "tcp_keepalives_idle": str(IDLE_SECONDS),
    "tcp_keepalives_interval": str(INTERVAL_SECONDS),
    "tcp_keepalives_count": str(COUNT),
    "tcp_user_timeout": str(LOST_SECONDS * 1000),
}
"""Settings of the server's end; it ignores them for a local socket."""

SOCKET_OPTIONS = {
    "TCP_KEEPIDLE": IDLE_SECONDS,
    "TCP_KEEPALIVE": IDLE_SECONDS,  # macOS's name for it
    "TCP_KEEPINTVL": INTERVAL_SECONDS,
    "TCP_KEEPCNT": COUNT,
    "TCP_USER_TIMEOUT": LOST_SECONDS * 1000,
}
"""Options of the client's end, as far as the operating system has them."""


def watch_network(connection: BaseDatabaseWrapper) -> None:
    """Have the operating system end the connection if the server's does not answer any more."""
    with suppress(OSError), socket.socket(fileno=os.dup(connection.connection.fileno())) as end:
        if end.family in (socket.AF_INET, socket.AF_INET6):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in SOCKET_OPTIONS.items():
                if hasattr(socket, name):
                    end.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
