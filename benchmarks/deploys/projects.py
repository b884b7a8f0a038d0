"""Generated projects with the given numbers of apps and migrations.

The same apps are either domains with their own schemas, or standard Django apps in ``public``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.deploys.history import History

Style = Literal["stock", "domains"]
ROOT = Path(__file__).parents[2]

MANAGE = """\
import os
import sys

sys.path.insert(0, {root!r})
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
"""

SETTINGS = """\
import os

SECRET_KEY = "benchmark"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    {engine_app}"django.contrib.auth",
    "django.contrib.contenttypes",
    *{apps},
]
DATABASES = {{
    "default": {{
        "ENGINE": {engine!r},
        **{{key: os.environ["DATABASE_" + key] for key in ("HOST", "PORT", "USER", "NAME")}},
    }}
}}
DATABASE_ROUTERS = {routers}
DOMAIN_MIGRATIONS = {{}}
"""

STOCK = {"engine_app": "", "engine": "django.db.backends.postgresql", "routers": []}
DOMAINS = {
    "engine_app": '"domain_migrations",\n    ',
    "engine": "domain_migrations.backends.postgresql",
    "routers": ["domain_migrations.router.DomainRouter"],
}

APPS = """\
from {module} import {base}


class Config({base}):
    name = "{label}"
"""

MIGRATION = """\
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    {initial}dependencies = [{dependencies}]
    operations = [
        {operations},
    ]
"""

MODELS = """\
from django.db import models
{classes}"""

MODEL = """

class {name}(models.Model):
    {fields}

    class Meta:
        db_table = {db_table!r}
        indexes = [{indexes}]
        constraints = [{constraints}]
"""


@dataclass(frozen=True)
class GeneratedProject:
    """A generated project on disk.

    Attributes:
        folder: contains its manage.py.
        labels: the labels of its apps.
    """

    folder: Path
    labels: tuple[str, ...]


def write_project(
    folder: Path, style: Style, *, domains: int, migrations: int, operations: int = 1
) -> GeneratedProject:
    """Write a project.

    Arguments:
        folder: created by this function.
        style: whether the apps are domains.
        domains: the number of apps.
        migrations: the number of migrations of each app.
        operations: the number of operations in each migration.
    """
    labels = tuple(f"app_{number:03}" for number in range(1, domains + 1))
    folder.mkdir(parents=True)
    folder.joinpath("manage.py").write_text(MANAGE.format(root=str(ROOT)))
    parts = DOMAINS if style == "domains" else STOCK
    folder.joinpath("settings.py").write_text(SETTINGS.format(apps=list(labels), **parts))
    for label in labels:
        write_app(folder / label, style, migrations=migrations, operations=operations)
    return GeneratedProject(folder, labels)


def write_app(folder: Path, style: Style, *, migrations: int, operations: int = 1) -> None:
    """Write one app; if it exists with fewer migrations, add the missing ones."""
    history = History(folder.name, qualified=style == "domains")
    package = folder / "migrations"
    package.mkdir(parents=True, exist_ok=True)
    for init in (folder, package):
        init.joinpath("__init__.py").touch()
    base = "DomainConfig" if style == "domains" else "AppConfig"
    module = "domain_migrations.domains" if style == "domains" else "django.apps"
    apps = APPS.format(module=module, base=base, label=folder.name)
    folder.joinpath("apps.py").write_text(apps)
    previous = None
    for number, sources in enumerate(history.migrations(migrations, operations), start=1):
        name = f"{number:04}_step"
        depends = f'("{folder.name}", "{previous}")' if previous else ""
        user = "migrations.swappable_dependency(settings.AUTH_USER_MODEL)"
        text = MIGRATION.format(
            initial="" if previous else "initial = True\n    ",
            dependencies=depends or user,
            operations=",\n        ".join(sources),
        )
        package.joinpath(f"{name}.py").write_text(text)
        previous = name
    folder.joinpath("models.py").write_text(_models(history))


def _models(history: History) -> str:
    return MODELS.format(
        classes="".join(
            MODEL.format(
                name=table.name,
                fields="\n    ".join(f"{name} = {source}" for name, source in table.fields.items()),
                db_table=table.db_table,
                indexes=", ".join(table.indexes),
                constraints=", ".join(table.constraints),
            )
            for table in history.tables
        )
    )
