"""A small project whose tables are edited by hand, and what is then done with it.

Each migration leaves a row in `tallies`, so that one that ran twice, or was recorded without having
run, is seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.admin.generated_domains import SETTINGS
from tests.support import databases
from tests.support.projects import Project, domain_app, plain_app, write_project
from tests.support.servers import TestServer

MODELS = """
class Thing(models.Model):
    code = models.CharField(max_length=20, unique=True)
    class Meta:
        db_table = {things!r}
class Tally(models.Model):
    step = models.CharField(max_length=200)
    class Meta:
        db_table = {tallies!r}
"""
INITIAL = """
class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Thing", fields=[
            ("id", models.BigAutoField(
                auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("code", models.CharField(max_length=20, unique=True)),
        ], options={{"db_table": {things!r}}}),
        migrations.CreateModel("Tally", fields=[
            ("id", models.BigAutoField(
                auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("step", models.CharField(max_length=200)),
        ], options={{"db_table": {tallies!r}}}),
        migrations.RunSQL("INSERT INTO {sql} (step) VALUES ('0001_initial')", ""),
    ]
"""
STEP = """
class Migration(migrations.Migration):
    dependencies = [({app!r}, {before!r})]
    operations = [
        migrations.RunSQL(
            "INSERT INTO {sql} (step) VALUES ('{step}')",
            "DELETE FROM {sql} WHERE step = '{step}'",
        ),
    ]
"""
STEPS = ("0001_initial", "0002_step", "0003_pending")
PENDING = f"migrations/{STEPS[-1]}.py"
URLS = """
from django.contrib import admin
from django.urls import include, path
urlpatterns = [path("admin/", admin.site.urls), path("", include("domain_migrations.urls"))]
"""
SEED = {"Thing": [{"code": "a"}, {"code": "b"}]}
APPS = ("base", "lab", "ward")
DRIVER = Path(__file__).with_name("driver.py")


@dataclass(frozen=True)
class Outcome:
    """What a command or a page did with an edited database.

    Attributes:
        status: of the process, or of the page.
        traceback: of what was raised past the command, else empty.
        tallies: app → step → how often its rows say that it was applied; None for a page.
        recorded: app → the names in its history; None where that cannot be read.
    """

    edit: str
    action: str
    status: int
    text: str
    traceback: str
    tallies: Mapping[str, Mapping[str, int]] | None
    recorded: Mapping[str, Sequence[str] | None] | None

    @property
    def is_page(self) -> bool:
        return self.action.startswith("/")

    @property
    def names_what_was_edited(self) -> bool:
        """Whether the text names a table of the engine, a migration or the domain."""
        words = ("django_migrations", "django_seeds", "lab.", '"lab"', '"error"', "schema", "role")
        return any(word in self.text for word in words)


@dataclass(frozen=True)
class Clinic:
    project: Project
    server: TestServer
    template: str
    role: str

    def try_edits(
        self, edits: Mapping[str, str], actions: Sequence[str] = (), *, domain: str = "lab"
    ) -> list[Outcome]:
        """Do each of the actions, all unless given, after each of the edits."""
        order = {
            "edits": [
                [name, self._sql(text, domain), "{role}" in text]
                for name, text in {"": "", **edits}.items()
            ],
            "actions": list(actions),
            "template": self.template,
            "role": self.role,
        }
        path = self.project.path / "order.json"
        path.write_text(json.dumps(order))
        answer = self.project.python(str(DRIVER), str(path))
        return [Outcome(**found) for found in json.loads(answer.splitlines()[-1])]

    def _sql(self, text: str, domain: str) -> str:
        schema = "public" if domain == "core" else domain
        history = f"{schema}.django_migrations" + ("" if domain == "core" else f"_{domain}")
        journal = f"{schema}.django_migrations_{domain}_journal"
        return text.format(
            h=history,
            j=journal,
            s=f"{schema}.django_seeds_{domain}",
            r=f"{schema}.django_seeds_{domain}_rows",
            app="base" if domain == "core" else domain,
            first=STEPS[0],
            last=STEPS[1],
            role=self.role,
            owner=self.server.settings["USER"],
        )


def _app(name: str) -> dict[str, str]:
    is_core = name == "base"
    words = {
        "app": name,
        "things": f"{name}_things" if is_core else f'"{name}"."things"',
        "tallies": f"{name}_tallies" if is_core else f'"{name}"."tallies"',
        "sql": f"{name}_tallies" if is_core else f"{name}.tallies",
    }
    sources = {
        step: STEP.format(**words, before=STEPS[index - 1], step=step)
        if index
        else INITIAL.format(**words)
        for index, step in enumerate(STEPS)
    }
    arguments = {"models": MODELS.format(**words), "migrations": sources}
    files = plain_app(**arguments) if is_core else domain_app(name, **arguments)
    return {**files, "seeds/001_things.json": json.dumps(SEED)}


@contextmanager
def open_clinic(server: TestServer, folder: Path) -> Iterator[Clinic]:
    """Write the project, and migrate and seed its database up to the last but one migration."""
    with databases.scratch(server, prefix="clinic") as template:
        database = {**server.settings, "NAME": template}
        settings: dict[str, Any] = {
            **SETTINGS,
            "INSTALLED_APPS": [*SETTINGS["INSTALLED_APPS"], *APPS],
            "DATABASES": {
                alias: {"ENGINE": "domain_migrations.backends.postgresql", **database, "NAME": name}
                for alias, name in (("default", template), ("other", f"{template}_other"))
            },
        }
        apps = {name: _app(name) for name in APPS}
        begun = {
            name: {file: text for file, text in files.items() if file != PENDING}
            for name, files in apps.items()
        }
        project = write_project(folder / "clinic", begun, database=database, settings=settings)
        project.write("urls.py", URLS)
        role = f"visitor_of_{template}"
        with server.connect(template) as session:
            session.execute(f"CREATE ROLE {role} LOGIN")
        try:
            for arguments in (("migrate_domain", "--all"), ("seed_domain", "--all")):
                done = project.manage(*arguments)
                assert done.returncode == 0, done.stdout + done.stderr
            for name, files in apps.items():
                project.write(f"{name}/{PENDING}", files[PENDING])
            yield Clinic(project, server, template, role)
        finally:
            with server.connect(template) as session:
                session.execute(f"DROP ROLE IF EXISTS {role}")
