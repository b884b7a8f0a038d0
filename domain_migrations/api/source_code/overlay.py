"""A process in which planned source takes the place of what is on disk."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType
from typing import Any

from django.conf import ENVIRONMENT_VARIABLE, settings

START = "from domain_migrations.api.source_code.overlay import main; main()"


class PlannedModules(MetaPathFinder):
    """Finds modules whose files do not exist yet."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        file = self.files.get(fullname)
        if file is None:
            return None
        return spec_from_file_location(fullname, file, loader=SourceFileLoader(fullname, file))


def run_with(
    texts: Mapping[Path, bytes],
    modules: Mapping[str, Path],
    function: str,
    arguments: Sequence[str],
) -> dict[str, Any]:
    """Run a function in another process of the project, which sees the planned source.

    Arguments:
        texts: file → its planned content.
        modules: dotted name → file, of modules that do not exist yet.
        function: as ``module:name``; it takes the arguments and returns what JSON can hold.

    Returns:
        what the function returns; where it fails, an object with ``failed``, its error's text.
    """
    with TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        question = {
            "texts": {
                os.path.realpath(path): base64.b64encode(text).decode()
                for path, text in texts.items()
            },
            "modules": {name: str(path) for name, path in modules.items()},
            "function": function,
            "arguments": list(arguments),
            "answer": str(answer),
            "path": sys.path,
        }
        environment = {
            **os.environ,
            ENVIRONMENT_VARIABLE: settings.SETTINGS_MODULE,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        done = subprocess.run(
            [sys.executable, "-c", START],
            input=json.dumps(question),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if not answer.exists():
            return {"failed": (done.stderr or done.stdout).strip() or f"exit {done.returncode}"}
        found: dict[str, Any] = json.loads(answer.read_text())
        return found


def install(texts: Mapping[str, bytes], modules: Mapping[str, str]) -> None:
    """Let this process import and read the planned source, by the files' real paths."""
    read_bytes, get_code = Path.read_bytes, SourceFileLoader.get_code

    def planned_bytes(self: Path) -> bytes:
        planned = texts.get(os.path.realpath(self))
        return read_bytes(self) if planned is None else planned

    def planned_code(self: SourceFileLoader, fullname: str) -> CodeType | None:
        planned = texts.get(os.path.realpath(self.path))
        if planned is None:
            return get_code(self, fullname)
        code: CodeType = self.source_to_code(planned, self.path)
        return code

    setattr(Path, "read_bytes", planned_bytes)  # noqa: B010
    setattr(SourceFileLoader, "get_code", planned_code)  # noqa: B010
    sys.meta_path.insert(0, PlannedModules(modules))


def main() -> None:
    """Answer the question on standard input."""
    question = json.load(sys.stdin)
    sys.path[:] = question["path"]
    texts = {path: base64.b64decode(text) for path, text in question["texts"].items()}
    install(texts, question["modules"])
    try:
        from importlib import import_module

        import django

        django.setup()
        module, _, name = question["function"].partition(":")
        answer = getattr(import_module(module), name)(*question["arguments"])
    except Exception as exc:  # whatever the project's code raises is the answer
        answer = {"failed": f"{type(exc).__name__}: {exc}", "traceback": traceback.format_exc()}
    Path(question["answer"]).write_text(json.dumps(answer))
