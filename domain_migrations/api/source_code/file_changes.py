"""Changes of files: all of them are made, or none."""

from __future__ import annotations

import difflib
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
        after: its new content, None for a file to delete.
        note: for people, what is changed in an existing file.
    """

    path: Path
    before: bytes | None
    after: bytes | None
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
            file.write(change.after or b"")
        return
    if path.read_bytes() != change.before:
        raise InvalidConfiguration(
            f"{path} was changed by someone else in the meantime.", hint="Run the command again."
        )
    if change.after is None:
        path.unlink()
        undo.callback(path.write_bytes, change.before)
        return
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


def diff_of(change: FileChange, root: Path) -> str:
    """Return a change as a unified diff."""
    name = relative_path(change.path, root)
    before, after = (
        (text or b"").decode("utf-8", "replace").splitlines(keepends=True)
        for text in (change.before, change.after)
    )
    lines = difflib.unified_diff(
        before,
        after,
        "/dev/null" if change.before is None else f"a/{name}",
        "/dev/null" if change.after is None else f"b/{name}",
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def relative_path(path: Path, root: Path) -> str:
    """Return a path as diffs show it."""
    return Path(os.path.relpath(path, root)).as_posix()
