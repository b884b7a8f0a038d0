"""Files to create and to change, all of them or none."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ...exceptions import InvalidConfiguration


@dataclass(frozen=True)
class FileChange:
    """One file.

    Attributes:
        before: its content, None for a file to create.
        note: for people, what is changed in an existing file.
    """

    path: Path
    before: bytes | None
    after: bytes
    note: str = ""


def apply_changes(changes: Iterable[FileChange]) -> None:
    """Make the changes; when one fails, or the process is interrupted, undo them all.

    Raises:
        InvalidConfiguration: a file exists already, was changed meanwhile or cannot be written.
    """
    try:
        with ExitStack() as undo:
            for change in changes:
                _apply(change, undo)
            undo.pop_all()
    except OSError as exc:
        raise InvalidConfiguration(
            f"{exc.filename or 'A file'} cannot be written: {exc.strerror or exc}.",
            hint="Nothing was kept.",
        ) from exc


def _apply(change: FileChange, undo: ExitStack) -> None:
    path = change.path
    for folder in reversed(path.parents):
        if not folder.exists():
            folder.mkdir()
            undo.callback(folder.rmdir)
    if change.before is None:
        with path.open("xb") as file:
            undo.callback(path.unlink)
            file.write(change.after)
        return
    if path.read_bytes() != change.before:
        raise InvalidConfiguration(
            f"{path} was changed while it was to be changed here.", hint="Run the command again."
        )
    _replace(path, change.after)
    undo.callback(_replace, path, change.before)


def _replace(path: Path, content: bytes) -> None:
    """Put the content in the file's place in one step, with the permissions it has."""
    target = path.resolve()  # what a symbolic link leads to is changed, not the link
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(content)
        shutil.copymode(target, temporary)
        os.replace(temporary, target)  # noqa: PTH105  (Path.replace says nothing of atomicity)
    finally:
        temporary.unlink(missing_ok=True)
