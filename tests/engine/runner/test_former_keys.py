"""Old foreign keys to what is another domain's today, on a new database and on an old one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import models
from django.db.migrations import (
    AddField,
    AlterField,
    CreateModel,
    Migration,
    RunSQL,
    SeparateDatabaseAndState,
)
from django.db.migrations.operations.base import Operation

from domain_migrations.engine.runner.former_keys import FormerKey, forget_dependencies
from domain_migrations.engine.sources.checksum import checksum
from domain_migrations.fields import DomainReference
from domain_migrations.operations import ConvertToReference
from tests.support.catalog import execute, query
from tests.support.projects import Project, domain_app

ID = ("id", models.BigAutoField(primary_key=True))
STAFF = models.ForeignKey("hr.Employee", models.CASCADE, null=True, related_name="+")
SHOP = models.ForeignKey("shop.Shop", models.CASCADE, related_name="+")


def _forgotten(*operations: Operation) -> tuple[list[Any], Migration]:
    first, convert = Migration("0001_initial", "lab"), Migration("0002_convert", "lab")
    first.operations = list(operations)
    first.dependencies = [("hr", "0001_initial"), ("shop", "0001_initial")]
    reference = DomainReference("hr.Employee", id_field=models.UUIDField(), null=True)
    convert.operations = [ConvertToReference("Thing", "staff", reference)]
    forget_dependencies([first, convert], {"lab": {"hr"}})
    return list(first.operations), first


def test_foreign_keys_become_columns_of_the_same_name() -> None:
    create, add, alter, separate, sql = (
        CreateModel("Thing", [ID, ("staff", STAFF), ("shop", SHOP)]),
        AddField("Thing", "other", STAFF),
        AlterField("Thing", "staff", models.OneToOneField("hr.employee", models.CASCADE)),
        SeparateDatabaseAndState([AddField("Thing", "more", STAFF)], []),
        RunSQL("SELECT 1"),
    )
    operations, migration = _forgotten(create, add, alter, separate, sql)
    assert migration.dependencies == [("shop", "0001_initial")]
    fields = dict(operations[0].fields)
    assert fields["shop"] is SHOP
    staff = fields["staff"]
    assert isinstance(staff, FormerKey)
    assert staff.null
    assert staff.db_index
    assert type(staff.id_field) is models.UUIDField, "the type that the conversion states"
    staff.set_attributes_from_name("staff")
    assert (staff.attname, staff.column, staff.accessor_name) == ("staff_id", "staff_id", "staff")
    assert isinstance(operations[1].field, FormerKey)
    assert operations[2].field.unique
    assert isinstance(operations[3].database_operations[0].field, FormerKey)
    assert operations[4] is sql
    # What the class of the migration has stays as it is.
    assert dict(create.fields)["staff"] is STAFF
    assert add.field is STAFF
    assert separate.database_operations[0].field is STAFF  # type: ignore[attr-defined]


def test_other_operations_stay_the_same_objects() -> None:
    own = CreateModel("Thing", [ID, ("shop", SHOP)])
    add = AddField("Thing", "shop", SHOP)
    operations, _ = _forgotten(own, add)
    assert operations[0] is own
    assert operations[1] is add


def test_declaring_one_keeps_the_checksum() -> None:
    before = "class Migration:\n    dependencies = [('hr', '1')]\n"
    assert checksum(before + "    former_dependencies = ['hr']\n") == checksum(before)
    assert checksum(before + "    other = ['hr']\n") != checksum(before)


EMPLOYEES = """
class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel(
        "Employee", [("id", models.BigAutoField(primary_key=True, serialize=False))],
        {"db_table": '"hr"."employees"'},
    )]
"""
THINGS = """
class Migration(migrations.Migration):
    initial = True
    dependencies = [("hr", "0001_initial")]
    operations = [migrations.CreateModel(
        "Thing",
        [
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("staff", models.ForeignKey("hr.Employee", models.CASCADE, null=True)),
            ("note", models.TextField(default="")),
        ],
        {
            "db_table": '"lab"."things"',
            "unique_together": {("staff", "note")},
            "indexes": [models.Index(fields=["note", "staff"], name="things_note_staff")],
        },
    )]
"""
CONVERT = """
from domain_migrations.operations import ConvertToReference

def fill(apps, schema_editor):
    apps.get_model("lab", "Thing").objects.create(staff_id=7)

class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    {former}
    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        ConvertToReference("Thing", "staff"),
    ]
"""
MODELS = """
from domain_migrations.fields import DomainReference

class Thing(models.Model):
    id = models.BigAutoField(primary_key=True)
    staff_id = DomainReference("hr.Employee", null=True, db_index=True)
    note = models.TextField(default="")
    class Meta:
        db_table = '"lab"."things"'
        unique_together = [("staff_id", "note")]
        indexes = [models.Index(fields=["note", "staff_id"], name="things_note_staff")]
"""
KEYS = "SELECT conname FROM pg_constraint WHERE conrelid = 'lab.things'::regclass AND contype = 'f'"
CONSTRAINT = """
DELETE FROM lab.things;
CREATE TABLE public.hr_employee (id bigint PRIMARY KEY);
INSERT INTO public.hr_employee VALUES (7);
CREATE TABLE public.things (staff_id bigint CONSTRAINT things_staff_fk REFERENCES hr_employee);
ALTER TABLE lab.things ADD CONSTRAINT things_staff_fk
    FOREIGN KEY (staff_id) REFERENCES public.hr_employee DEFERRABLE INITIALLY DEFERRED;
"""


HR = domain_app(
    "hr",
    models="""
class Employee(models.Model):
    id = models.BigAutoField(primary_key=True)
    class Meta:
        db_table = '"hr"."employees"'
""",
    migrations={"0001_initial": EMPLOYEES},
)
HEADER = "from django.db import migrations\n"


@pytest.fixture
def lab(project: Callable[..., Project]) -> Callable[[str], Project]:
    """`lab(former)`: a domain whose first migration depends on another domain's."""

    def write(former: str) -> Project:
        convert = CONVERT.replace("{former}", former)
        return project(
            {
                "hr": HR,
                "lab": domain_app(
                    "lab",
                    models=MODELS,
                    migrations={"0001_initial": THINGS, "0002_convert": convert},
                ),
            }
        )

    return write


def test_a_new_database_does_not_need_the_other_domain(lab: Callable[[str], Project]) -> None:
    there = lab("")
    refused = there.manage("migrate_domain", "lab", "--with-dependencies", "--skip-checks")
    assert refused.returncode == 1
    assert 'add former_dependencies = ["hr"] to the class Migration' in refused.stderr

    there = lab('former_dependencies = ["hr"]')
    applied = there.manage("migrate_domain", "lab", "--with-dependencies")
    assert applied.returncode == 0, applied.stderr
    assert query("SELECT staff_id, note FROM lab.things") == [(7, "")]
    assert query(KEYS) == []
    checked = there.manage("makemigrations", "--check", "--dry-run")
    assert checked.stdout == "No changes detected\n", checked.stdout + checked.stderr
    verified = there.manage("verify_domain", "lab")
    assert verified.returncode == 0, verified.stdout

    # A database that is behind: the constraint is there, although the state forgets it.
    assert there.manage("migrate_domain", "lab", "0001", "--noinput").returncode == 0
    execute(CONSTRAINT)
    applied = there.manage("migrate_domain", "lab")
    assert applied.returncode == 0, applied.stderr
    assert query(KEYS) == []
    assert query(KEYS.replace("lab.", "public.")) == [("things_staff_fk",)]
    reverted = there.manage("migrate_domain", "lab", "zero", "--noinput")
    assert reverted.returncode == 0, reverted.stderr


FILL = """
def copy_notes(apps, schema_editor):
    apps.get_model("lab", "Thing").objects.create(note="made before it asks")
    for employee in apps.get_model("hr.Employee").objects.all():
        apps.get_model("lab", "Thing").objects.create(staff_id=employee.pk)

class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial"), ("hr", "0001_initial")]
    operations = [migrations.RunPython(copy_notes, copy_notes)]
"""
NOTE = "INSERT INTO lab.things (note) VALUES ('mine')"


def test_a_function_that_asks_for_the_other_domain_s_models_is_left_out(
    project: Callable[..., Project],
) -> None:
    """In a new database; it is refused where the app has rows. Its own errors are its own."""
    convert = CONVERT.replace("{former}", 'former_dependencies = ["hr"]')
    convert = convert.replace("0001_initial", "0002_fill").replace(
        "migrations.RunPython(fill, migrations.RunPython.noop),", ""
    )
    steps = {"0001_initial": THINGS, "0002_fill": FILL, "0003_convert": convert}
    there = project({"lab": domain_app("lab", models=MODELS, migrations=steps), "hr": HR})
    applied = there.manage("migrate_domain", "lab", "--with-dependencies")
    assert applied.returncode == 0, applied.stderr
    assert (
        "copy_notes of lab was left out: it asks for models of hr, which belongs to another"
        " domain, and lab has no rows." in applied.stdout
    )
    assert query("SELECT count(*) FROM lab.things") == [(0,)]
    assert there.manage("prove_domain", "lab").returncode == 0
    assert there.manage("migrate_domain", "lab", "0001", "--noinput").returncode == 0
    execute(NOTE)
    refused = there.manage("migrate_domain", "lab")
    assert refused.returncode == 1
    assert (
        'copy_notes asks for models of hr, which belongs to another domain, and "lab"."things" has'
        " rows." in refused.stderr
    )
    assert query("SELECT note FROM lab.things") == [("mine",)]
    there.write("lab/migrations/0002_fill.py", HEADER + FILL.replace("hr.Employee", "no.Employee"))
    execute("DELETE FROM lab.things")
    failed = there.manage("migrate_domain", "lab", "--skip-checks")
    assert "LookupError: No installed app with label 'no'" in failed.stderr, failed.stderr
