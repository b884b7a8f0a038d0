"""Modules that were written for a schema, with registries of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django.test.utils import isolate_apps

from tests.support.commands import ROOT


@contextmanager
def written_app(text: str) -> Iterator[SimpleNamespace]:
    """The classes of a module of models, and ``apps``, the registry that they are in."""
    with isolate_apps("inventory") as apps:
        module: dict[str, Any] = {"__name__": "inventory.written"}
        exec(compile(text, "models.py", "exec"), module)  # noqa: S102 (what the engine has written)
        yield SimpleNamespace(**module, apps=apps)


def assert_formatted(text: str, folder: Path) -> None:
    """Check a module with ruff, by the rules of the project."""
    (folder / "models.py").write_text(text)
    for command in (["format", "--check"], ["check", "--no-cache"]):
        arguments = [*command, "--config", str(ROOT / "pyproject.toml"), "models.py"]
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments], cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
