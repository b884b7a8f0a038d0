"""An environment with the engine, its declared dependencies and psycopg's binary only."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

SECONDS = 600
# The versions that this environment has: which releases work is for the test suite to tell.
SAME_AS_HERE = ("asgiref", "Django", "psycopg", "psycopg-binary", "sqlparse", "typing_extensions")


def run(*command: str | Path, folder: Path, fails: bool = False) -> str:
    """Run a command without what this process's environment says about Python and Django.

    Returns its standard output, followed by its standard error if it should fail.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "DJANGO", "DATABASE_", "VIRTUAL_ENV"))
    }
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    report = f"{' '.join(map(str, command))}: exit status {done.returncode}\n"
    assert (done.returncode != 0) == fails, report + done.stdout + done.stderr
    return done.stdout + (done.stderr if fails else "")


def versions_here(names: Iterable[str]) -> list[str]:
    """Return requirements for the versions of packages that this environment has."""
    return [f"{name}=={version(name)}" for name in names]


def make_environment(folder: Path, wheel: Path) -> Path:
    """Make a virtual environment with the wheel in it, and return its interpreter."""
    run(sys.executable, "-m", "venv", folder, folder=folder.parent)
    python = folder / "bin" / "python"
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(versions_here(SAME_AS_HERE)))
    pip = (python, "-m", "pip", "--disable-pip-version-check")
    run(
        *(*pip, "install", "--quiet", "-c", constraints, wheel, "psycopg[binary]"),
        folder=folder.parent,
    )
    run(*pip, "check", folder=folder.parent)
    return python
