"""A backend that combines the engine's mixin with another one."""

from __future__ import annotations

from collections.abc import Callable

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


def test_combined_backend(project: Callable[..., Project]) -> None:
    execute("CREATE TABLE public.things (size int UNIQUE)")
    foreign = project({"lab": domain_app("lab", models=MODELS)})
    foreign.write("combined/base.py", WRAPPER)
    settings = (foreign.path / "settings.py").read_text()
    engine = "'ENGINE': 'domain_migrations.backends.postgresql'"
    assert engine in settings
    foreign.write("settings.py", settings.replace(engine, "'ENGINE': 'combined'"))
    for command in (
        ["check", "--database", "default"],
        ["makemigrations", "lab"],
        ["migrate_domain", "--all"],
        ["migrate", "lab", "zero"],
        ["migrate", "lab"],
    ):
        result = foreign.manage(*command)
        assert result.returncode == 0, result.stdout + result.stderr
    assert "things" in tables("lab")
    assert query("SELECT app, name FROM lab.django_migrations_lab") == [("lab", "0001_initial")]
    assert "lab" not in {app for app, _ in histories()["core"]}
    assert "things" in tables("public")
