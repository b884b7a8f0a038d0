"""A backend that combines the engine's mixin with another one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.catalog import execute, histories, query, tables
from tests.support.projects import Project, domain_app

WRAPPER = """
from django.db.backends.postgresql import base
from domain_migrations.backends.postgresql.base import QualifiedNamesMixin


class Other(base.DatabaseWrapper):
    pass


class DatabaseWrapper(QualifiedNamesMixin, Other):
    pass
"""
MODELS = """
class Thing(models.Model):
    size = models.IntegerField(unique=True)
    class Meta:
        db_table = '"lab"."things"'
"""


@pytest.fixture
def combined(project: Callable[..., Project]) -> Project:
    """A project with the domain `lab`, whose backend combines the mixin with another one."""
    foreign = project({"lab": domain_app("lab", models=MODELS)})
    foreign.write("combined/base.py", WRAPPER)
    settings = (foreign.path / "settings.py").read_text()
    engine = "'ENGINE': 'domain_migrations.backends.postgresql'"
    assert engine in settings
    foreign.write("settings.py", settings.replace(engine, "'ENGINE': 'combined'"))
    return foreign


def test_combined_backend(combined: Project) -> None:
    execute("CREATE TABLE public.things (size int UNIQUE)")
    for command in (
        ["check", "--database", "default"],
        ["makemigrations", "lab"],
        ["migrate_domain", "--all"],
        ["migrate", "lab", "zero"],
        ["migrate", "lab"],
    ):
        result = combined.manage(*command)
        assert result.returncode == 0, result.stdout + result.stderr
    assert "things" in tables("lab")
    assert query("SELECT app, name FROM lab.django_migrations_lab") == [("lab", "0001_initial")]
    assert "lab" not in {app for app, _ in histories()["core"]}
    assert "things" in tables("public")


@pytest.mark.parametrize(
    "command", [["prove_domain"], ["prove_domain", "lab"], ["snapshot_domain", "lab"]]
)
def test_scratch_databases_of_a_combined_backend(combined: Project, command: list[str]) -> None:
    combined.manage("makemigrations", "lab")
    assert combined.manage("migrate_domain", "--all").returncode == 0
    execute("INSERT INTO lab.things (size) VALUES (1)")
    before = query("SELECT direction FROM lab.django_migrations_lab_journal ORDER BY id")

    result = combined.manage(*command)

    assert result.returncode == 0, result.stdout + result.stderr
    assert query("SELECT size FROM lab.things") == [(1,)]
    assert query("SELECT direction FROM lab.django_migrations_lab_journal ORDER BY id") == before
