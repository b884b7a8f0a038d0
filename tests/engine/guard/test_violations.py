"""Migrations that break the rule are refused, as early as possible, and change nothing."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest
from django.db import migrations, models

from domain_migrations.engine.boundary.rule import DOMAIN_DEPENDS
from domain_migrations.engine.guard.violations import CORE_SHAPE
from domain_migrations.exceptions import BoundaryViolation
from tests.engine.guard.database import as_migration, everything, in_python, plan, prepare, run
from tests.engine.guard.violation_cases import (
    DONE,
    IN_INVENTORY,
    PLANNED,
    Violation,
)
from tests.support.catalog import query, snapshot
from tests.support.projects import Project, domain_app

WITHOUT_A_TRANSACTION = {
    "CREATE INDEX CONCURRENTLY staff ON hr.employees (name)": (
        'RunSQL, would change hr.employees, which belongs to the domain "hr".',
        DOMAIN_DEPENDS,
    ),
    "DROP INDEX CONCURRENTLY IF EXISTS hr.employees_name": (
        'RunSQL, would change hr.employees_name, which belongs to the domain "hr".',
        DOMAIN_DEPENDS,
    ),
    "REINDEX (VERBOSE) TABLE CONCURRENTLY hr.employees;": (
        'RunSQL, would change hr.employees, which belongs to the domain "hr".',
        DOMAIN_DEPENDS,
    ),
    "CREATE INDEX CONCURRENTLY users_name ON users (name)": (
        "RunSQL, would change public.users, which belongs to core.",
        CORE_SHAPE,
    ),
    "ALTER TABLE hr.employees ADD COLUMN note text": (
        'RunSQL, took AccessExclusiveLock on hr.employees, which belongs to the domain "hr".',
        DOMAIN_DEPENDS,
    ),
    "CREATE TABLE public.needs (id int)": (
        "RunSQL, made public.needs, which belongs to core.",
        IN_INVENTORY,
    ),
    "DROP TABLE hr.parts": (
        'RunSQL, took AccessExclusiveLock on hr.parts, which belongs to the domain "hr".',
        DOMAIN_DEPENDS,
    ),
    "UPDATE hr.employees SET name = 'x'": (
        'RunSQL, took RowExclusiveLock on hr.employees, which belongs to the domain "hr".',
        DOMAIN_DEPENDS,
    ),
    "BEGIN; DELETE FROM hr.employees; COMMIT": (
        'RunSQL, took RowExclusiveLock on hr.employees, which belongs to the domain "hr".',
        DOMAIN_DEPENDS,
    ),
    "ALTER TABLE inventory.lots ADD COLUMN mood hr.mood": (
        "RunSQL, made table column inventory.lots.mood use type hr.mood, which belongs to the"
        ' domain "hr".',
        DOMAIN_DEPENDS,
    ),
}


@pytest.fixture(scope="module")
def world(module_database: str) -> dict[str, str]:
    """Everything there is; no refused migration changes it."""
    prepare()
    return everything()


def migration_of(violation: Violation) -> migrations.Migration:
    return as_migration(*violation.operations, domain=violation.domain, **violation.attributes)


def summary(violation: Violation) -> tuple[str, str]:
    did = f"Migration {violation.domain}.9000_gallery is refused: its {violation.did}"
    return did, violation.hint


@pytest.mark.parametrize("name", PLANNED)
def test_planned_violation_is_refused(world: dict[str, str], name: str):
    violation = PLANNED[name]
    with pytest.raises(BoundaryViolation) as refused:
        plan(migration_of(violation))
    assert (refused.value.message, refused.value.hint) == summary(violation)
    assert everything() == world


@pytest.mark.parametrize("name", DONE)
def test_violation_is_refused_before_it_commits(world: dict[str, str], name: str):
    violation = DONE[name]
    migration = migration_of(violation)
    plan(migration, backwards=violation.backwards)
    with pytest.raises(BoundaryViolation) as refused:
        run(migration, backwards=violation.backwards)
    assert (refused.value.message, refused.value.hint) == summary(violation)
    assert everything() == world


@pytest.mark.parametrize("statement", WITHOUT_A_TRANSACTION)
def test_violation_is_refused__without_a_transaction(world: dict[str, str], statement: str):
    marker = in_python("CREATE TABLE inventory.later (id int)")
    with pytest.raises(BoundaryViolation) as refused:
        run(as_migration("SELECT 1", statement, marker, atomic=False))
    did, hint = WITHOUT_A_TRANSACTION[statement]
    assert refused.value.message == (
        f"Migration inventory.9000_gallery is refused: its operation 2, {did}"
    )
    assert refused.value.hint == hint
    assert everything() == world


def test_other_schemas_are_as_they_were__without_a_transaction(scratch_database: str):
    prepare()
    before = everything()
    key = models.ForeignKey("hr.Employee", models.CASCADE, null=True)
    with pytest.raises(BoundaryViolation):
        plan(as_migration(migrations.AddField("Drug", "by", key), atomic=False))
    assert everything() == before


def source(operations: str) -> str:
    return f"""
    class Migration(migrations.Migration):
        dependencies = [("lab", "0001_initial")]
        operations = [{operations}]
    """


INITIAL = """
class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("{model}", fields=[
        ("id", models.BigAutoField(primary_key=True)),
    ], options={{"db_table": '"{app}"."things"'}})]
"""
MODEL = """
class {model}(models.Model):
    class Meta:
        db_table = '"{app}"."things"'
"""
ENDINGS = {
    "SQL": (
        "migrations.RunSQL('DELETE FROM shop.things')",
        'RunSQL, took RowExclusiveLock on shop.things, which belongs to the domain "shop".',
    ),
    "Python": (
        "migrations.RunPython(lambda apps, editor: editor.execute('TABLE shop.things'))",
        'RunPython, took AccessShareLock on shop.things, which belongs to the domain "shop".',
    ),
    "plan": (
        "migrations.AddField('Thing', 'good', models.ForeignKey('shop.Good', models.CASCADE))",
        'AddField, relates lab.Thing.good to shop.good, which belongs to the domain "shop".',
    ),
}


def two_domains(last: str) -> dict[str, dict[str, str]]:
    apps = {}
    for app, model in (("shop", "Good"), ("lab", "Thing")):
        steps = {"0001_initial": INITIAL.format(app=app, model=model)}
        if app == "lab":
            steps["0002_change"] = source(last)
        apps[app] = domain_app(app, models=MODEL.format(app=app, model=model), migrations=steps)
    return apps


def test_commands_refuse(project: Callable[..., Project]):
    foreign = project(two_domains("migrations.RunSQL('SELECT 1')"))
    for arguments in (["core"], ["shop"], ["lab", "0001"]):
        assert foreign.manage("migrate_domain", *arguments).returncode == 0
    before = snapshot()
    header = "from django.db import migrations, models\n"
    for last, did in ENDINGS.values():
        foreign.write("lab/migrations/0002_change.py", header + dedent(source(last)))
        for command in ("migrate_domain", "migrate"):
            result = foreign.manage(command, "lab")
            assert result.returncode == 1, result.stdout
            assert f"Migration lab.0002_change is refused: its operation 1, {did}" in result.stderr
            assert DOMAIN_DEPENDS in result.stderr
            assert "Traceback" not in result.stderr
            assert snapshot() == before
            assert query("SELECT name FROM lab.django_migrations_lab") == [("0001_initial",)]
