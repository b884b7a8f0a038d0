"""A process that uses an embedded server: connects, does what its standard input says, leaves.

Started as `python -m tests.config.embedded_user FOLDER`; it answers each line with a line.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psycopg

from config.embedded.cluster import cluster_in
from tests.config.processes import PROGRAMS_VARIABLE, become_ordinary


def query(statement: str) -> str:
    with psycopg.connect(dbname="domains", autocommit=True, **cluster.parameters) as session:
        cursor = session.execute(statement)
        return str(cursor.fetchone()[0]) if cursor.description else "done"


def fork_and_leave(statement: str) -> str:
    """Leave a child process that runs the statement after this one has ended."""
    parent = os.getpid()
    if os.fork():
        return str(parent)
    sys.stdin.read()
    while os.getppid() == parent:
        signal.sigtimedwait([], 0.02)
    answer = query(statement)
    Path(sys.argv[2]).write_text(answer)
    sys.exit()


programs = os.environ.get(PROGRAMS_VARIABLE)
become_ordinary()
cluster = cluster_in(Path(sys.argv[1]), programs=Path(programs) if programs else None)
cluster.ensure_running()
cluster.ensure_database("domains")
print("ready", flush=True)
for line in sys.stdin:
    kind, _, rest = line.strip().partition(" ")
    if kind == "fork":
        print(fork_and_leave(rest), flush=True)
    elif kind == "query":
        print(query(rest), flush=True)
    else:
        cluster.ensure_running()
        print("ready", flush=True)
