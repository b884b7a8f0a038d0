"""The pause and the copy of a domain that leaves for another server while writers write.

    python -m benchmarks.extraction
    python -m benchmarks.extraction --rows 1000000 --source 15 --threads 8 --runs 5

Starts two servers, makes a project whose domain has a dozen tables with the given number of rows in
the largest, and moves it with `manage.py extract_domain` while threads insert, update and delete
through the ORM. Before that, `pg_dump | psql` copies the same schema, under the same writers.
`blocked` are the writes that the pause has held or refused: the time in seconds from their first
attempt until they were done on the new server. Each run prints its 95th percentile of these, and
its share of the throughput of `pg_dump | psql`, on standard error. In the end one JSON object has
all runs and the medians; the exit status is 1 if a run has lost a write or done it twice, if the
median of the percentiles exceeds one second, or if that of the shares is less than 0.8.
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
        "share": dumped / (copied + indexed),
        "writers": report,
        "differing_tables": differing,
        "leftovers": moving.leftovers(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--source", choices=("15", "18"), default="18")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    runs = []
    for number in range(1, options.runs + 1):
        found = run(options)
        runs.append(found)
        p95, share = found["blocked"]["p95"], found["share"]
        print(f"run {number}: p95 {p95:.2f} s, share {share:.2f}", file=sys.stderr, flush=True)
    p95 = statistics.median(found["blocked"]["p95"] for found in runs)
    share = statistics.median(found["share"] for found in runs)
    medians = {"p95": p95, "share": share}
    values = {"rows": options.rows, "source": options.source, "medians": medians, "runs": runs}
    print(json.dumps(values, indent=1))
    lost = [
        found["writers"]["problems"] or found["differing_tables"] or found["leftovers"]
        for found in runs
    ]
    return int(any(lost) or p95 > LIMIT or share < SHARE)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Move a domain between two new servers; what was measured."""
    with (
        running_server(options.source) as source,
        running_server("18") as target,
        tempfile.TemporaryDirectory() as folder,
        moving_project(Path(folder) / "project", source, target, number=options.rows) as moving,
    ):
        return measure(moving, options.threads)


if __name__ == "__main__":
    sys.exit(main())
