"""The SQLSTATE with which a server refuses a connection.

libpq keeps only the text of a refusal, in the server's language. Its trace of the protocol has the
SQLSTATE, so a connection that was refused is attempted once more and traced. Before version 17 of
libpq, and elsewhere than on Linux, a refusal before the authentication is not traced; ``PQping``
tells then whether the server accepts connections.
"""

from __future__ import annotations

import os
import re
import select
import sys
import time
from typing import Any

from psycopg import pq
from psycopg.conninfo import make_conninfo

SECONDS = 5.0
"""How long the second attempt may take."""

CANNOT_CONNECT_NOW = "57P03"
REFUSAL = re.compile(rb'\bErrorResponse\b.*?\bC "([0-9A-Z]{5})"', re.DOTALL)


def refused_state(failed: Any) -> str | None:
    """Return the SQLSTATE with which the server answers, None if it has none or accepts.

    Arguments:
        failed: psycopg's record of the attempt that failed.
    """
    values = {option.keyword.decode(): option.val.decode() for option in failed.info if option.val}
    conninfo = make_conninfo(**values).encode()
    if sys.platform == "linux":
        with os.fdopen(os.memfd_create("refusal"), "rb") as trace:
            _attempt(conninfo, trace.fileno())
            trace.seek(0)
            if found := REFUSAL.findall(trace.read()):
                return str(found[-1].decode())
    return CANNOT_CONNECT_NOW if pq.PGconn.ping(conninfo) == pq.Ping.REJECT else None


def _attempt(conninfo: bytes, trace: int) -> None:
    """Connect, and write what the server answers to a file."""
    deadline = time.monotonic() + SECONDS
    session = pq.PGconn.connect_start(conninfo)
    try:
        if session.status == pq.ConnStatus.BAD:
            return
        session.trace(trace)
        status = session.connect_poll()
        while status in (pq.PollingStatus.READING, pq.PollingStatus.WRITING):
            reads = [session.socket] if status == pq.PollingStatus.READING else []
            writes = [] if reads else [session.socket]
            if not any(select.select(reads, writes, [], max(0.0, deadline - time.monotonic()))):
                return
            status = session.connect_poll()
        session.untrace()
    finally:
        session.finish()
