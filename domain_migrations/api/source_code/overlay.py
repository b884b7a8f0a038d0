"""A process in which planned files take the place of those on disk.

It runs in a mirror of the project: links to all that stays, and the planned files in place of
their own. So whatever lists a folder finds a new file, and misses one that is to be deleted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import ENVIRONMENT_VARIABLE, settings

from .file_changes import FileChange

START = "from domain_migrations.api.source_code.overlay import main; main()"
COMPILED = "__pycache__"


def run_with(
    changes: Iterable[FileChange], function: str, arguments: Sequence[str]
) -> dict[str, Any]:
    """Run a function in another process of the project, which sees the planned files.

    Arguments:
        function: as ``module:name``; it takes the arguments and returns what JSON can hold.

    Returns:
        what the function returns; where it fails, an object with ``failed``, its error's text.
        Paths are those of the project.
    """
    planned = {change.path.absolute(): change.after for change in changes}
    with TemporaryDirectory() as folder:
        mirrors = {root: Path(folder, str(n)) for n, root in enumerate(_roots(planned))}
        for root, mirror in mirrors.items():
            _mirror(root, mirror, planned)
        answer = _answer(Path(folder, "answer.json"), mirrors, function, arguments)
    for root, mirror in mirrors.items():
        answer = answer.replace(str(mirror), str(root))
    found: dict[str, Any] = json.loads(answer)
    return found


def main() -> None:
    """Answer the question on standard input."""
    question = json.load(sys.stdin)
    sys.path[:] = question["path"]
    try:
        from importlib import import_module

        import django

        django.setup()
        module, _, name = question["function"].partition(":")
        answer = getattr(import_module(module), name)(*question["arguments"])
    except Exception as exc:  # whatever the project's code raises is the answer
        answer = {"failed": f"{type(exc).__name__}: {exc}", "traceback": traceback.format_exc()}
    Path(question["answer"]).write_text(json.dumps(answer, ensure_ascii=False))


def _answer(
    file: Path, mirrors: Mapping[Path, Path], function: str, arguments: Sequence[str]
) -> str:
    """Return the answer of the other process, as JSON."""
    path = [_mirrored(Path(entry or os.curdir), mirrors) for entry in sys.path]
    path = [*(str(mirror) for mirror in mirrors.values() if str(mirror) not in path), *path]
    question = {
        "function": function,
        "arguments": list(arguments),
        "answer": str(file),
        "path": path,
    }
    done = subprocess.run(
        [sys.executable, "-c", START],
        input=json.dumps(question),
        env={
            **os.environ,
            ENVIRONMENT_VARIABLE: settings.SETTINGS_MODULE,
            "PYTHONPATH": os.pathsep.join(path),
            # The code of linked folders would name the mirror.
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        cwd=_mirrored(Path.cwd(), mirrors),
        capture_output=True,
        text=True,
        check=False,
    )
    if file.exists():
        return file.read_text()
    return json.dumps(
        {"failed": (done.stderr or done.stdout).strip() or f"exit {done.returncode}"},
        ensure_ascii=False,
    )


def _roots(paths: Iterable[Path]) -> list[Path]:
    """Return the folders that the files are imported from; of nested ones the outermost."""
    entries = {Path(entry).absolute() for entry in sys.path}
    found = {_root(path, entries) for path in paths}
    return sorted(root for root in found if found.isdisjoint(root.parents))


def _root(path: Path, entries: set[Path]) -> Path:
    outermost = next((parent for parent in reversed(path.parents) if parent in entries), None)
    if outermost is not None:
        return outermost
    return next(parent for parent in path.parents if not (parent / "__init__.py").is_file())


def _mirror(folder: Path, mirror: Path, planned: Mapping[Path, bytes | None]) -> None:
    mirror.mkdir()
    below = {path for path in planned if folder in path.parents}
    names = {path.relative_to(folder).parts[0] for path in below}
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.name not in names and entry.name != COMPILED:
            (mirror / entry.name).symlink_to(entry)
    for name in names:
        if folder / name not in planned:
            _mirror(folder / name, mirror / name, planned)
        elif (content := planned[folder / name]) is not None:
            (mirror / name).write_bytes(content)


def _mirrored(folder: Path, mirrors: Mapping[Path, Path]) -> str:
    """Return where a folder is in the mirror; itself, where it is in none."""
    path = folder.absolute()
    for root, mirror in mirrors.items():
        if path == root or root in path.parents:
            inner = mirror / path.relative_to(root)
            # What is linked as a whole, such as a virtual environment, stays as it is.
            return str(path if inner.resolve() == path.resolve() else inner)
    return str(path)
