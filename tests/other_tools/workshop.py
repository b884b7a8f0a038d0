"""What a tool needs to run: its program, files, and a database."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

NUMBERS = range(1, 6)


@dataclass(frozen=True)
class Workshop:
    """A folder of files and a database for one tool.

    Attributes:
        installed: where packages are installed, and kept for the next run.
        folder: the tool's own.
        port: of the server, on 127.0.0.1.
    """

    installed: Path
    folder: Path
    port: int
    database: str

    @property
    def address(self) -> str:
        """The user, the server and the database, as in the URL of every tool."""
        return f"postgres@127.0.0.1:{self.port}/{self.database}"

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *command: str | Path, fails: bool = False, **environment: str) -> str:
        """Run a program in the folder; keyword arguments are environment variables."""
        variables = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "postgres"}
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self.folder,
            env=_environment() | variables | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout

    def python(self, *packages: str) -> Path:
        """Return the folder of the programs of packages of PyPI, in an environment of theirs."""
        place = self.installed / "-".join(packages).replace("==", "-").replace("[", "")
        programs = place / "bin"
        if not (place / "done").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
            pip = [programs / "python", "-m", "pip", "install", "-q", *packages]
            subprocess.run(pip, check=True)
            (place / "done").touch()
        return programs

    def npm(self, *packages: str) -> Path:
        """Return the folder `node_modules` with packages of npm."""
        npm = program("npm")
        place = self.installed / "-".join(packages).replace("@", "-").replace("/", "-")
        if not (place / "done").exists():
            options = ["--silent", "--no-audit", "--no-fund", "--prefix", str(place)]
            subprocess.run([npm, "install", *options, *packages], check=True)
            (place / "done").touch()
        return place / "node_modules"


def program(name: str) -> str:
    """Return the path of a program of Debian; skip the test if there is none."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def _environment() -> Mapping[str, str]:
    left_out = ("PYTHON", "PG", "DJANGO", "DATABASE", "VIRTUAL_ENV")
    return {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
