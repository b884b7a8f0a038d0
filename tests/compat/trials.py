"""Throw-away projects with a package, and what happened in them."""

from __future__ import annotations

import importlib.metadata
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import django

from tests.compat.packages import Package
from tests.support.projects import Project, domain_app

Make = Callable[..., Project]

CONTRIB = [
    f"django.contrib.{name}"
    for name in ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles")
]
CONTEXT = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
PLAIN = "class Sample(models.Model):\n    note = models.TextField()\n    class Meta:\n"
PLAIN += '        db_table = \'"lab"."samples"\'\n'
ZERO = """
from django_zero_downtime_migrations.backends.postgres import base
from domain_migrations.backends.postgresql.base import QualifiedNamesMixin
class DatabaseWrapper(QualifiedNamesMixin, base.DatabaseWrapper):
    pass
"""
DRIVER = Path(__file__).with_name("driver.py")


@dataclass(frozen=True)
class Step:
    """A command, and the sentence that says why it did not do what was expected.

    Attributes:
        refused: the sentence that refuses to revert an irreversible migration, as Django does.
    """

    command: str
    problem: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Trial:
    """What happened to one package in one place: `core` or `domain`."""

    package: str
    version: str
    place: str
    setting: str
    server: str
    django: str
    steps: tuple[Step, ...]

    @property
    def problem(self) -> Step | None:
        return next((step for step in self.steps if step.problem), None)

    @property
    def outcome(self) -> str:
        """works, refuses (before anything was changed) or fails."""
        if self.problem is None:
            return "works"
        before = self.problem.command.startswith(("check", "makemigrations"))
        return "refuses" if before or " is refused: " in self.problem.problem else "fails"

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"\W+", "-", self.package)
        (folder / f"{name}.{self.place}.json").write_text(json.dumps(asdict(self), indent=1))


def load(folder: Path) -> list[Trial]:
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return [Trial(**{**each, "steps": tuple(Step(**s) for s in each["steps"])}) for each in found]


Command = tuple[str, str, Sequence[str]]
"""Its name on the page, what it has to print, and its arguments."""


def command(*arguments: str, says: str = "", name: str = "") -> Command:
    return name or " ".join(arguments), says, arguments


def run(project: Project, *commands: Command, revert: Sequence[str] = ()) -> tuple[Step, ...]:
    """Run the commands in one process, up to the first that does not end as expected.

    Arguments:
        revert: apps of which, at the end, everything is reverted and applied again.
    """
    given = json.dumps({"commands": commands, "revert": list(revert)})
    (project.path / "driver.py").write_text(DRIVER.read_text())
    return tuple(Step(*step) for step in json.loads(project.python("driver.py", given)))


def write(make: Make, package: Package, *, model: str) -> Project:
    apps = ["domain_migrations", *package.before, *CONTRIB, *package.apps, "lab"]
    settings: dict[str, Any] = {
        "INSTALLED_APPS": apps,
        "MIDDLEWARE": [*MIDDLEWARE, *package.middleware],
        "ROOT_URLCONF": "urls",
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": CONTEXT},
            }
        ],
        "SITE_ID": 1,
        "STATIC_URL": "/static/",
        "MEDIA_ROOT": "media",
        **package.settings,
    }
    extra = package.files if model else {}
    files = {**domain_app("lab", models=model), "migrations/__init__.py": "", **extra}
    project = make({"lab": files}, settings=settings)
    project.write(
        "urls.py",
        "from django.contrib import admin\nfrom django.urls import path\n"
        "urlpatterns = [path('admin/', admin.site.urls)]\n",
    )
    if package.defaults:
        path = project.path / "settings.py"
        path.write_text(f"{package.defaults}\n{path.read_text()}")
    if package.engine:
        project.write("zero/base.py", ZERO)
        with (project.path / "settings.py").open("a") as file:
            file.write(f"DATABASES['default']['ENGINE'] = {package.engine!r}\n")
    return project


def version(package: Package) -> str:
    return importlib.metadata.version(package.name.split(" ")[0])


def trial(package: Package, place: str, server: str, steps: tuple[Step, ...]) -> Trial:
    return Trial(
        package=package.name,
        version=version(package),
        place=place,
        setting=package.setting if place == "domain" or package.engine or package.accepts else "",
        server=server,
        django=django.get_version(),
        steps=steps,
    )


def accepting(package: Package) -> list[Command]:
    return [command("verify_domain", "--write-baseline")] if package.accepts else []


def try_in_core(make: Make, package: Package, server: str) -> Trial:
    """Migrate the package's own migrations, verify them and revert them."""
    project = write(make, package, model="")
    steps = run(
        project,
        command("check", "--database", "default"),
        *(command(each) for each in package.commands),
        command("migrate"),
        command("migrate", says="core: nothing to do", name="migrate again"),
        *accepting(package),
        command("verify_domain", says="Nothing found."),
        revert=[*package.before, *package.apps],
    )
    return trial(package, "core", server, steps)


def try_in_domain(make: Make, package: Package, server: str) -> Trial:
    """Use the package in a model of a domain."""
    project = write(make, package, model=package.model)
    steps = run(project, command("check"), command("makemigrations", "lab"))
    if not steps[-1].problem:
        steps += run(
            project,
            *(command(each) for each in package.commands),
            command("migrate"),
            command("migrate_domain", "lab", says="nothing to do", name="migrate_domain lab again"),
            command("makemigrations", "--check", "--dry-run", "lab"),
            *accepting(package),
            command("verify_domain", says="Nothing found."),
            command("migrate_domain", "lab", "zero", "--noinput"),
            command("migrate_domain", "lab", name="migrate_domain lab after zero"),
        )
    return trial(package, "domain", server, steps)
