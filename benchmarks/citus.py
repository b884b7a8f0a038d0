"""100 migrations of a domain on one server, and of the same domain where it is distributed.

    CITUS_PG_BIN=/path/to/bin python -m benchmarks.citus
    CITUS_URL=postgres://… python -m benchmarks.citus --migrations 20 --runs 1

Runs `migrate_domain hr` in this process, alternately in a database of the coordinator's server that
knows nothing of Citus and in one of the cluster, where hr is distributed and the users are a
reference table. Every migration has one operation; the history is that of `benchmarks.deploys`.
Prints one JSON object with the milliseconds for each migration; the exit status is 1 if the ratio
of the medians exceeds the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["DOMAIN_SNAPSHOTS"] = "off"
django.setup()

from django.db import connections  # noqa: E402

from benchmarks.deploys.history import History  # noqa: E402
from tests.support import cluster, servers  # noqa: E402
from tests.support.cluster import CitusServers  # noqa: E402
from tests.support.commands import call  # noqa: E402
from tests.support.temporary_migrations import TemporaryMigrations  # noqa: E402

LIMIT = 2.5
PLAIN = "citus_benchmark"
MIGRATION = """
class Migration(migrations.Migration):
    dependencies = [{dependencies}]
    operations = [{operation}]
"""


class _Unblocked:
    """In the place of pytest-django's blocker."""

    unblock = nullcontext


def steps(count: int) -> dict[str, str]:
    """The migrations, each with one operation: name → source."""
    found: dict[str, str] = {}
    before = '("core", "0001_initial")'
    for number, [operation] in enumerate(History("hr", qualified=True).migrations(count, 1), 1):
        name = f"{number:04}_step"
        source = operation.replace("auth.User", "core.User")
        found[name] = MIGRATION.format(dependencies=before, operation=source)
        before = f'("hr", "{name}")'
    return found


@contextmanager
def plain_database(servers_of_cluster: CitusServers) -> Iterator[None]:
    """A database of the coordinator's server without the extension, with core migrated."""
    node = servers_of_cluster.coordinator
    with node.connect() as session:
        session.execute(f"DROP DATABASE IF EXISTS {PLAIN} WITH (FORCE)")
        session.execute(f"CREATE DATABASE {PLAIN}")
    try:
        with cluster.pointed_at(servers_of_cluster.settings(PLAIN)):
            _migrate("core")
            yield
    finally:
        with node.connect() as session:
            session.execute(f"DROP DATABASE {PLAIN} WITH (FORCE)")


def measure(migrations: Mapping[str, str], folder: Path) -> float:
    """The milliseconds that each migration takes in the database that Django points to."""
    with TemporaryMigrations(folder).release(migrations):
        began = time.monotonic()
        _migrate("hr")
        seconds = time.monotonic() - began
    return seconds * 1000 / len(migrations)


def _migrate(domain: str) -> None:
    result = call("migrate_domain", domain, verbosity=0)
    if result.exit_status:
        raise SystemExit(result.stderr)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    migrations = steps(arguments.migrations)
    plain, distributed = [], []
    folder = servers.make_folder(servers.memory())  # The servers may run as another user.
    try:
        found = cluster.citus_servers()
        try:
            for _ in range(arguments.runs):
                with plain_database(found):
                    plain.append(measure(migrations, Path(folder)))
                with cluster.connected(found, _Unblocked(), template=cluster.EMPTY_HR):
                    distributed.append(measure(migrations, Path(folder)))
        finally:
            connections.close_all()
            found.leave()
    finally:
        servers.remove(folder)
    return {
        "migrations": arguments.migrations,
        "plain": sorted(round(value, 1) for value in plain),
        "distributed": sorted(round(value, 1) for value in distributed),
        "ratio": round(statistics.median(distributed) / statistics.median(plain), 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--migrations", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--limit", type=float, default=LIMIT)
    arguments = parser.parse_args()
    result = run(arguments)
    print(json.dumps(result, indent=2))
    return int(result["ratio"] > arguments.limit)


if __name__ == "__main__":
    sys.exit(main())
