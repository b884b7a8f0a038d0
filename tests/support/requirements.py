"""Programs that some tests need and not every machine has."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest


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
