"""Cost of seeding a file with a million rows: time and additional memory.

    python -m benchmarks.seeds
    python -m benchmarks.seeds --rows 100000

A CSV file is seeded into `inventory.companies` three times, each time in a separate process: into
the empty table; in a new version that changes every row, after some were changed locally; and in a
version whose last row is invalid, so that nothing may be kept. Prints one JSON object; the exit
status is 1 if a run took more memory than the limit or had the wrong result. Needs Linux's `/proc`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connections  # noqa: E402

from config.database import ENGINE  # noqa: E402
from domain_migrations.api.seed import seed_files as files  # noqa: E402
from domain_migrations.api.seed.run import seed_domain  # noqa: E402
from tests.support import databases, servers  # noqa: E402
from tests.support.commands import ROOT, call, process_environment  # noqa: E402

LIMIT_MB = 200
STATUS, FORGET_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")
CHANGED = 1000
SITE = "UPDATE inventory.companies SET name = 'of the site' WHERE id <= %s"
SIZE = "SELECT pg_total_relation_size('inventory.django_seeds_inventory_rows')"
STATE = "SELECT count(*), count(*) FILTER (WHERE name LIKE 'Company B%%') FROM inventory.companies"


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    if options.child:
        _child(Path(options.child))
        return 0
    folder = servers.make_folder()
    server = servers.session_server()
    try:
        server.start()
        entry = connections.settings["default"]
        entry.update(ENGINE=ENGINE, PASSWORD="", OPTIONS={}, CONN_MAX_AGE=0, **server.settings)
        connections["default"] = connections.create_connection("default")
        with databases.scratch(server, prefix="seeds") as name, databases.default_database(name):
            return _measure(server.environment(name), options)
    finally:
        server.cluster.leave()
        servers.remove(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeds", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--limit", type=float, default=LIMIT_MB, help="MB in addition to the start")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser


def _measure(environment: dict[str, str], options: argparse.Namespace) -> int:
    for domain in ("core", "inventory"):
        result = call("migrate_domain", domain, interactive=False)
        if result.exit_status:
            raise SystemExit(result.stdout + result.stderr)
    rows, runs, wrong = options.rows, {}, []
    expected = {
        "into an empty table": ("A", None, [rows, 0, 0], (rows, 0)),
        "a new version": ("B", None, [0, rows - CHANGED, CHANGED], (rows, rows - CHANGED)),
        "a bad last row": ("C", rows, None, (rows, rows - CHANGED)),
    }
    with tempfile.TemporaryDirectory() as folder:
        for title, (version, bad, counts, state) in expected.items():
            _write(Path(folder), rows, version, bad)
            found = runs[title] = _run(folder, environment)
            with connections["default"].cursor() as cursor:
                cursor.execute(STATE % ())
                now = cursor.fetchone()
                if version == "A":
                    cursor.execute(SIZE)
                    size = int(cursor.fetchone()[0] / rows)
                    cursor.execute(SITE, [CHANGED])
            right = found["counts"] == counts if counts else f"line {rows + 2}:" in found["error"]
            if not right or now != state or found["memory_mb"] > options.limit:
                wrong.append(title)
            print(f"{title}: {found}", file=sys.stderr)
    report = {"rows": rows, "limit_mb": options.limit, "kept_bytes_per_row": size}
    print(json.dumps({**report, "wrong": wrong, "runs": runs}))
    return int(bool(wrong))


def _write(folder: Path, rows: int, version: str, bad: int | None) -> None:
    path = folder / "inventory" / "seeds" / "001_companies.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        file.write("# model: Company\ncode,name,kind,phone,is_active\n")
        file.writelines(_lines(rows, version, bad))


def _lines(rows: int, version: str, bad: int | None) -> Iterator[str]:
    for number in range(1, rows + 1):
        kind = "shop" if number == bad else "vendor"
        yield f"C{number:08},Company {version} {number},{kind},02 {number:07},true\n"


def _run(folder: str, environment: dict[str, str]) -> dict[str, Any]:
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.seeds", "--child", folder],
        cwd=ROOT,
        env=process_environment(environment),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(process.stdout)


def _child(folder: Path) -> None:
    files.seeds_folder = lambda label: folder / label / "seeds"
    connections["default"].ensure_connection()
    # A process starts with the memory peak of its parent process.
    FORGET_PEAK.write_text("5")
    before, begun = _peak_mb(), time.perf_counter()
    result = seed_domain("inventory")
    report = {
        "seconds": round(time.perf_counter() - begun, 1),
        "memory_mb": round(_peak_mb() - before, 1),
        "counts": [
            number
            for one in result.seeds
            if one.status == "seeded"
            for number in (one.counts.inserted, one.counts.updated, one.counts.kept)
        ],
        "error": result.error.message if result.error else "",
    }
    print(json.dumps(report))


def _peak_mb() -> float:
    """Return the peak memory of the process since the peak was last reset."""
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
