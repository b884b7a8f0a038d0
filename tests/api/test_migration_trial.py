"""One migration in a test, as the pytest plugin offers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from domain_migrations.api import MigrationTrial
from domain_migrations.exceptions import UnknownTarget
from tests.support.projects import Project, domain_app

FILL = "hr.0004_fill_thai_titles"


def applied_of(domain: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name FROM {domain}.django_migrations_{domain} ORDER BY id")
        return [name for (name,) in cursor.fetchall()]


@pytest.fixture
def trial_of(migrated_database: str, replayed: None) -> Callable[[str], MigrationTrial]:
    return MigrationTrial


def test_a_data_migration(trial_of: Callable[[str], Any]) -> None:
    before = applied_of("inventory"), applied_of("hr")
    trial = trial_of(FILL)
    assert applied_of("hr")[-1] == "0003_titles_in_two_languages"
    trial.old_model("Position").objects.create(title_en="Nurse")
    trial.apply()
    assert trial.new_model("hr.Position").objects.get().title_th == "Nurse"
    trial.assert_locks("RowExclusiveLock")
    trial.assert_no_rewrite()
    trial.revert()
    assert trial.old_model("Position").objects.get().title_th == ""
    trial.restore()
    assert (applied_of("inventory"), sorted(applied_of("hr"))) == (before[0], sorted(before[1]))
    assert not trial.old_model("Position").objects.exists()


def test_effects_that_were_not_expected(trial_of: Callable[[str], Any]) -> None:
    trial = trial_of("hr.0005")
    with pytest.raises(AssertionError, match=r"The effects of hr\.0005_\w+ are not known"):
        trial.assert_no_rewrite()
    trial.apply()
    with pytest.raises(AssertionError, match=r"hr\.0005_\w+ takes AccessExclusiveLock on hr\."):
        trial.assert_locks("ShareUpdateExclusiveLock")
    trial.restore()


def test_the_first_migration(trial_of: Callable[[str], Any]) -> None:
    trial = trial_of("hr.0001")
    assert applied_of("hr") == []
    with pytest.raises(LookupError):
        trial.old_model("Position")
    assert not trial.new_model("Position").objects.exists()
    trial.restore()


@pytest.mark.parametrize("name", ["hr.0099", "hr.00", "clinic.0001"])
def test_a_name_of_none_or_several(trial_of: Callable[[str], Any], name: str) -> None:
    before = applied_of("hr")
    with pytest.raises(UnknownTarget, match=r"begin with \"00"):
        trial_of(name)
    assert applied_of("hr") == before


PLUGIN_TEST = """\
def test_it(migration_trial):
    trial = migration_trial("lab.0002_sample_note")
    Sample = trial.old_model("Sample")
    assert not hasattr(Sample, "note")
    Sample.objects.create(code="A")
    assert trial.new_model("Sample").objects.get().note == ""


def test_restored(transactional_db):
    from lab.models import Sample

    assert not Sample.objects.filter(note="").exists()
"""


MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{dependencies}]
    operations = [{operation}]
"""
MIGRATIONS = {
    "0001_initial": MIGRATION.format(
        dependencies="",
        operation="""migrations.CreateModel(
            "Sample",
            [("code", models.CharField(max_length=9, primary_key=True))],
            {"db_table": '"lab"."samples"'},
        )""",
    ),
    "0002_sample_note": MIGRATION.format(
        dependencies='("lab", "0001_initial")',
        operation='migrations.AddField("Sample", "note", models.TextField(default=""))',
    ),
}
MODELS = """
class Sample(models.Model):
    code = models.CharField(max_length=9, primary_key=True)
    note = models.TextField(default="")

    class Meta:
        db_table = '"lab"."samples"'
"""


def test_the_plugin_in_a_foreign_project(project: Callable[..., Project]) -> None:
    foreign = project({"lab": domain_app("lab", models=MODELS, migrations=MIGRATIONS)})
    foreign.write("checks/test_lab.py", PLUGIN_TEST)
    plugins = ["-p", "domain_migrations.api.pytest_plugin", "-p", "no:cacheprovider"]
    output = foreign.python("-m", "pytest", "-q", *plugins, "--rootdir=.", "checks")
    assert "2 passed" in output
