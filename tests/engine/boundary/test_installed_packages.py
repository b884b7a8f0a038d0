"""What a project cannot change, and the checks that it silences, never stop a command."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.catalog import schemas, tables
from tests.support.commands import ROOT
from tests.support.projects import Project, domain_app, plain_app

Write = Callable[..., Project]

LONG = 64 * "t"
TAGS = f"""
class Tag(models.Model):
    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=9)
    class Meta:
        constraints = [models.UniqueConstraint(fields=["name"], name="{LONG}")]


class Report(models.Model):
    id = models.BigAutoField(primary_key=True)
    class Meta:
        managed = False
        db_table = '"reports" AS "r"'
"""
TAGS_MIGRATION = f"""
class Migration(migrations.Migration):
    stage = object()
    operations = [
        migrations.CreateModel("Tag", fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("name", models.CharField(max_length=9)),
        ]),
        migrations.AddConstraint("tag", models.UniqueConstraint(fields=["name"], name="{LONG}")),
        migrations.CreateModel(
            "Report", fields=[("id", models.BigAutoField(primary_key=True))],
            options={{"managed": False, "db_table": '"reports" AS "r"'}},
        ),
    ]
"""
EMPTY = {"0001_initial": "class Migration(migrations.Migration): pass"}
COMMANDS = [
    ["check"],
    ["migrate_domain", "core", "--stage", "before"],
    ["migrate"],
    ["makemigrations", "--dry-run"],
    ["show_domains"],
    ["map_domains", "--format", "json"],
]


def test_a_packages_models_never_stop_a_command(project: Write) -> None:
    apps = ["domain_migrations", "django.contrib.contenttypes", "tags", "lab"]
    lab = domain_app("lab", migrations=EMPTY)
    foreign = project({"lab": lab}, settings={"INSTALLED_APPS": apps})
    for name, source in plain_app(models=TAGS, migrations={"0001_initial": TAGS_MIGRATION}).items():
        foreign.write(f"site-packages/tags/{name}", source)
    path = f"{foreign.path}/site-packages:{ROOT}"
    for command in COMMANDS:
        result = foreign.manage(*command, PYTHONPATH=path)
        assert result.returncode == 0, (command, result.stdout, result.stderr)
    assert "tags_tag" in tables("public")
    verified = foreign.manage("verify_domain", "--only", "history", PYTHONPATH=path)
    assert verified.returncode == 0, verified.stderr


OUTSIDE = """
class Thing(models.Model):
    class Meta:
        db_table = "{}"
"""
OUTSIDE_MIGRATION = """
class Migration(migrations.Migration):
    operations = [migrations.CreateModel(
        "Thing", fields=[("id", models.BigAutoField(primary_key=True))],
        options={{"db_table": "{}", "managed": {}}},
    )]
"""


@pytest.mark.parametrize("check", ["E007", "E009"])
def test_a_silenced_check_is_silenced_in_a_run_too(project: Write, check: str) -> None:
    table = '\\"reports\\".\\"r\\"' if check == "E007" else f'\\"lab\\".\\"{LONG}\\"'
    models = OUTSIDE.format(table)
    migration = OUTSIDE_MIGRATION.format(table, check == "E009")
    lab = domain_app("lab", models=models, migrations={"0001_initial": migration})
    run = ("migrate_domain", "lab", "--with-dependencies", "--skip-checks")
    refused = project({"lab": lab}).manage(*run)
    assert refused.returncode == 1
    assert "lab" not in schemas()
    silenced = {"SILENCED_SYSTEM_CHECKS": [f"domain_migrations.{check}"]}
    result = project({"lab": lab}, settings=silenced).manage(*run)
    assert result.returncode == 0, result.stderr


def test_a_silenced_relation_is_not_refused_before_the_guard(project: Write) -> None:
    other = domain_app("other", models=OUTSIDE.format('\\"other\\".\\"things\\"'))
    keys = """
    class Sample(models.Model):
        thing = models.ForeignKey(
            "other.Thing", models.DO_NOTHING, db_constraint=False, related_name="+"
        )
        class Meta:
            db_table = '"lab"."samples"'
            managed = False
    """
    apps = {"lab": domain_app("lab", models=keys, migrations=EMPTY), "other": other}
    run = ("migrate_domain", "lab", "--with-dependencies", "--skip-checks")
    assert "is a foreign key to other.Thing" in project(apps).manage(*run).stderr
    silenced = {"SILENCED_SYSTEM_CHECKS": ["domain_migrations.E001"]}
    result = project(apps, settings=silenced).manage(*run)
    assert result.returncode == 0, result.stderr
