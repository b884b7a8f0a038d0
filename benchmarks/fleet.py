"""One release over the databases of many sites: time, CPU and memory of `migrate_fleet`.

    python -m benchmarks.fleet
    python -m benchmarks.fleet --sites 100 --runs 3 --single 20

Makes copies of this project's database, in which the last migration of inventory is pending, and
measures whole processes of `manage.py migrate_fleet`: with that migration, with nothing pending,
and `show_fleet` and `verify_fleet`. Beside them, `manage.py migrate_domain --all` is started for
some sites one after another, as without a fleet. `own` is the process of the command alone, whose
memory has to stay flat: it is also measured with a tenth of the sites. `load` is the load of the
machine before each run. Prints one JSON object; the exit status is 1 if a median is above its
limit.
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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from tests.support import databases, servers  # noqa: E402
from tests.support.commands import ROOT, process_environment  # noqa: E402
from tests.support.fleet import dsn  # noqa: E402

TIMER = Path(__file__).parent / "deploys" / "timer.py"
LIMITS = {"nothing pending": 10.0, "one migration": 30.0}
"""Seconds for 100 sites."""
BEFORE, DOMAIN = "0018", "inventory"


class Bench:
    """Sites on one server, and what was measured on them."""

    def __init__(self, server: servers.TestServer, template: str, sites: Path, small: Path) -> None:
        self.server, self.template = server, template
        self.sites, self.small = sites, small
        self.samples: dict[str, list[dict[str, float]]] = {}

    def manage(self, *arguments: str) -> dict[str, float]:
        """Run a command; its seconds, the CPU of all its processes, and the peak of its own."""
        load = os.getloadavg()[0]
        environment = process_environment(self.server.environment(self.template))
        with tempfile.NamedTemporaryFile() as figures:
            manage = [sys.executable, str(ROOT / "manage.py"), *arguments]
            done = subprocess.run(
                [sys.executable, "-S", str(TIMER), figures.name, *manage],
                cwd=ROOT,
                env={**environment, "PYTHONDONTWRITEBYTECODE": ""},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            if done.returncode:
                raise SystemExit(done.stdout[-2000:])
            seconds, cpu, memory = json.load(figures)
        return {
            "seconds": round(seconds, 2),
            "cpu": round(cpu, 2),
            "own_mib": round(memory / 2**20, 1),
            "load": round(load, 1),
        }

    def measure(self, name: str, *arguments: str) -> None:
        sample = self.manage(*arguments)
        self.samples.setdefault(name, []).append(sample)
        print(f"{name}: {sample}", file=sys.stderr, flush=True)

    def median(self, name: str) -> float:
        return statistics.median(sample["seconds"] for sample in self.samples[name])


@contextmanager
def bench(server: servers.TestServer, count: int, folder: Path) -> Iterator[Bench]:
    """Copies of the project's database, one migration behind."""
    with databases.scratch(server, prefix="fleet_template") as template:
        environment = process_environment(server.environment(template))
        for arguments in (["migrate", "-v0"], ["migrate_domain", DOMAIN, BEFORE, "--noinput"]):
            command = [sys.executable, "manage.py", *arguments]
            subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        names = [databases.new_name("fleet") for _ in range(count)]
        lines = [
            f"site-{number:03} {dsn(server, name)}\n" for number, name in enumerate(names, start=1)
        ]
        sites, small = folder / "sites.txt", folder / "small.txt"
        sites.write_text("".join(lines))
        small.write_text("".join(lines[: max(1, count // 10)]))
        try:
            for name in names:
                databases.create(server, name, template=template)
            yield Bench(server, template, sites, small)
        finally:
            for name in names:
                databases.drop(server, name)


def run(found: Bench, runs: int, single: int, parallel: int) -> None:
    """Measure everything, alternating."""
    many, few = f"--sites={found.sites}", f"--sites={found.small}"
    width = f"--parallel={parallel}"
    for _ in range(runs):
        found.measure("one migration", "migrate_fleet", DOMAIN, many, width)
        found.measure("nothing pending", "migrate_fleet", "--all", many, width)
        found.measure("nothing pending at a tenth", "migrate_fleet", "--all", few, width)
        found.measure("show_fleet", "show_fleet", many, width)
        found.measure("verify_fleet", "verify_fleet", many, width)
        found.manage("migrate_fleet", DOMAIN, BEFORE, "--noinput", many, width)
        found.measure("one migration at a tenth", "migrate_fleet", DOMAIN, few, width)
        found.manage("migrate_fleet", DOMAIN, BEFORE, "--noinput", few, width)
    began = time.monotonic()
    for _ in range(single):
        found.manage("migrate_domain", "core")
    if single:
        seconds = round((time.monotonic() - began) / single, 2)
        found.samples["a process for each site, each"] = [{"seconds": seconds}]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--sites", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--single", type=int, default=10)
    parser.add_argument("--parallel", type=int, default=8)
    options = parser.parse_args(arguments)
    folder = servers.make_folder()
    server = servers.session_server()
    try:
        server.start()
        with (
            tempfile.TemporaryDirectory() as files,
            bench(server, options.sites, Path(files)) as found,
        ):
            run(found, options.runs, options.single, options.parallel)
    finally:
        server.cluster.leave()
        servers.remove(folder)
    limits = {name: limit * options.sites / 100 for name, limit in LIMITS.items()}
    above = [name for name, limit in limits.items() if found.median(name) > limit]
    report: dict[str, Any] = {
        "sites": options.sites,
        "parallel": options.parallel,
        "medians": {name: found.median(name) for name in found.samples},
        "above": above,
        "samples": found.samples,
    }
    print(json.dumps(report, indent=2))
    return int(bool(above))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
