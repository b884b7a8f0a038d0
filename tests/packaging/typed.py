"""A foreign project that uses the engine, and is checked by mypy --strict."""

from __future__ import annotations

from pathlib import Path

from tests.packaging.install import run, versions_here

TOOLS = ("mypy", "django-stubs", "pytest", "pytest-django")

FILES = {
    "pyproject.toml": """
[tool.mypy]
plugins = ["mypy_django_plugin.main"]
strict = true

[tool.django-stubs]
django_settings_module = "clinic.settings"
""",
    "clinic/__init__.py": "",
    "clinic/settings.py": """
SECRET_KEY = "not a secret"
INSTALLED_APPS = [
    "django.contrib.contenttypes", "django.contrib.auth", "domain_migrations", "lab"
]
DATABASES = {"default": {"ENGINE": "domain_migrations.backends.postgresql", "NAME": "clinic"}}
DATABASE_ROUTERS = ["domain_migrations.router.DomainRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
""",
    "lab/__init__.py": "",
    "lab/apps.py": """
from domain_migrations.domains import DomainConfig


class LabConfig(DomainConfig):
    name = "lab"
    schema = "lab"
""",
    "lab/models.py": """
from django.conf import settings
from django.db import models

from domain_migrations.fields import DomainReference


class Sample(models.Model):
    code = models.CharField(max_length=24, unique=True)
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    ward_id = DomainReference("wards.Ward", null=True)

    class Meta:
        db_table = '"lab"."samples"'

    def __str__(self) -> str:
        return self.code
""",
    "lab/migrations/__init__.py": "",
    "lab/migrations/0001_initial.py": """
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from domain_migrations.operations import (
    AddFieldIfMissing,
    AddIndexIfMissing,
    CreateModelIfMissing,
    has_table,
)


def fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if has_table(schema_editor, '"lab"."samples"'):
        apps.get_model("lab", "Sample")._default_manager.update(note="?")


class AddNote(AddFieldIfMissing):
    def __init__(self) -> None:
        super().__init__("Sample", "note", models.TextField(default=""))


class Migration(migrations.Migration):
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    operations = [
        CreateModelIfMissing(
            name="Sample",
            fields=[("code", models.CharField(max_length=24, primary_key=True))],
            options={"db_table": '"lab"."samples"'},
        ),
        AddFieldIfMissing("Sample", "note", models.TextField(default="")),
        AddIndexIfMissing("Sample", models.Index(fields=["code"], name="sample_code")),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
""",
    "test_lab.py": """
from collections.abc import Callable

from domain_migrations.api import MigrateOptions, MigrationTrial, migrate_domains
from domain_migrations.exceptions import DomainMigrationsError


def test_note(migration_trial: Callable[[str], MigrationTrial]) -> None:
    trial = migration_trial("lab.0001")
    trial.apply()
    assert not trial.new_model("Sample")._default_manager.exists()
    trial.assert_locks("ShareLock")
    trial.assert_no_rewrite()


def deploy() -> int:
    try:
        result = migrate_domains(["lab"], MigrateOptions(interactive=False))
    except DomainMigrationsError as exc:
        print(exc.full_message)
        return 1
    return len(result.domains)
""",
}

MISTAKES = """
from domain_migrations.api import MigrationTrial, migrate_domains
from domain_migrations.domains import get_domain
from domain_migrations.operations import AddFieldIfMissing

MigrationTrial(7)
migrate_domains("lab", timeout=3)
get_domain("lab").shema
AddFieldIfMissing("Sample", "note", "text")
"""
EXPECTED = {"arg-type": 2, "call-arg": 1, "attr-defined": 1}


def write(folder: Path) -> None:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def is_typed(folder: Path, python: Path) -> None:
    """mypy --strict finds nothing wrong with a domain, its operations and the pytest fixture"""
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, *versions_here(TOOLS), folder=folder.parent)
    write(folder)
    output = run(python, "-m", "mypy", "--strict", ".", folder=folder)
    assert "no issues found" in output, output


def shows_mistakes(folder: Path, python: Path) -> None:
    """mypy finds a wrong argument, option, attribute and field"""
    (folder / "mistakes.py").write_text(MISTAKES)
    output = run(python, "-m", "mypy", "--strict", "mistakes.py", folder=folder, fails=True)
    for code, number in EXPECTED.items():
        assert output.count(f"[{code}]") == number, output


TYPED_STEPS = (is_typed, shows_mistakes)
