"""Headers of migrations, parsed without importing them."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from domain_migrations.engine.sources.files import MigrationKey
from domain_migrations.engine.sources.parsing import (
    EMPTY,
    ReplacesAndStage,
    header_of,
    read_header,
    read_replaces_and_stage,
)


def dependencies(tmp_path: Path, source: str) -> tuple[object, object]:
    path = tmp_path / "0002_change.py"
    path.write_text("from django.db import migrations\n" + dedent(source))
    found = read_header(path)
    return found.dependencies, found.run_before


def test_reads_lists_and_tuples(tmp_path: Path) -> None:
    source = """
        class Migration(migrations.Migration):
            dependencies = [("core", "0001_initial"), ("inventory", "0001_initial")]
            run_before = (("core", "0009_last"),)
        """
    assert dependencies(tmp_path, source) == (
        (("core", "0001_initial"), ("inventory", "0001_initial")),
        (("core", "0009_last"),),
    )


def test_reads_swappable_dependencies(tmp_path: Path) -> None:
    source = """
        class Migration(migrations.Migration):
            dependencies = [
                migrations.swappable_dependency(settings.AUTH_USER_MODEL),
                migrations.swappable_dependency("hr.Employee"),
            ]
        """
    assert dependencies(tmp_path, source) == ((("core", "__first__"), ("hr", "__first__")), ())


def test_reads_names_and_sums(tmp_path: Path) -> None:
    source = """
        APP = "hr"
        FIRST = [(APP, "0001_initial")]
        class Migration(migrations.Migration):
            dependencies: list = FIRST + [*[("core", "0001_initial")]]
        """
    assert dependencies(tmp_path, source) == (
        (("hr", "0001_initial"), ("core", "0001_initial")),
        (),
    )


def test_leaves_out_computed_and_broken_declarations(tmp_path: Path) -> None:
    source = """
        class Migration(migrations.Migration):
            dependencies = compute()
        """
    assert dependencies(tmp_path, source) == ((), ())
    assert dependencies(tmp_path, "class Migration(: broken") == ((), ())
    assert dependencies(tmp_path, "x = 1") == ((), ())


def test_header_of_an_installed_migration() -> None:
    assert ("core", "0001_initial") in header_of(
        MigrationKey("inventory", "0001_initial")
    ).dependencies
    assert header_of(MigrationKey("inventory", "9999_nothing")) == EMPTY
    assert header_of(MigrationKey("nobody", "0001_initial")) == EMPTY


def test_parses_each_version_of_a_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "0002_change.py"
    path.write_text('class Migration:\n    stage = "after"\n    replaces = [("hr", "0001_a")]\n')
    parsed: list[str] = []
    parse = ast.parse
    monkeypatch.setattr(ast, "parse", lambda *args: parsed.append("once") or parse(*args))
    assert read_replaces_and_stage(path).stage == "after"
    assert read_header(path).replaces == {("hr", "0001_a")}
    assert read_header(path).lines == ()
    assert len(parsed) == 1
    path.write_text("class Migration:\n    operations = [\n        RunSQL('SELECT 1'),\n    ]\n")
    (operation,) = read_header(path).operations
    assert (operation.name, operation.sql, read_header(path).lines) == ("RunSQL", "SELECT 1", (3,))
    assert len(parsed) == 2


def test_does_not_parse_a_file_that_has_neither_stage_nor_replaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "0002_change.py"
    path.write_text('class Migration:\n    dependencies = [("hr", "0001_a")]\n')
    monkeypatch.setattr(ast, "parse", None)
    assert read_replaces_and_stage(path) == ReplacesAndStage()
