"""Running the project's commands, in this process or in another one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

from config.database import PART_VARIABLES, URL_VARIABLE
from tests.support import fork_server

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 180
# What a developer may have set, in the shell or in .env, must not reach the tests' processes.
# An empty variable counts as missing and wins over the files.
NEUTRAL = dict.fromkeys(
    [
        *("DJANGO_ENV", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "DATABASE_POOL"),
        *("DATABASE_CONN_MAX_AGE", URL_VARIABLE, *PART_VARIABLES.values()),
    ],
    "",
)


@dataclass(frozen=True)
class Result:
    """What a command called in this process wrote, and the status a shell would see."""

    stdout: str
    stderr: str
    exit_status: int
    error: BaseException | None = None


def call(*arguments: str, **options: Any) -> Result:
    """`call_command`, with CommandError and SystemExit turned into what a shell would see.

    A usage error differs from the command line's: `call_command` gives it status 1, not 2.
    """
    stdout, stderr = StringIO(), StringIO()
    status = 0
    error: BaseException | None = None
    try:
        call_command(*arguments, stdout=stdout, stderr=stderr, **options)
    except CommandError as raised:
        status, error = raised.returncode, raised
        stderr.write(f"{type(raised).__name__}: {raised}\n")
    except SystemExit as raised:
        error = raised
        status = raised.code if isinstance(raised.code, int) else int(raised.code is not None)
    return Result(stdout.getvalue(), stderr.getvalue(), status, error)


def run_manage(
    *arguments: str,
    environment: Mapping[str, str | None],
    folder: Path = ROOT,
    seconds: float = SECONDS,
) -> subprocess.CompletedProcess[str]:
    """Run manage.py of `folder` with `environment` over ours; None takes a variable away."""
    merged = process_environment(environment)
    if fork_server.can_fork(folder, merged):
        return fork_server.run(arguments, folder=folder, environment=merged, seconds=seconds)
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=folder,
        env=merged,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
    )


def process_environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    ours = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    merged = {**ours, **NEUTRAL, **changes}
    return {key: value for key, value in merged.items() if value is not None}
