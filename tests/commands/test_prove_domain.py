"""`prove_domain` on the project's domains, and on domains that fail each step."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import catalog
from tests.support.commands import Result
from tests.support.projects import domain_app
from tests.support.servers import TestServer

GOOD = """
class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            "Thing",
            [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())],
            options={"db_table": '"good"."things"'},
        ),
        migrations.RunSQL("CREATE FUNCTION good.two() RETURNS int LANGUAGE sql AS 'SELECT 2'",
                          "DROP FUNCTION good.two()"),
    ]
"""
LEAVES = """
class Migration(migrations.Migration):
    operations = [
        migrations.RunSQL("CREATE FUNCTION leaves.two() RETURNS int LANGUAGE sql AS 'SELECT 2'",
                          migrations.RunSQL.noop),
        migrations.RunSQL("CREATE TABLE leaves.things ()", migrations.RunSQL.noop),
    ]
"""
NEEDS = """
class Migration(migrations.Migration):
    operations = [migrations.RunSQL("UPDATE good.things SET name = ''", migrations.RunSQL.noop)]
"""
ONE_WAY = """
class Migration(migrations.Migration):
    operations = [migrations.RunSQL("CREATE TABLE one_way.things ()")]
"""
CHANGES = """
def make(apps, schema_editor):
    ContentType = apps.get_model("contenttypes", "ContentType")
    _, is_first = ContentType.objects.get_or_create(app_label="changes", model="made")
    if is_first:
        schema_editor.execute("CREATE INDEX things_name ON changes.things (name)")


class Migration(migrations.Migration):
    writes_core = True
    dependencies = [("contenttypes", "0002_remove_content_type_name")]
    operations = [
        migrations.RunSQL("CREATE TABLE changes.things (name text)", "DROP TABLE changes.things"),
        migrations.RunPython(make, migrations.RunPython.noop),
    ]
"""
REACHES = """
from django.db import connections


def reach(apps, schema_editor):
    with connections["reports"].cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS public.reached ()")


class Migration(migrations.Migration):
    operations = [migrations.RunPython(reach, migrations.RunPython.noop)]
"""
NAMES = """
SELECT datname FROM pg_database WHERE datname ~ '^prove_[a-z_]+_[0-9]+_[0-9a-f]{8}$'
"""
TIME = re.compile(r"\d+\.\d s")


def domain(name: str, migration: str) -> dict[str, str]:
    return domain_app(name, migrations={"0001_initial": migration})


@pytest.mark.parametrize(
    "domains", [("core", "hr"), pytest.param((), marks=pytest.mark.slow_stress)], ids=["two", "all"]
)
def test_the_project_domains_are_proven_and_the_configured_database_is_not_touched(
    scratch_database: str, call: Callable[..., Result], domains: tuple[str, ...]
) -> None:
    catalog.execute("CREATE TABLE public.employees (decoy text)")
    before = catalog.snapshot()

    result = call("prove_domain", *domains)

    assert result.exit_status == 0, result.stdout + result.stderr
    assert [line.split(" in ")[0] for line in result.stdout.splitlines()] == [
        f"{name}: proven" for name in domains or catalog.HISTORIES
    ]
    assert catalog.snapshot() == before


def test_each_failure_is_reported_by_its_first_difference(
    project: Callable[..., Any], postgres_server: TestServer, scratch_database: str
) -> None:
    database = {
        "ENGINE": "domain_migrations.backends.postgresql",
        **postgres_server.settings,
        "NAME": scratch_database,
    }
    foreign = project(
        {
            "good": domain("good", GOOD),
            "leaves": domain("leaves", LEAVES),
            "needs": domain("needs", NEEDS),
            "one_way": domain("one_way", ONE_WAY),
            "changes": domain("changes", CHANGES),
            "reaches": domain("reaches", REACHES),
        },
        settings={"DATABASES": {"default": database, "reports": dict(database)}},
    )
    catalog.execute("CREATE TABLE public.things (decoy text)")
    before = catalog.snapshot()

    as_json = foreign.manage("prove_domain", "good", "leaves", "--format", "json")
    assert (as_json.returncode, as_json.stderr) == (1, "CommandError: Not proven: leaves.\n")
    good, leaves = json.loads(as_json.stdout)["domains"]
    assert (good["domain"], good["proven"], good["problem"], good["error"]) == (
        *("good", True, "", None),
    )
    assert (leaves["proven"], len(leaves["differences"])) == (False, 2)

    result = foreign.manage("prove_domain", "-v", "2")

    assert result.returncode == 1, result.stderr
    assert TIME.sub("… s", result.stdout).splitlines() == [
        "core: proven in … s",
        "good: proven in … s",
        "leaves: reverting it does not restore the previous state: table leaves.things: added"
        " (and 1 more)",
        "  function leaves.two(): added",
        "needs: applying it alone with core fails: Migration needs.0001_initial failed at"
        ' operation 1 of 1 (Raw SQL operation): relation "good.things" does not exist.',
        "one_way: reverting it fails: These cannot be reverted: one_way.0001_initial (Raw SQL"
        " operation). Choose a target after them; or write their reverse, and where they are"
        " applied, run: manage.py repair_domain one_way --accept-checksum NAME. Nothing was"
        " changed.",
        "changes: applying it again has another result: index changes.things_name: missing",
        "reaches: reverting it does not restore the previous state: table public.reached: added",
    ]
    assert result.stderr == (
        "CommandError: Not proven: leaves, needs, one_way, changes, reaches.\n"
    )
    assert catalog.snapshot() == before
    assert not [name for (name,) in catalog.query(NAMES) if "_leaves_" in name]


def test_a_model_that_needs_another_domain_is_refused(project: Callable[..., Any]) -> None:
    models = """
        class Thing(models.Model):
            class Meta:
                db_table = '"good"."things"'
        """
    needy = """
        class Use(models.Model):
            thing = models.ForeignKey("good.Thing", models.CASCADE)
            class Meta:
                db_table = '"needy"."uses"'
        """
    foreign = project(
        {"good": domain_app("good", models=models), "needy": domain_app("needy", models=needy)}
    )

    result = foreign.manage("prove_domain", "needy")

    assert result.returncode == 1
    assert result.stdout == (
        "needy: applying it alone with core fails: needy.Use.thing is a foreign key to good.Thing,"
        ' but it belongs to the domain "good". A domain may depend only on itself and core. Keep'
        " the other's id in a DomainReference and resolve it in code, or share the table in core.\n"
    )


def test_a_domain_that_does_not_exist(call: Callable[..., Result]) -> None:
    result = call("prove_domain", "inventroy")

    assert result.exit_status == 2
    assert result.stderr.startswith(
        'CommandError: There is no domain "inventroy". Did you mean "inventory"?'
    )
