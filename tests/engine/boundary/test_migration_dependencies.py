"""Migrations' dependencies, read from their files without importing them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from django.test import override_settings

from domain_migrations.engine.boundary.migration_dependencies import crossing_links
from domain_migrations.engine.sources.dependencies import dependencies_of, parse_links


def links(tmp_path: Path, source: str) -> tuple[object, object]:
    path = tmp_path / "0002_change.py"
    path.write_text("from django.db import migrations\n" + dedent(source))
    found = parse_links("inventory", path)
    return found.dependencies, found.run_before


def test_reads_lists_and_tuples(tmp_path: Path) -> None:
    source = """
        class Migration(migrations.Migration):
            dependencies = [("core", "0001_initial"), ("inventory", "0001_initial")]
            run_before = (("core", "0009_last"),)
        """
    assert links(tmp_path, source) == (
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
    assert links(tmp_path, source) == ((("core", "__first__"), ("hr", "__first__")), ())


def test_reads_names_and_sums(tmp_path: Path) -> None:
    source = """
        APP = "hr"
        FIRST = [(APP, "0001_initial")]
        class Migration(migrations.Migration):
            dependencies: list = FIRST + [*[("core", "0001_initial")]]
        """
    assert links(tmp_path, source) == ((("hr", "0001_initial"), ("core", "0001_initial")), ())


def test_reads_nothing_from_what_it_cannot_know(tmp_path: Path) -> None:
    source = """
        class Migration(migrations.Migration):
            dependencies = compute()
        """
    assert links(tmp_path, source) == ((), ())
    assert links(tmp_path, "class Migration(: broken") == ((), ())
    assert links(tmp_path, "x = 1") == ((), ())


def test_dependencies_of() -> None:
    assert ("core", "0001_initial") in dependencies_of(("inventory", "0001_initial"))
    assert dependencies_of(("inventory", "9999_nothing")) == ()
    assert dependencies_of(("nobody", "0001_initial")) == ()


def test_this_project_crosses_nowhere() -> None:
    assert list(crossing_links()) == []


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package that stands for hr's migrations."""
    package = tmp_path / "moved_hr_migrations"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    return package


@pytest.mark.parametrize("word", ["dependencies", "run_before"])
def test_crossing_links(elsewhere: Path, word: str) -> None:
    (elsewhere / "0001_initial.py").write_text(
        "raise SystemExit('imported')\nclass Migration:\n"
        f"    {word} = [('core', '0001_initial'), ('finance', '0001_initial')]\n"
    )
    with override_settings(MIGRATION_MODULES={"hr": elsewhere.name}):
        found = {link.child + link.parent: link for link in crossing_links()}
    ends = {
        "dependencies": ("hr", "0001_initial", "finance", "0001_initial"),
        "run_before": ("finance", "0001_initial", "hr", "0001_initial"),
    }[word]
    link = found[ends]
    assert link.message == (
        f"The migration hr.0001_initial makes {ends[0]}.{ends[1]} of {ends[0]} depend on"
        f" {ends[2]}.{ends[3]} of {ends[2]}."
    )
    assert link.hint == (
        f"Take ('finance', '0001_initial') out of {word} in 0001_initial.py: keep the other's id"
        " instead of a foreign key, or move what both need to core."
    )
    # Core may not be made to wait for a domain either.
    assert len(found) == (2 if word == "run_before" else 1)
