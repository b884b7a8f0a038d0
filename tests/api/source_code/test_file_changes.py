"""Changes of files: all of them, or none."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from domain_migrations.api.source_code import file_changes
from domain_migrations.api.source_code.file_changes import FileChange, apply_changes
from domain_migrations.exceptions import InvalidConfiguration


class Interrupted(BaseException):
    """As Ctrl-C is."""


@pytest.mark.parametrize("failing", range(4))
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), Interrupted()])
def test_files_are_changed_all_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int, error: BaseException
) -> None:
    (tmp_path / "a").write_text("old a")
    (tmp_path / "b").write_text("old b")
    (tmp_path / "a").chmod(0o640)
    changes = [
        FileChange(tmp_path / "new/deep/c", None, b"c"),
        FileChange(tmp_path / "a", b"old a", b"new a"),
        FileChange(tmp_path / "new/d", None, b"d"),
        FileChange(tmp_path / "b", b"old b", b"new b"),
    ]
    apply, count = file_changes._apply, iter(range(10))

    def fail_once(change: FileChange, undo: ExitStack) -> None:
        apply(change, undo)
        if next(count) == failing:
            raise error

    with monkeypatch.context() as patch:
        patch.setattr(file_changes, "_apply", fail_once)
        with pytest.raises((InvalidConfiguration, Interrupted)):
            apply_changes(changes)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a": "old a",
        "b": "old b",
    }
    apply_changes(changes)
    assert (tmp_path / "a").read_text() == "new a"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "new/deep/c").read_text() == "c"


def test_a_file_that_was_changed_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("theirs")
    with pytest.raises(InvalidConfiguration, match="was changed by someone else"):
        apply_changes([FileChange(path, b"old", b"new")])
    assert path.read_text() == "theirs"
