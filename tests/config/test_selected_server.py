"""TEST_POSTGRES: the server of a test run."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.embedded.programs import packaged_folder
from tests.support.servers import SERVER_VARIABLE, selected_programs


@pytest.mark.parametrize("value", ["", "embedded"])
def test_embedded_by_default(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SERVER_VARIABLE, value)
    assert selected_programs() == packaged_folder()


def test_directory_of_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "postgres").touch()
    monkeypatch.setenv(SERVER_VARIABLE, str(tmp_path))
    assert selected_programs() == tmp_path


def test_directory_without_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SERVER_VARIABLE, str(tmp_path))
    with pytest.raises(pytest.UsageError) as error:
        selected_programs()
    assert str(error.value) == (
        f"TEST_POSTGRES is {tmp_path} and {tmp_path} has no server: install its server package, "
        "or use the embedded one."
    )


def test_neither_a_name_nor_a_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SERVER_VARIABLE, "17")
    with pytest.raises(pytest.UsageError) as error:
        selected_programs()
    assert str(error.value) == (
        "TEST_POSTGRES is '17': set it to embedded, to debian, or to the absolute path of the "
        "directory with PostgreSQL's programs."
    )
