"""The pause and the copy of a domain that leaves for another server while writers write.

    python -m benchmarks.extraction
    python -m benchmarks.extraction --rows 1000000 --source 15 --threads 8

Starts two servers, makes a project whose domain has a dozen tables with the given number of rows in
the largest, and moves it with `manage.py extract_domain` while threads insert, update and delete
through the ORM. Before that, `pg_dump | psql` copies the same schema, under the same writers.
`blocked` are the writes that the pause has held or refused: the time in seconds from their first
attempt until they were done on the new server. Prints one JSON object; the exit status is 1 if a
write was lost or done twice, if the 95th percentile of blocked writes exceeds one second, or if the
copy has less than 0.8 of the throughput of `pg_dump | psql`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from tests.support import databases  # noqa: E402
from tests.support.moving_domain import Moving, moving_project, running_server  # noqa: E402

LIMIT = 1.0
SHARE = 0.8
SIZE = """
SELECT sum(pg_table_size(oid)) FROM pg_class
WHERE relnamespace = 'depot'::regnamespace AND relkind = 'r'
"""

STATES = "SELECT count(*), count(*) FILTER (WHERE srsubstate = 'r') FROM pg_subscription_rel"


def dump_and_restore(moving: Moving) -> float:
    """Copy the schema with pg_dump and psql; the seconds it took."""
    with databases.scratch(moving.target, prefix="dumped") as name:
        old, new = moving.source.parameters, moving.target.parameters
        began = time.monotonic()
        dump = subprocess.Popen(
            [
                moving.source.program("pg_dump"),
                *("-h", old["host"], "-p", old["port"], "-U", old["user"]),
                *("-n", "depot", "--no-owner", moving.source_name),
            ],
            stdout=subprocess.PIPE,
        )
        subprocess.run(
            [
                moving.target.program("psql"),
                *("-h", new["host"], "-p", new["port"], "-U", new["user"]),
                *("-q", "-v", "ON_ERROR_STOP=1", "-d", name),
            ],
            stdin=dump.stdout,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        if dump.wait() != 0:
            raise SystemExit("pg_dump failed")
        return time.monotonic() - began


def copy_seconds(moving: Moving) -> float:
    """Wait for the copy; the seconds from the subscription until every table is copied."""
    began = None
    with moving.target.connect(moving.target_name) as session:
        while True:
            (tables, ready), *_ = session.execute(STATES).fetchall()
            if tables and began is None:
                began = time.monotonic()
            if began is not None and tables == ready:
                return time.monotonic() - began
            time.sleep(0.05)


def measure(moving: Moving, threads: int) -> dict[str, Any]:
    """Move the domain under writers; the times and what the writers found."""
    with moving.writers(threads) as report:
        time.sleep(1)
        dumped = dump_and_restore(moving)
        moving.done("plan")
        with ThreadPoolExecutor(1) as pool:
            copying = pool.submit(copy_seconds, moving)
            moving.done("start")
            copied = copying.result()
        result = json.loads(moving.done("cut-over", "--format", "json"))
        time.sleep(2)
    deadline = time.monotonic() + 120
    while (differing := moving.differing_tables()) and time.monotonic() < deadline:
        time.sleep(1)
    moving.done("finish", "--noinput")
    indexed = result["indexes"]["seconds"]
    blocked = sorted(report.pop("blocked"))
    p95 = statistics.quantiles(blocked, n=20)[-1] if len(blocked) > 1 else sum(blocked)
    size = int(moving.on_source(SIZE)[0][0])
    return {
        "bytes": size,
        "pause": result["pause"],
        "blocked": {"writes": len(blocked), "p95": p95, "max": max(blocked, default=0.0)},
        "dump_seconds": dumped,
        "copy_seconds": copied,
        "index_seconds": indexed,
        "throughput_share": dumped / (copied + indexed),
        "writers": report,
        "differing_tables": differing,
        "leftovers": moving.leftovers(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--source", choices=("15", "18"), default="18")
    parser.add_argument("--threads", type=int, default=4)
    options = parser.parse_args()
    with (
        running_server(options.source) as source,
        running_server("18") as target,
        tempfile.TemporaryDirectory() as folder,
        moving_project(Path(folder) / "project", source, target, number=options.rows) as moving,
    ):
        found = {"rows": options.rows, "source": options.source, **measure(moving, options.threads)}
    print(json.dumps(found, indent=1))
    lost = found["writers"]["problems"] or found["differing_tables"] or found["leftovers"]
    slow = found["blocked"]["p95"] > LIMIT or found["throughput_share"] < SHARE
    return int(bool(lost or slow))


if __name__ == "__main__":
    sys.exit(main())
