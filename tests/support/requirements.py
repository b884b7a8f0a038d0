"""Programs that some tests require and not every machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.commands import ROOT


def missing(reason: str) -> NoReturn:
    """Skip the test with `reason`; fail it where everything must be there (CI_REQUIRE_ALL=1)."""
    if os.environ.get("CI_REQUIRE_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def need_program(name: str, *folders: Path | str, package: str | None = None) -> str:
    """The path of a program on PATH or in `folders`, or a skip that says what to install."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", *map(str, folders)])
    found = shutil.which(name, path=path)
    if found is None:
        missing(f"The program {name} is missing: install the package {package or name}.")
    return found


def check(*command: object) -> str:
    """Run a tool that must find nothing wrong; its output."""
    program = need_program(str(command[0]), Path(sys.executable).parent)
    result = subprocess.run(
        [program, *map(str, command[1:])],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout
