"""Time and memory of `inspect_domain`, beside `pg_dump -s` of the same schema.

    python -m benchmarks.inspection
    python -m benchmarks.inspection --tables 40 --runs 1 --limit 100

Makes a schema with the given number of tables, and runs alternately: `pg_dump -s` of it, the start
of Django with one query, `inspect_domain --no-proof --dry-run`, and `inspect_domain --dry-run` with
the proof. `cpu` is that of the client processes, `server` that of the server (on Linux), `total`
both. `ratio` is the time, and the total, without the start in relation to `pg_dump -s`. Prints one
JSON object; the exit status is 1 if reading and writing exceed the limits.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from benchmarks.deploys.measuring import Contender, Measured, measure  # noqa: E402
from benchmarks.inspection_schema import SCHEMA, statements  # noqa: E402
from tests.support import databases, servers  # noqa: E402
from tests.support.commands import ROOT, process_environment  # noqa: E402
from tests.support.projects import CONTRIB, Project, write_project  # noqa: E402

DUMP, START, READ, PROVEN = "pg_dump -s", "start of Django", "without the proof", "with the proof"
RATIO, MEMORY = 2.0, 200 * 2**20
ONE_QUERY = """
import django
django.setup()
from django.db import connection
connection.cursor().execute("SELECT 1")
"""


class ServerClock:
    """CPU seconds of the server's sessions, for each contender between two looks at the clock."""

    def __init__(self, found: servers.TestServer) -> None:
        line = (found.cluster.home.data / "postmaster.pid").read_text().partition("\n")[0]
        self.stat = Path(f"/proc/{line}/stat")
        self.seconds: dict[str, list[float]] = {}
        self.current = ("", 0.0)

    def begin(self, name: str) -> None:
        """End the part of one contender, and begin that of the next."""
        before, since = self.current
        now = self._read()
        self.seconds.setdefault(before, []).append(now - since)
        self.current = (name, now)

    def _read(self) -> float:
        """The CPU of the sessions that have ended; they end a moment after their clients."""
        time.sleep(0.5)
        fields = self.stat.read_text().rpartition(")")[2].split()
        return sum(map(int, fields[13:15])) / os.sysconf("SC_CLK_TCK")


def contenders(
    found: servers.TestServer, project: Project, clock: ServerClock, runs: int, *, prove: bool
) -> list[Contender]:
    """The processes that are compared."""
    environment = process_environment(
        {"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "settings"}
    )
    address = (f"--{key}={found.parameters[key]}" for key in ("host", "port"))
    user = f"--username={found.parameters['user']}"
    inspect = [sys.executable, "manage.py", "inspect_domain", SCHEMA, "--dry-run"]
    commands = {
        DUMP: [found.program("pg_dump"), *address, user, "-s", "-n", SCHEMA, project.database],
        START: [sys.executable, "-c", ONE_QUERY],
        READ: [*inspect, "--no-proof"],
        **({PROVEN: inspect} if prove else {}),
    }
    most = {PROVEN: max(1, runs // 2)}
    return [
        Contender(
            name, command, project.path, environment, partial(clock.begin, name), most.get(name)
        )
        for name, command in commands.items()
    ]


def result(measured: Measured, server: list[float]) -> dict[str, Any]:
    """The figures of one contender; ``total`` is the CPU of clients and server."""
    found = measured.as_json()
    total = statistics.median(
        own.cpu + other for own, other in zip(measured.samples, server, strict=True)
    )
    return {**found, "server": round(statistics.median(server), 4), "total": round(total, 4)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--no-proof", action="store_false", dest="prove")
    parser.add_argument("--limit", type=float, default=RATIO)
    options = parser.parse_args()
    folder = servers.make_folder()
    found = servers.session_server()
    try:
        found.start()
        with (
            tempfile.TemporaryDirectory(prefix="inspection-") as place,
            databases.scratch(found, prefix="inspection") as name,
        ):
            database = {**found.settings, "NAME": name}
            installed = ["domain_migrations", *CONTRIB, "django.contrib.postgres"]
            project = write_project(
                Path(place), {}, database=database, settings={"INSTALLED_APPS": installed}
            )
            if (migrated := project.manage("migrate")).returncode:
                raise SystemExit(migrated.stderr)
            with found.connect(name) as session:
                session.execute("\n".join(statements(options.tables)))
                session.execute("VACUUM ANALYZE")
            clock = ServerClock(found)
            runs = options.runs
            contended = contenders(found, project, clock, runs, prove=options.prove)
            done = measure(contended, runs)
            clock.begin("")
    finally:
        found.cluster.leave()
        servers.remove(folder)
    results = {item.name: result(item, clock.seconds[item.name]) for item in done}
    report = {
        "tables": options.tables,
        "python": platform.python_version(),
        "django": django.__version__,
        "server": found.kind,
        "cores": os.cpu_count(),
        "limit": options.limit,
        "ratio": {name: ratios(results, name) for name in (READ, PROVEN) if name in results},
        "results": list(results.values()),
    }
    print(json.dumps(report, indent=2))
    is_slow = report["ratio"][READ]["seconds"] > options.limit
    return int(is_slow or results[READ]["memory"] > MEMORY)


def ratios(results: dict[str, dict[str, Any]], name: str) -> dict[str, float]:
    """Time and CPU without those of the start, in relation to `pg_dump -s`."""
    return {
        key: round((results[name][key] - results[START][key]) / results[DUMP][key], 2)
        for key in ("seconds", "total")
    }


if __name__ == "__main__":
    sys.exit(main())
