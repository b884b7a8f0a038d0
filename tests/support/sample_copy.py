"""Copies of the sample project, for commands that edit it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support.commands import ROOT, run_manage
from tests.support.servers import TestServer

PARTS = ("config", "core", "domain_migrations", "finance", "hr", "inventory", "manage.py")


class SampleCopy:
    """A copy of the sample project, on a database of its own."""

    def __init__(self, path: Path, server: TestServer, database: str) -> None:
        self.path, self.environment = path, server.environment(database)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, path / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, path / part)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_manage(*arguments, environment=self.environment, folder=self.path)

    def run(self, *arguments: str, status: int = 0) -> str:
        """Run a command and return its standard output."""
        result = self.manage(*arguments)
        assert result.returncode == status, result.stdout + result.stderr
        return result.stdout

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that is in a file."""
        path = self.path / name
        text = path.read_text()
        assert old in text, (name, old)
        path.write_text(text.replace(old, new))

    def contents(self) -> dict[str, bytes]:
        """Return the project's own files."""
        return {
            str(path.relative_to(self.path)): path.read_bytes()
            for part in PARTS
            if part != "domain_migrations"
            for path in sorted((self.path / part).rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }
