"""Edits of the project's own files, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ...engine.sources.files import is_installed
from .blocker import Blocker
from .file_changes import FileChange


class SourceEditor:
    """Collects changes of files, and what cannot be edited.

    Arguments:
        changes: what is changed already; it comes first.

    Attributes:
        in_package: what to do about a file of an installed package.
    """

    in_package = "Copy the app into the project."

    def __init__(self, changes: Iterable[FileChange] = ()) -> None:
        self.blockers: list[Blocker] = []
        self._changes: dict[Path, FileChange] = {change.path: change for change in changes}

    @property
    def changes(self) -> list[FileChange]:
        return list(self._changes.values())

    def write(self, path: Path, content: bytes) -> None:
        """Give a file new content; it may not exist yet."""
        earlier = self._changes.get(path)
        if earlier is not None:
            before = earlier.before
        else:
            before = path.read_bytes() if path.is_file() else None
        if content != before or earlier is not None:
            self._changes[path] = FileChange(path, before, content)

    def delete(self, path: Path) -> None:
        earlier = self._changes.get(path)
        before = earlier.before if earlier is not None else path.read_bytes()
        self._changes[path] = FileChange(path, before, None)

    def edit(self, path: Path, edit: Callable[[bytes], bytes], by_hand: str) -> None:
        """Edit a file, as earlier edits have left it.

        Arguments:
            edit: takes the source and returns the new one; raises ``CannotEdit``.
            by_hand: what to write where it cannot be edited.
        """
        from .syntax import CannotEdit

        if is_installed(path):
            message = f"{path} belongs to an installed package, which cannot be edited."
            self.blockers.append(Blocker(message, self.in_package))
            return
        try:
            self.write(path, edit(self.content(path)))
        except CannotEdit as exc:
            self.blockers.append(Blocker(f"{path} {exc}.", f"Write it by hand: {by_hand}."))

    def content(self, path: Path) -> bytes:
        """Return a file's content, as earlier edits have left it; empty for no file."""
        earlier = self._changes.get(path)
        if earlier is not None:
            return earlier.after or b""
        return path.read_bytes() if path.is_file() else b""
