"""Edits of source text: what is edited, what stays byte for byte, and what is refused."""

from __future__ import annotations

import difflib
import re
from textwrap import dedent

import pytest

from domain_migrations.api.adopt.code_edits import edit_config
from domain_migrations.api.adopt.migration_edits import (
    OperationEdit,
    add_former_dependencies,
    edit_migration,
)
from domain_migrations.api.source_code.model_tables import ModelEdit, edit_models
from domain_migrations.api.source_code.syntax import CannotEdit


def table(name: str) -> str:
    return f'"lab"."{name}"'


def changes(before: str, after: str) -> list[str]:
    """The lines that differ, without indentation; all others are the same, byte for byte."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0)
    return [f"{line[0]} {line[1:].strip()}".rstrip() for line in list(lines)[2:] if line[0] in "-+"]


def models(source: str, **edits: ModelEdit) -> str:
    return edit_models(dedent(source).encode(), edits).decode()


MODELS = """\
# -*- coding: utf-8 -*-
from django.db import models


class Base(models.Model):
    class Meta:
        abstract = True
        ordering = ["id"]


class Sample(Base):
    # What it is.
    code = models.CharField(max_length=9)  # short
    tags = models.ManyToManyField(
        "Tag",
        blank=True,
    )

    def __str__(self):
        return self.code

class Tag(models.Model): pass

class Old(models.Model):
    '''Old.'''
    class Meta:
        # why
        db_table = "old"  # since 2011
        verbose_name = "o"
"""

CHANGED_MODELS = """\
+ db_table='"lab"."tags"',
+
+ class Meta(Base.Meta):
+ db_table = '"lab"."lab_sample"'
- class Tag(models.Model): pass
+ class Tag(models.Model):
+ class Meta:
+ db_table = '"lab"."lab_tag"'
- db_table = "old"  # since 2011
+ db_table = '"lab"."old"'  # since 2011
"""


def test_models() -> None:
    edited = models(
        MODELS,
        Sample=ModelEdit(table("lab_sample"), 0, {"tags": table("tags")}),
        Tag=ModelEdit(table("lab_tag")),
        Old=ModelEdit(table("old")),
    )
    assert changes(MODELS, edited) == CHANGED_MODELS.splitlines()


def test_models__lines_of_windows_stay() -> None:
    source = b'class A(M):\r\n    class Meta:\r\n        db_table = "a"\r\n'
    assert edit_models(source, {"A": ModelEdit(table("a"))}) == source.replace(
        b'"a"', b'\'"lab"."a"\''
    )


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("A = make_model()\n", "does not define the class A"),
        ("def f():\n    class A(M): pass\n", "does not define the class A"),
        (
            "class A(M):\n    class Meta:\n        db_table = PREFIX + 'a'\n",
            "computes db_table of A",
        ),
    ],
)
def test_models__computed_ones_are_refused(source: str, problem: str) -> None:
    with pytest.raises(CannotEdit, match=f"^{problem}$"):
        models(source, A=ModelEdit(table("a")))


def test_models__inherited_fields_are_refused() -> None:
    with pytest.raises(CannotEdit, match=re.escape("does not define A.tags, whose table has")):
        models("class A(Base): pass\n", A=ModelEdit(table("a"), None, {"tags": table("t")}))


OWN_BASE = "+ from domain_migrations.domains import DomainConfig"
SCHEMA = '+ schema = "lab"'


@pytest.mark.parametrize(
    ("before", "edits"),
    [
        (
            "from django.apps import AppConfig\n\n"
            'class LabConfig(AppConfig):\n    name = "lab"  # here\n',
            [
                "- from django.apps import AppConfig",
                "- class LabConfig(AppConfig):",
                OWN_BASE,
                "+ class LabConfig(DomainConfig):",
                SCHEMA,
            ],
        ),
        (
            "from oscar.apps.lab.apps import LabConfig as Oscar\n\n"
            "class LabConfig(Oscar):\n    '''Ours.'''\n    def ready(self):\n        pass\n",
            [
                "- class LabConfig(Oscar):",
                OWN_BASE,
                "+ class LabConfig(Oscar, DomainConfig):",
                SCHEMA,
            ],
        ),
        (
            "from django.apps import AppConfig, apps\n\n"
            'class LabConfig(AppConfig):\n    name = "lab"\n\n'
            "def check(config: AppConfig): ...\n",
            ["- class LabConfig(AppConfig):", OWN_BASE, "+ class LabConfig(DomainConfig):", SCHEMA],
        ),
    ],
    ids=["plain", "other-base", "used-elsewhere"],
)
def test_config(before: str, edits: list[str]) -> None:
    """Where the import is put is libcst's choice."""
    edited = edit_config(before.encode(), "LabConfig", {"schema": "lab"}).decode()
    assert sorted(changes(before, edited)) == sorted(edits)
    assert edited.index("schema") > edited.index("class LabConfig")
    compile(edited, "apps.py", "exec")


MIGRATION = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            name="Sample",
            fields=[
                ("id", models.AutoField(primary_key=True)),  # key
                ("tags", models.ManyToManyField(to="lab.Tag")),
            ],
            options={
                'ordering': ["id"],
                # last
            },
        ),
        CreateModel(name="Tag", fields=[]),
        CreateModel("Old", [], {"db_table": "old"}),
        migrations.RenameModel("Tag", "Label"),  # renamed
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL("SELECT 1")],
            state_operations=[
                migrations.AlterModelTable(
                    name="Old",
                    table=None,
                ),
            ],
        ),
        AddField("Old", "tags", models.ManyToManyField("lab.Label")),
    ]
"""

CHANGED_MIGRATION = """\
- ("tags", models.ManyToManyField(to="lab.Tag")),
+ ("tags", models.ManyToManyField(to="lab.Tag", db_table='"lab"."t"')),
+ 'db_table': '"lab"."lab_sample"',
- CreateModel(name="Tag", fields=[]),
- CreateModel("Old", [], {"db_table": "old"}),
- migrations.RenameModel("Tag", "Label"),  # renamed
+ CreateModel(name="Tag", fields=[], options={"db_table": '"lab"."lab_tag"'}),
+ CreateModel("Old", [], {"db_table": '"lab"."old"'}),
+ migrations.RenameModel("Tag", "Label"),
+ migrations.AlterModelTable(name='Label', table='"lab"."lab_label"'),  # renamed
- table=None,
+ table='"lab"."lab_old"',
- AddField("Old", "tags", models.ManyToManyField("lab.Label")),
+ AddField("Old", "tags", models.ManyToManyField("lab.Label", db_table='"lab"."o"')),
"""


def test_migration() -> None:
    edits: dict[tuple[int | str, ...], OperationEdit] = {
        (0,): OperationEdit("CreateModel", table("lab_sample"), {"tags": table("t")}),
        (1,): OperationEdit("CreateModel", table("lab_tag")),
        (2,): OperationEdit("CreateModel", table("old")),
        (3,): OperationEdit("RenameModel", then=("Label", table("lab_label"))),
        (4, "state_operations", 0): OperationEdit("AlterModelTable", table("lab_old")),
        (5,): OperationEdit("AddField", fields={"tags": table("o")}),
    }
    edited = edit_migration(MIGRATION.encode(), edits).decode()
    assert changes(MIGRATION, edited) == CHANGED_MIGRATION.splitlines()


def test_migration__imported_operations() -> None:
    source = dedent("""\
        from django.db.migrations import Migration as Base, RenameModel


        class Migration(Base):
            operations = [RenameModel("A", "B")]
        """)
    edit = {(0,): OperationEdit("RenameModel", then=("B", table("lab_b")))}
    edited = edit_migration(source.encode(), edit).decode()
    assert "import AlterModelTable" in edited.replace("Migration as Base, RenameModel, ", "")
    assert """[RenameModel("A", "B"), AlterModelTable(name='B', table=""" in edited


@pytest.mark.parametrize(
    ("operations", "problem"),
    [
        ("make()", "computes the operation CreateModel, which has to name its table"),
        ("[*make(), CreateModel('A', [])]", "computes the operation CreateModel, which has"),
        ("[make('A')]", "computes the operation CreateModel, which has to name its table"),
        ("[CreateModel('A', [], OPTIONS)]", "computes the options of a CreateModel"),
        ("[CreateModel('A', [], {'db_table': NAME})]", "computes db_table"),
    ],
)
def test_migration__computed_ones_are_refused(operations: str, problem: str) -> None:
    source = f"class Migration(migrations.Migration):\n    operations = {operations}\n"
    with pytest.raises(CannotEdit, match=f"^{problem}"):
        edit_migration(source.encode(), {(0,): OperationEdit("CreateModel", table("lab_a"))})


@pytest.mark.parametrize(
    ("body", "written"),
    [
        ("    atomic = False\n", '    former_dependencies = ["hr", "lab"]\n    atomic = False\n'),
        (
            "    dependencies = []  # none\n\n    atomic = False\n",
            '    dependencies = []  # none\n    former_dependencies = ["hr", "lab"]\n\n'
            "    atomic = False\n",
        ),
        (
            "    # past\n    former_dependencies = ['shop']\n",
            '    # past\n    former_dependencies = ["hr", "lab", "shop"]\n',
        ),
    ],
    ids=["alone", "after-dependencies", "more"],
)
def test_former_dependencies(body: str, written: str) -> None:
    head = "class Migration(migrations.Migration):\n"
    edited = add_former_dependencies((head + body).encode(), {"lab", "hr"})
    assert edited.decode() == head + written


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("x = 1\n", "has no class Migration"),
        ("class Migration(M):\n    former_dependencies = f()\n", "computes former_dependencies"),
    ],
)
def test_former_dependencies__computed_ones_are_refused(source: str, problem: str) -> None:
    with pytest.raises(CannotEdit, match=f"^{problem}$"):
        add_former_dependencies(source.encode(), {"lab"})
