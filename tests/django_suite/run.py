"""Runs Django's ``runtests.py`` in several processes and collects the results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.django_suite.server import template_database

OUR_ENGINE = "domain_migrations.backends.postgresql"
STOCK_ENGINE = "django.db.backends.postgresql"

_REPOSITORY = Path(__file__).parents[2]
_DJANGO_NAMES = {
    "host": "HOST",
    "port": "PORT",
    "user": "USER",
    "password": "PASSWORD",
    "dbname": "NAME",
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one test: ``passed``, ``failed`` or ``skipped``, and the reason."""

    outcome: str
    detail: str


class SuiteCrashed(Exception):
    """``runtests.py`` ended without having written down its outcomes."""


def run_tests(
    labels: Sequence[str],
    *,
    tests_directory: Path,
    parameters: dict[str, str],
    engine: str,
    plain: bool,
    rendering: bool = False,
    shards: int,
) -> dict[str, Outcome]:
    """Run the tests, on tables as Django makes them if ``plain``, else on moved ones."""
    connection = django_connection(parameters)
    with (
        tempfile.TemporaryDirectory() as scratch,
        template_database(parameters, plain=plain) as template,
    ):
        outcomes = [Path(scratch, f"{shard}.json") for shard in range(shards)]
        processes = [
            _start(
                labels,
                {
                    "connection": connection,
                    "engine": engine,
                    "outcomes": str(outcomes[shard]),
                    "plain": plain,
                    "rendering": rendering,
                    "prefix": template,
                    "shard": shard,
                    "shards": shards,
                    "template": template,
                    "tests_directory": str(tests_directory),
                },
                log=Path(scratch, f"{shard}.log"),
            )
            for shard in range(shards)
        ]
        for process in processes:
            process.wait()
        for shard in range(shards):
            if not outcomes[shard].exists():
                raise SuiteCrashed(Path(scratch, f"{shard}.log").read_text()[-4000:])
        return {
            test: Outcome(outcome=outcome, detail=detail)
            for path in outcomes
            for test, (outcome, detail) in json.loads(path.read_text()).items()
        }


def django_connection(parameters: dict[str, str]) -> dict[str, object]:
    """Return libpq's parameters as those of an entry of ``DATABASES``."""
    return {
        **{_DJANGO_NAMES[key]: parameters[key] for key in _DJANGO_NAMES if key in parameters},
        "OPTIONS": {key: parameters[key] for key in parameters if key not in _DJANGO_NAMES},
    }


def _start(labels: Sequence[str], run: dict[str, object], *, log: Path) -> subprocess.Popen[bytes]:
    tests_directory = str(run["tests_directory"])
    command = [sys.executable, "runtests.py", "--settings=tests.django_suite.settings"]
    command += ["--parallel=1", "--noinput", *labels]
    environment = {
        **os.environ,
        "DJANGO_SUITE_RUN": json.dumps(run),
        "PYTHONPATH": str(_REPOSITORY),
    }
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=tests_directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
