"""The record that restores the code of an adopted app, byte for byte."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...exceptions import InvalidConfiguration
from ..start.project_files import FileChange

FILE_NAME = "adoption_code.json"
FORMAT = 1


def record_text(changes: Iterable[FileChange], folder: Path) -> bytes:
    """Return the record of changes, with paths relative to the folder that it is in."""
    files = [_record(change, folder) for change in changes]
    return (json.dumps({"format": FORMAT, "files": files}, indent=1) + "\n").encode()


def restoring_changes(record: Path) -> list[FileChange]:
    """Return the changes that restore the files of a record, which is deleted.

    Raises:
        InvalidConfiguration: there is no such record, or a file was changed after the adoption.
    """
    try:
        content = record.read_bytes()
        files = json.loads(content)["files"]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise InvalidConfiguration(
            f"The record of the adoption's edits, {record}, cannot be read: {exc}.",
            hint="Revert the commit of the adoption instead: git revert",
        ) from exc
    changes = [_restoring(entry, record.parent) for entry in files]
    return [*changes, FileChange(record, content, None)]


def _record(change: FileChange, folder: Path) -> dict[str, Any]:
    after = change.after or b""
    entry: dict[str, Any] = {
        "path": Path(os.path.relpath(change.path, folder)).as_posix(),
        "written": _digest(after),
        "former": None if change.before is None else _digest(change.before),
    }
    if change.before is not None:
        old, new = _lines(change.before), _lines(after)
        matcher = difflib.SequenceMatcher(None, new, old, autojunk=False)
        entry["edits"] = [
            [start, end, "".join(old[first:last])]
            for kind, start, end, first, last in matcher.get_opcodes()
            if kind != "equal"
        ]
    return entry


def _restoring(entry: dict[str, Any], folder: Path) -> FileChange:
    path = Path(os.path.normpath(folder / entry["path"]))
    now = path.read_bytes() if path.is_file() else b""
    if _digest(now) != entry["written"]:
        raise InvalidConfiguration(
            f"{path} was changed after the adoption, so what it was before cannot be restored.",
            hint="Revert the later change first, or the commit of the adoption: git revert",
        )
    if entry["former"] is None:
        return FileChange(path, now, None)
    lines = _lines(now)
    for start, end, text in reversed(entry["edits"]):
        lines[start:end] = [text]
    former = "".join(lines).encode("utf-8", "surrogateescape")
    if _digest(former) != entry["former"]:
        raise InvalidConfiguration(
            f"The record of the adoption's edits does not restore {path}.",
            hint="Revert the commit of the adoption instead: git revert",
        )
    return FileChange(path, now, former)


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "surrogateescape").splitlines(keepends=True)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
