"""Dependencies between migrations that break the rule."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import override_settings

from domain_migrations.engine.boundary.planned_migrations import crossing_links
from domain_migrations.engine.sources.divided_source import LARGE


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
    applied = (
        " If it is applied, leave it: convert the foreign keys with ConvertToReference, and add"
        ' former_dependencies = ["finance"] to the class Migration that does it.'
    )
    assert link.hint == (
        f"Remove ('finance', '0001_initial') from {word} in 0001_initial.py: keep the other's id"
        " instead of a foreign key, or move what both need to core."
        f"{applied if word == 'dependencies' else ''}"
    )
    # Core may not be made to wait for a domain either.
    assert len(found) == (2 if word == "run_before" else 1)


@pytest.mark.parametrize("quote", ["'", '"'])
def test_crossing_links__large_file(elsewhere: Path, quote: str) -> None:
    """It is searched in another way, which takes less memory."""
    (elsewhere / "0001_initial.py").write_text(
        "class Migration:\n    dependencies = [('finance', '0001_initial')]\n".replace("'", quote)
        + "#" * LARGE
    )
    (elsewhere / "0002_mentions.py").write_text(
        "class Migration:\n    text = 'finance is not a name'\n" + "#" * LARGE
    )
    with override_settings(MIGRATION_MODULES={"hr": elsewhere.name}):
        links = [(link.declared_by.name, link.parent) for link in crossing_links()]
    assert links == [("0001_initial", ("finance", "0001_initial"))]


def test_former_dependencies_do_not_cross(elsewhere: Path) -> None:
    """Those on the app that a later migration names, and no others."""
    (elsewhere / "0001_initial.py").write_text(
        "class Migration:\n"
        "    dependencies = [('finance', '0001_initial'), ('inventory', '0001_initial')]\n"
    )
    (elsewhere / "0002_convert.py").write_text(
        "class Migration:\n    former_dependencies = ['finance']\n"
        "    run_before = [('finance', '0002_x')]\n"
    )
    with override_settings(MIGRATION_MODULES={"hr": elsewhere.name}):
        assert [(link.child, link.parent) for link in crossing_links()] == [
            (("hr", "0001_initial"), ("inventory", "0001_initial")),
            (("finance", "0002_x"), ("hr", "0002_convert")),
        ]
