"""One migration on the landscape: its plan is checked and run as a run does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection, migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from psycopg import sql

from domain_migrations.domains import get_domain
from domain_migrations.engine.boundary.planned_migrations import check_plan
from domain_migrations.engine.history.journal import Journal
from domain_migrations.engine.history.run_context import RunContext
from domain_migrations.engine.history.tables import ensure_history
from domain_migrations.engine.runner.executor import DomainExecutor
from domain_migrations.engine.runner.loader import load_domain
from domain_migrations.engine.runner.run_session import RunSession
from domain_migrations.engine.sessions.session import acquire_run_lock
from tests.engine.guard.helpers import lay_out
from tests.support.catalog import query, schemas, snapshot

TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind = 'r' AND c.relname NOT LIKE %s ORDER BY 1, 2
"""


def prepare() -> None:
    """Make the world and the histories that a run keeps."""
    lay_out()
    for name in ("core", "inventory", "hr"):
        domain = get_domain(name)
        ensure_history(connection, domain)
        Journal(connection, domain, RunContext()).open()


def everything() -> dict[str, str]:
    """The catalogs of all schemas with owners and privileges, and all rows."""
    found = snapshot(include_privileges=True)
    for names in query(TABLES, schemas(), "django_migrations%"):
        table = sql.Identifier(*names)
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("SELECT * FROM {} ORDER BY 1").format(table))
            found[".".join(names)] = repr(cursor.fetchall())
    return found


def state() -> ProjectState:
    """The models of core and inventory that the world has tables of."""
    project = ProjectState()
    for label, name, fields, table in (
        (
            "core",
            "User",
            [("id", models.UUIDField(primary_key=True)), ("name", models.TextField())],
            "users",
        ),
        (
            "core",
            "Centre",
            [("id", models.BigAutoField(primary_key=True)), ("code", models.TextField())],
            "centres",
        ),
        (
            "inventory",
            "Drug",
            [
                ("id", models.IntegerField(primary_key=True)),
                ("code", models.TextField(null=True)),
            ],
            '"inventory"."drugs"',
        ),
        (
            "inventory",
            "Lot",
            [
                ("id", models.IntegerField(primary_key=True)),
                (
                    "drug",
                    models.ForeignKey(
                        "inventory.Drug", models.CASCADE, db_column="drug", null=True
                    ),
                ),
                ("quantity", models.IntegerField(default=0)),
            ],
            '"inventory"."lots"',
        ),
    ):
        project.add_model(ModelState(label, name, fields, {"db_table": table}))
    return project


def python(statement: str) -> Callable[[Any, Any], None]:
    """A function for RunPython that runs SQL past the schema editor."""

    def run(apps: Any, schema_editor: Any) -> None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(statement)

    return run


def in_python(statement: str) -> migrations.RunPython:
    return migrations.RunPython(python(statement), migrations.RunPython.noop)


def with_models(use: Callable[[Any], Any]) -> migrations.RunPython:
    """RunPython with the historical models."""
    return migrations.RunPython(lambda apps, editor: use(apps), migrations.RunPython.noop)


def as_migration(
    *operations: Operation | str, domain: str = "inventory", **attributes: object
) -> migrations.Migration:
    """A migration of the domain; strings are SQL."""
    migration = migrations.Migration("9000_gallery", domain)
    migration.operations = [
        migrations.RunSQL(operation, migrations.RunSQL.noop)
        if isinstance(operation, str)
        else operation
        for operation in operations
    ]
    for name, value in attributes.items():
        setattr(migration, name, value)
    return migration


def plan(migration: migrations.Migration, *, backwards: bool = False) -> None:
    """Check the plan before anything runs."""
    check_plan([(migration, backwards)], state(), get_domain(migration.app_label))


def run(migration: migrations.Migration, *, backwards: bool = False) -> None:
    """Run the migration in its own transaction, as `migrate_domain` and `migrate` do."""
    domain = get_domain(migration.app_label)
    with acquire_run_lock(connection, domain, wait=0, report=str) as lock:
        session = RunSession(connection, domain, lock=lock)
        session.journal.open()
        executor = DomainExecutor(session, load_domain(connection, domain))
        (executor.unapply_migration if backwards else executor.apply_migration)(state(), migration)
