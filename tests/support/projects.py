"""Small foreign Django projects, written to disk and run by their manage.py."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

from tests.support.commands import ROOT, process_environment, run_manage

MANAGE = """\
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
CONTRIB = ("django.contrib.contenttypes", "django.contrib.auth")


@dataclass(frozen=True)
class Project:
    path: Path
    database: str

    def manage(
        self, *arguments: str, **environment: str | None
    ) -> subprocess.CompletedProcess[str]:
        """Run its manage.py; keyword arguments are environment variables."""
        merged = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environment}
        return run_manage(*arguments, environment=merged, folder=self.path)

    def python(self, *arguments: str) -> str:
        """Run Python in its folder with its settings; the standard output."""
        values = {"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "settings"}
        environment = process_environment(values) | {"DJANGO_SETTINGS_MODULE": "settings"}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.path,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def write(self, name: str, source: str) -> Path:
        """Write a file, with the `__init__.py` that its folders need."""
        path = self.path / name
        for folder in path.relative_to(self.path).parents[:-1]:
            (self.path / folder).mkdir(parents=True, exist_ok=True)
            (self.path / folder / "__init__.py").touch()
        path.write_text(dedent(source))
        return path


def domain_app(
    name: str,
    *,
    models: str = "",
    migrations: Mapping[str, str] | None = None,
    schema: str | None = None,
    domain: str | None = None,
) -> dict[str, str]:
    """The files of an app that is (part of) a domain; `migrations` maps names to sources."""
    lines = [f'    name = "{name}"']
    lines += [f"    schema = {schema!r}"] if schema is not None else []
    lines += [f"    domain = {domain!r}"] if domain is not None else []
    config = "\n".join(
        [
            "from domain_migrations.domains import DomainConfig",
            "class AppConfig(DomainConfig):",
            *lines,
        ]
    )
    return {"apps.py": config + "\n", **plain_app(models=models, migrations=migrations)}


def plain_app(*, models: str = "", migrations: Mapping[str, str] | None = None) -> dict[str, str]:
    """The files of an app that declares no domain: it belongs to core."""
    files = {"models.py": "from django.db import models\n" + dedent(models)}
    if migrations is not None:
        files["migrations/__init__.py"] = ""
        header = "from django.db import migrations, models\n"
        for migration, source in migrations.items():
            files[f"migrations/{migration}.py"] = header + dedent(source)
    return files


def write_project(
    path: Path,
    apps: Mapping[str, Mapping[str, str]],
    *,
    database: Mapping[str, Any],
    settings: Mapping[str, Any] | None = None,
) -> Project:
    """Write a project whose apps are `{app: {file: source}}`.

    `database` is its default database's settings; `settings` adds to or replaces the settings.
    """
    values = {
        "SECRET_KEY": "foreign",
        "USE_TZ": True,
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "INSTALLED_APPS": ["domain_migrations", *CONTRIB, *apps],
        "DATABASES": {"default": {"ENGINE": "domain_migrations.backends.postgresql", **database}},
        "DATABASE_ROUTERS": ["domain_migrations.router.DomainRouter"],
        **(settings or {}),
    }
    path.mkdir(parents=True, exist_ok=True)
    project = Project(path, database["NAME"])
    project.write("manage.py", MANAGE)
    project.write("settings.py", "".join(f"{key} = {value!r}\n" for key, value in values.items()))
    for app, files in apps.items():
        project.write(f"{app}/__init__.py", "")
        for name, source in files.items():
            project.write(f"{app}/{name}", source)
    return project
