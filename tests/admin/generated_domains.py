"""A project with many domains, whose histories are there and whose tables are not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from psycopg import sql

from domain_migrations.engine.history.journal import CREATE_TABLE
from tests.support.projects import Project, domain_app
from tests.support.servers import TestServer

MIGRATION = """
class Migration(migrations.Migration):
    dependencies = [{dependencies}]
    operations = [migrations.RunSQL("SELECT {number}", "SELECT -{number}")]
"""
URLS = """
from django.contrib import admin
from django.urls import path
urlpatterns = [path("admin/", admin.site.urls)]
"""
SETTINGS: dict[str, Any] = {
    "ALLOWED_HOSTS": ["testserver"],
    "ROOT_URLCONF": "urls",
    "STATIC_URL": "static/",
    "INSTALLED_APPS": [
        "domain_migrations",
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
    ],
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
}

VISIT = """
import json, sys, time
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
client = Client()
client.force_login(User.objects.get_or_create(username="u", is_staff=True, is_superuser=True)[0])
seen = []
for address in {addresses!r}:
    client.get(address)  # Caches are filled.
    begun = time.perf_counter()
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address)
    seen.append(dict(address=address, status=response.status_code, queries=len(queries),
        seconds=time.perf_counter() - begun, html=response.content.decode(),
        imported=sorted(name for name in sys.modules if ".migrations." in name)))
print(json.dumps(seen))
"""


def write_domains(
    project: Callable[..., Project], server: TestServer, *, domains: int, migrations: int
) -> Project:
    """Write the project and its histories: the last migration of each domain is pending."""
    labels = [f"d{number:03}" for number in range(domains)]
    apps: dict[str, Mapping[str, str]] = {label: _app(label, migrations) for label in labels}
    settings = {**SETTINGS, "INSTALLED_APPS": [*SETTINGS["INSTALLED_APPS"], *labels]}
    written = project(apps, settings=settings)
    written.write("urls.py", URLS)
    done = written.manage("migrate_domain", "core", "-v", "0")
    assert done.returncode == 0, done.stderr
    with server.connect(written.database) as session:
        for label in labels:
            _history(session, label, migrations)
    return written


def _app(label: str, migrations: int) -> Mapping[str, str]:
    names = [f"{number:04}_step" for number in range(1, migrations + 1)]
    sources = {
        name: MIGRATION.format(
            number=number,
            dependencies=f"({label!r}, {names[number - 1]!r})" if number else "",
        )
        for number, name in enumerate(names)
    }
    return domain_app(label, migrations=sources)


def _history(session: Any, label: str, migrations: int) -> None:
    history = sql.Identifier(label, f"django_migrations_{label}")
    journal = sql.Identifier(label, f"django_migrations_{label}_journal")
    key = sql.Identifier(f"django_migrations_{label}_journal_pkey")
    session.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(label)))
    session.execute(
        sql.SQL("CREATE TABLE {} (LIKE public.django_migrations INCLUDING ALL)").format(history)
    )
    session.execute(sql.SQL(CREATE_TABLE).format(table=journal, key=key))
    session.execute(
        sql.SQL(
            "INSERT INTO {} (app, name, applied) SELECT {}, to_char(n, 'FM0000') || '_step', now()"
            " FROM generate_series(1, {}) n"
        ).format(history, label, migrations - 1)
    )
    session.execute(
        sql.SQL(
            "INSERT INTO {} (run, batch, app, name, direction, status, started, seconds, checksum,"
            " os_user, host, project_version, engine_version, django_version, footprint, details,"
            " error, sqlstate) SELECT 'c0ffee00-0000-4000-8000-000000000000', 1,"
            " CASE WHEN n IN (0, {last}) THEN '' ELSE {label} END,"
            " CASE WHEN n IN (0, {last}) THEN '' ELSE to_char(n, 'FM0000') || '_step' END,"
            " CASE WHEN n IN (0, {last}) THEN 'run' ELSE 'forwards' END,"
            " CASE WHEN n = 0 THEN 'running' ELSE 'done' END, now(), 0.01, '', 'somsri', 'ward7',"
            " '', '', '', '{{}}', '{{}}', '', '' FROM generate_series(0, {last}) n"
        ).format(journal, last=sql.Literal(migrations), label=label)
    )


def install_only(project: Project, domains: int) -> None:
    """Leave this many of the project's domains installed; the others' files stay."""
    apps = [*SETTINGS["INSTALLED_APPS"], *(f"d{number:03}" for number in range(domains))]
    path = project.path / "settings.py"
    lines = [line for line in path.read_text().splitlines() if "INSTALLED_APPS" not in line]
    path.write_text("\n".join([*lines, f"INSTALLED_APPS = {apps!r}", ""]))


def visit(project: Project, *addresses: str) -> list[dict[str, Any]]:
    """Open pages in a process of their own, as a superuser: what each took and imported."""
    done = project.manage("shell", "-v", "0", "-c", VISIT.format(addresses=addresses))
    assert done.returncode == 0, done.stderr
    seen: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return seen
