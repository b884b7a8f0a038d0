"""What the footprint guard costs: inventory's history applied with it and without it.

    python -m benchmarks.guard
    python -m benchmarks.guard --relations 500 --runs 1

Runs alternate, each on a fresh copy of a database that has core and nothing else of this
project, so that whatever else the machine does hits both alike; medians are compared. The second
database has that many other relations as well, half of them tables of another domain and half of
them their indexes. Prints one JSON object; the exit status is 1 when a share exceeds the limit.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import django
from psycopg import sql

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connections  # noqa: E402

from config.database import ENGINE  # noqa: E402
from domain_migrations.boundary.footprint import Footprint  # noqa: E402
from domain_migrations.execution import executor  # noqa: E402
from tests.support import databases, servers  # noqa: E402
from tests.support.commands import call  # noqa: E402

DATABASES = {"this project": 0, "many relations": 50_000}
LIMIT = 0.05
BATCH = 500
"""Tables made in one transaction: each takes two locks, and the table of locks is small."""

CREATE_RELATIONS = """
DO $do$ BEGIN
    FOR n IN {first}..{last} LOOP
        EXECUTE format('CREATE TABLE hr.filler_%s (id int PRIMARY KEY, name text)', n);
    END LOOP;
END $do$
"""


class Unguarded:
    """Stands in for the guard: looks at nothing."""

    def __init__(self, *_: object) -> None:
        """Take what the guard takes."""

    def begin(self, *_: object) -> None:
        """See nothing."""

    def after_operation(self, *_: object) -> None:
        """See nothing."""

    def check(self) -> Footprint:
        return Footprint()


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    with _server() as server, ExitStack() as stack:
        # One after the other: a template costs nothing, a server's caches do.
        found = {}
        for name, relations in {**DATABASES, "many relations": options.relations}.items():
            template = stack.enter_context(_template(server, relations))
            found[name] = _measure(server, template, options.runs)
            _print(name, found[name])
    most = max(database["share"] for database in found.values())
    report = {"relations": options.relations, "runs": options.runs, "limit": options.limit}
    print(json.dumps({**report, "databases": found}))
    return int(most > options.limit)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description=__doc__)
    parser.add_argument("--relations", type=int, default=DATABASES["many relations"])
    parser.add_argument("--runs", type=int, default=15, help="pairs of runs in each database")
    parser.add_argument("--limit", type=float, default=LIMIT, help="share of the time without it")
    return parser


@contextmanager
def _server() -> Iterator[servers.TestServer]:
    """A server of its own, which Django's default connection points to."""
    folder = servers.make_folder()
    server = servers.server_of_this_run()
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
def _template(server: servers.TestServer, relations: int) -> Iterator[str]:
    with databases.scratch(server, prefix="guard") as name:
        with databases.default_database(name):
            for domain in ("core", "hr", "finance"):
                _succeed(call("migrate_domain", domain, interactive=False))
        with server.connect(name) as session:
            for first in range(1, relations // 2 + 1, BATCH):
                last = min(first + BATCH - 1, relations // 2)
                statement = sql.SQL(CREATE_RELATIONS)
                session.execute(statement.format(first=first, last=last))
            session.execute("VACUUM ANALYZE")
        yield name


def _measure(server: servers.TestServer, template: str, runs: int) -> dict[str, Any]:
    seconds: dict[bool, list[float]] = {True: [], False: []}
    _run(server, template, guarded=True)  # Imports, caches.
    for number in range(runs):
        for guarded in ((True, False), (False, True))[number % 2]:
            seconds[guarded].append(_run(server, template, guarded=guarded))
    on, off = (statistics.median(seconds[guarded]) for guarded in (True, False))
    return {
        "with": round(on, 4),
        "without": round(off, 4),
        "share": round(on / off - 1, 4),
        "pairs": [
            round(one / other - 1, 4)
            for one, other in zip(seconds[True], seconds[False], strict=True)
        ],
    }


def _run(server: servers.TestServer, template: str, *, guarded: bool) -> float:
    """Seconds that applying the history took."""
    guard = executor.FootprintGuard if guarded else Unguarded
    with (
        databases.scratch(server, template=template, prefix="guarded") as name,
        databases.default_database(name),
        mock.patch.object(executor, "FootprintGuard", guard),
    ):
        gc.collect()
        begun = time.perf_counter()
        result = call("migrate_domain", "inventory", interactive=False)
        seconds = time.perf_counter() - begun
    _succeed(result)
    return seconds


def _succeed(result: Any) -> None:
    if result.exit_status:
        raise SystemExit(result.stdout + result.stderr)


def _print(name: str, found: dict[str, Any]) -> None:
    print(
        f"{name}: {found['with']:.3f} s with the guard, {found['without']:.3f} s without:"
        f" {found['share']:+.1%}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
