"""Deployment benchmarks: `python -m benchmarks.deploys`.

    python -m benchmarks.deploys --json build/deploys.json
    python -m benchmarks.deploys --domains 2 --migrations 5 --runs 1 --only one-domain

Generates projects, starts a server, and runs the contenders of each scenario alternately. Prints
the result of each run, then a JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from benchmarks.deploys.scenarios import SCENARIOS  # noqa: E402
from benchmarks.deploys.site import open_site  # noqa: E402


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    found = {}
    with (
        tempfile.TemporaryDirectory(prefix="deploys-") as folder,
        open_site(
            Path(folder), migrations=options.migrations, operations=options.operations
        ) as site,
    ):
        for name in options.only or SCENARIOS:
            print(f"{name}:", file=sys.stderr)
            measured = SCENARIOS[name](site, options.domains, options.runs)
            found[name] = [contender.as_json() for contender in measured]
        kind = site.server.kind
    report = {
        "domains": options.domains,
        "migrations": options.migrations,
        "operations": options.operations,
        "python": platform.python_version(),
        "django": django.__version__,
        "server": kind,
        "cores": os.cpu_count(),
        "scenarios": found,
    }
    text = json.dumps(report, indent=2)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(text + "\n")
    print(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deploys", description=__doc__)
    parser.add_argument("--domains", type=int, default=20)
    parser.add_argument("--migrations", type=int, default=100, help="per domain")
    parser.add_argument("--operations", type=int, default=1, help="per migration")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", action="append", choices=SCENARIOS, help="repeat for several")
    parser.add_argument("--json", type=Path, help="a file to write the results to")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
