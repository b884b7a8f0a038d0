"""Cost of the boundary guard: inventory's history applied with and without it.

    python -m benchmarks.guard
    python -m benchmarks.guard --relations 500 --runs 1

Runs `manage.py migrate_domain inventory` alternately with and without the guard, in a database that
contains all of this project except inventory, and in one with the given number of additional
relations: tables of another domain and their indexes. `share`, to which the limit applies, is the
time spent in the guard divided by the rest of the same process's time; `of_run` is its share of the
time after `django.setup()`. `difference` compares the medians of both kinds of processes, and so
includes whatever else the machine did in the meantime. Prints one JSON object; the exit status is 1
if a share exceeds the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import django
from psycopg import sql

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["DOMAIN_SNAPSHOTS"] = "off"  # Replay the history.
django.setup()

from django.db import connections  # noqa: E402

from config.database import ENGINE  # noqa: E402
from tests.support import databases, servers  # noqa: E402
from tests.support.commands import ROOT, call  # noqa: E402

DATABASES = {"this project": 0, "many relations": 50_000}
LIMIT = 0.05
BATCH = 500
"""Tables created in one transaction: each takes two locks, and the lock table is small."""

CREATE_RELATIONS = """
DO $do$ BEGIN
    FOR n IN {first}..{last} LOOP
        EXECUTE format('CREATE TABLE hr.filler_%s (id int PRIMARY KEY, number int)', n);
    END LOOP;
END $do$
"""

FORGET = """
DROP SCHEMA IF EXISTS inventory CASCADE;
DELETE FROM auth_permission WHERE content_type_id IN (
    SELECT id FROM django_content_type WHERE app_label = 'inventory');
DELETE FROM django_content_type WHERE app_label = 'inventory'
"""

# Without VACUUM, the database would become slower from run to run.
VACUUM = """
VACUUM ANALYZE pg_class, pg_attribute, pg_attrdef, pg_constraint, pg_depend, pg_description,
    pg_index, pg_proc, pg_rewrite, pg_sequence, pg_shdepend, pg_trigger, pg_type,
    auth_permission, django_content_type
"""


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    with _server() as server, ExitStack() as stack:
        found = {}
        for name, relations in {**DATABASES, "many relations": options.relations}.items():
            database = stack.enter_context(_database(server, relations))
            found[name] = _measure(server, database, options.runs)
            _print(name, found[name])
    most = max(database["share"] for database in found.values())
    report = {"relations": options.relations, "runs": options.runs, "limit": options.limit}
    print(json.dumps({**report, "databases": found}))
    return int(most > options.limit)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description=__doc__)
    parser.add_argument("--relations", type=int, default=DATABASES["many relations"])
    parser.add_argument("--runs", type=int, default=15, help="pairs of runs in each database")
    parser.add_argument("--limit", type=float, default=LIMIT, help="highest share of the guard")
    return parser


@contextmanager
def _server() -> Iterator[servers.TestServer]:
    """Start a separate server, to which Django's default connection points."""
    folder = servers.make_folder()
    server = servers.session_server()
    try:
        server.start()
        entry = connections.settings["default"]
        entry.update(ENGINE=ENGINE, PASSWORD="", OPTIONS={}, CONN_MAX_AGE=0, **server.settings)
        connections["default"] = connections.create_connection("default")
        yield server
    finally:
        server.cluster.leave()
        servers.remove(folder)


@contextmanager
def _database(server: servers.TestServer, relations: int) -> Iterator[str]:
    with databases.scratch(server, prefix="guard") as name:
        with databases.default_database(name):
            for domain in ("core", "hr", "finance"):
                _succeed(call("migrate_domain", domain, interactive=False))
        with server.connect(name) as session:
            for first in range(1, relations // 2 + 1, BATCH):
                last = min(first + BATCH - 1, relations // 2)
                statement = sql.SQL(CREATE_RELATIONS)
                session.execute(statement.format(first=first, last=last))
        yield name


def _measure(server: servers.TestServer, database: str, runs: int) -> dict[str, Any]:
    _run(server, database, "with")  # Compiles modules and fills the disk cache.
    shares, of_run = [], []
    seconds: dict[str, list[float]] = {"with": [], "without": []}
    for number in range(runs):
        for kind in (("with", "without"), ("without", "with"))[number % 2]:
            whole, run, inside = _run(server, database, kind)
            seconds[kind].append(whole)
            if kind == "with":
                shares.append(inside / (whole - inside))
                of_run.append(inside / (run - inside))
    on, off = (statistics.median(seconds[kind]) for kind in ("with", "without"))
    return {
        "share": round(statistics.median(shares), 4),
        "of_run": round(statistics.median(of_run), 4),
        "with": round(on, 4),
        "without": round(off, 4),
        "difference": round(on / off - 1, 4),
        "shares": [round(share, 4) for share in shares],
    }


def _run(server: servers.TestServer, database: str, kind: str) -> tuple[float, float, float]:
    """Return the seconds of a process that applies the history, of its run, and of the guard."""
    with server.connect(database) as session:
        session.execute(FORGET)
        session.execute(VACUUM)
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.guarded_run", kind],
        cwd=ROOT,
        env={**os.environ, **server.environment(database)},
        capture_output=True,
        text=True,
        check=False,
    )
    whole = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    run, inside = json.loads(done.stdout)
    return whole, run, inside


def _succeed(result: Any) -> None:
    if result.exit_status:
        raise SystemExit(result.stdout + result.stderr)


def _print(name: str, found: dict[str, Any]) -> None:
    print(
        f"{name}: {found['share']:.1%} in the guard; {found['with']:.3f} s with it,"
        f" {found['without']:.3f} s without ({found['difference']:+.1%})",
        file=sys.stderr,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
