"""Files to create and to change, all of them or none."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ...exceptions import InvalidConfiguration

Undo = Callable[[], None]


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


@dataclass
class FileChanges:
    """Collects changes and makes them at once."""

    changes: list[FileChange] = field(default_factory=list)

    def create(self, path: Path, text: str) -> None:
        self.changes.append(FileChange(path, None, text.encode()))

    def change(self, path: Path, before: bytes, after: bytes, note: str) -> None:
        self.changes.append(FileChange(path, before, after, note))

    def apply(self) -> tuple[FileChange, ...]:
        """Make the changes; when one fails, or the process is interrupted, undo them all.

        Raises:
            InvalidConfiguration: a file exists already, was changed meanwhile or cannot be
                written.
        """
        undo: list[Undo] = []
        try:
            for change in self.changes:
                _apply(change, undo)
        except BaseException as exc:
            for step in reversed(undo):
                step()
            if isinstance(exc, OSError):
                raise InvalidConfiguration(
                    f"{exc.filename or 'A file'} cannot be written: {exc.strerror or exc}.",
                    hint="Nothing was kept.",
                ) from exc
            raise
        return tuple(self.changes)


def _apply(change: FileChange, undo: list[Undo]) -> None:
    path = change.path
    for folder in reversed(path.parents):
        if not folder.exists():
            folder.mkdir()
            undo.append(folder.rmdir)
    if change.before is None:
        with path.open("xb") as file:
            undo.append(path.unlink)
            file.write(change.after)
        return
    if path.read_bytes() != change.before:
        raise InvalidConfiguration(
            f"{path} was changed while it was to be changed here.", hint="Run the command again."
        )
    before = change.before
    _replace(path, change.after)
    undo.append(lambda: _replace(path, before))


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
