"""Drafts of apps: installed for a while, a large migration part by part."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from django.apps import apps

from domain_migrations.api.inspect import draft_import
from domain_migrations.api.inspect.draft_app import draft_app
from domain_migrations.engine.sources.divided_source import LARGE, DividedSource

RUN_SQL = """\
        migrations.RunSQL(
            {},
        ),
"""
HEAD = """\
from django.db import migrations


class Migration(migrations.Migration):
    text = "SELECT 2"
    operations = [
"""


def files(*texts: str) -> dict[str, str]:
    """An app with a large migration, whose operations begin with those of the texts."""
    parts = [*texts, *[f'"SELECT {number:>60}"' for number in range(LARGE // 80)]]
    source = HEAD + "".join(map(RUN_SQL.format, parts)) + "    ]\n"
    assert len(source) > LARGE
    return {
        "__init__.py": "",
        "apps.py": (
            "from domain_migrations.domains import DomainConfig\n\n\n"
            'class DraftConfig(DomainConfig):\n    name = "draft"\n'
        ),
        "models.py": "",
        "migrations/__init__.py": "",
        "migrations/0001_initial.py": source,
    }


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[ModuleType]:
    """The modules that are executed in parts."""
    found: list[ModuleType] = []
    execute = DividedSource.execute

    def noted(self: DividedSource, module: ModuleType) -> None:
        execute(self, module)
        found.append(module)

    monkeypatch.setattr(DividedSource, "execute", noted)
    return found


def first_sql() -> Any:
    return import_module("draft.migrations.0001_initial").Migration.operations[0].sql


def test_a_large_migration_is_imported_in_parts(executed: list[ModuleType]) -> None:
    with draft_app("draft", files('"SELECT 1"')):
        assert first_sql() == "SELECT 1"
        assert executed == [sys.modules["draft.migrations.0001_initial"]]
    assert not apps.is_installed("draft")
    assert not [name for name in sys.modules if name.startswith("draft")]


def test_a_large_migration_is_imported_in_parts__not_possible(executed: list[ModuleType]) -> None:
    """A part does not see the names of the class; all of it at once does."""
    with draft_app("draft", files("text")):
        assert first_sql() == "SELECT 2"
        assert executed == []


def test_a_large_migration_is_imported_in_parts__wrong(executed: list[ModuleType]) -> None:
    with draft_app("draft", files("missing")):
        with pytest.raises(NameError, match="missing"):
            first_sql()
        assert executed == []


MODEL = """\
class Thing{0}(models.Model):
    {1} = models.TextField()

    class Meta:
        db_table = '"draft"."things{0}"'

    def where(self) -> Later:
        raise ValueError(self)


"""


def with_models(*more: str) -> dict[str, str]:
    """An app with a large module of models."""
    names = [f"field_{number}_{'x' * 30}" for number in range(10)]
    body = "\n    ".join(f"{name} = models.TextField()" for name in names)
    pieces = [MODEL.format(number, body + "\n    last") for number in range(500)]
    head = "from __future__ import annotations\n\nfrom django.db import models\n\n\n"
    source = head + "".join([*pieces, *more])
    assert len(source) > LARGE
    return files('"SELECT 1"') | {"models.py": source}


def test_many_models_are_imported_class_by_class(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[int] = []

    def noted(source: str, *args: Any, **kwargs: Any) -> Any:
        compiled.append(len(source.strip("\n")))
        return compile(source, *args, **kwargs)

    monkeypatch.setattr(draft_import, "compile", noted, raising=False)
    texts = with_models()
    with draft_app("draft", texts):
        found = list(apps.get_app_config("draft").get_models())
        assert [model.__name__ for model in found] == [f"Thing{number}" for number in range(500)]
        lines = texts["models.py"].split("\n")
        at = found[-1].where.__code__.co_firstlineno
        assert lines[at - 1] == "    def where(self) -> Later:"
        assert lines[:at].count(lines[at - 1]) == 500
    assert len(compiled) == 501
    assert max(compiled) < 2000
    assert not [name for name in sys.modules if name.startswith("draft")]


def test_many_models_are_imported_class_by_class__not_possible() -> None:
    """A text that looks like the beginning of a class; all of it at once is right."""
    with draft_app("draft", with_models('NOTE = """\nclass Other:\n"""\n')):
        assert len(list(apps.get_app_config("draft").get_models())) == 500
        assert sys.modules["draft.models"].NOTE == "\nclass Other:\n"


def test_many_models_are_imported_class_by_class__wrong() -> None:
    with (
        pytest.raises(NameError, match="missing"),
        draft_app("draft", with_models("class Other(missing):\n    pass\n")),
    ):
        pass
    assert not apps.is_installed("draft")
    assert not [name for name in sys.modules if name.startswith("draft")]
