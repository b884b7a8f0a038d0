"""The record that restores the code of an adopted app, byte for byte.

In files that were edited later, it takes back the lines of the adoption and keeps the others.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...exceptions import InvalidConfiguration
from ..source_code.file_changes import FileChange

FILE_NAME = "adoption_code.json"
FORMAT = 1


def record_text(changes: Iterable[FileChange], folder: Path) -> bytes:
    """Return the record of changes, with paths relative to the folder that it is in."""
    files = [_record(change, folder) for change in changes]
    return (json.dumps({"format": FORMAT, "files": files}, indent=1) + "\n").encode()


def restoring_changes(record: Path) -> list[FileChange]:
    """Return the changes that restore the files of a record, which is deleted.

    Raises:
        InvalidConfiguration: there is no such record, or what the adoption wrote was changed.
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
        entry["edits"] = list(_edits(_lines(change.before), _lines(after)))
    return entry


def _edits(old: list[str], new: list[str]) -> Iterator[list[Any]]:
    """Yield the line at which each edit begins, the lines that were written, and the former ones.

    The line before a mere removal is part of it, so that its place can be found again.
    """
    matcher = difflib.SequenceMatcher(None, new, old, autojunk=False)
    for kind, start, end, first, last in matcher.get_opcodes():
        if kind != "equal":
            more = 1 if start == end and start and first else 0
            yield [start - more, new[start - more : end], old[first - more : last]]


def _restoring(entry: dict[str, Any], folder: Path) -> FileChange:
    path = Path(os.path.normpath(folder / entry["path"]))
    now = path.read_bytes() if path.is_file() else b""
    is_as_written = _digest(now) == entry["written"]
    if entry["former"] is None:
        if not is_as_written:
            raise _changed(path)
        return FileChange(path, now, None)
    lines, moved = _lines(now), 0
    places = []
    for start, written, former in entry["edits"]:
        place = _place(lines, written, start + moved)
        if place is None:
            raise _changed(path)
        places.append((place, len(written), former))
        moved = place - start
    for place, length, former in reversed(places):
        lines[place : place + length] = former
    restored = "".join(lines).encode("utf-8", "surrogateescape")
    if is_as_written and _digest(restored) != entry["former"]:
        raise InvalidConfiguration(
            f"The record of the adoption's edits does not restore {path}.",
            hint="Revert the commit of the adoption instead: git revert",
        )
    return FileChange(path, now, restored)


def _place(lines: list[str], written: list[str], expected: int) -> int | None:
    """Return where the written lines are, nearest to where they are expected."""
    places = [
        place
        for place in range(len(lines) - len(written) + 1)
        if lines[place : place + len(written)] == written
    ]
    return min(places, key=lambda place: abs(place - expected), default=None)


def _changed(path: Path) -> InvalidConfiguration:
    return InvalidConfiguration(
        f"What the adoption wrote into {path} was changed later, so it cannot be taken back.",
        hint="Revert the later change first, or the commit of the adoption: git revert",
    )


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "surrogateescape").splitlines(keepends=True)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
