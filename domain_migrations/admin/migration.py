"""The page of one migration: its source, its SQL in both directions and its journal.

The SQL is collected in a read-only transaction, because an operation may run anything meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import Http404, HttpRequest

from ..domains import Domain
from ..engine.history.journal_queries import steps_of_migration
from ..engine.runner.dry_run.plan_preview import preview
from ..engine.runner.loader import DomainLoader
from ..engine.sessions.session import plain_copy
from ..engine.sources.files import MigrationKey, migration_file, migrations_on_disk
from ..engine.sources.parsing import header_of
from . import states
from .domain import target
from .highlight import highlight
from .migrations import MigrationRow, read_history, resolve_dependency
from .overview import read_rows
from .page import Page, get_visible_domain, url


def migration(
    request: HttpRequest, visible: Sequence[Domain], name: str, app: str, migration: str
) -> Page:
    """Show one migration: its source, its SQL, its locks and its journal."""
    domain = get_visible_domain(visible, name)
    key = MigrationKey(app, migration)
    missing = f'The domain "{name}" has no migration {key}.'
    if "\0" in app + migration:  # PostgreSQL does not accept it in text.
        raise Http404(missing)
    on_disk = key in migrations_on_disk(domain.app_labels)
    (overview,) = read_rows([domain], details=False)
    row, steps = None, []
    if overview.status is not None:
        connection = connections[domain.database]
        history = read_history(connection, domain)
        row = next((row for row in history.rows if row.key == key), None)
        steps = steps_of_migration(connection, domain, key)
    if not (on_disk or row or steps):
        raise Http404(missing)
    last = next((step for step in reversed(steps) if step.footprint), None)
    context: dict[str, Any] = {
        "domain": domain,
        "key": key,
        "row": row,
        "problem": overview.problem,
        "steps": [(step, states.of_journal(step.status)) for step in reversed(steps)],
        "locks": sorted(last.footprint.items()) if last else [],
        "locked_by": last,
    }
    if on_disk:
        context |= _code(domain, key, visible)
    return Page(
        "migration.html",
        str(key),
        context,
        trail=(
            ("Domains", url("domain_changelist")),
            (f"Domain {name}", url("detail", name=name)),
        ),
        commands=tuple(_commands(domain, key, row)),
    )


def _code(domain: Domain, key: MigrationKey, visible: Sequence[Domain]) -> dict[str, Any]:
    path = migration_file(key)
    source = path.read_bytes().decode("utf-8", "replace") if path else ""
    owners = {label: one for one in visible for label in one.app_labels}
    on_disk = migrations_on_disk(owners)
    dependencies = [
        (
            ".".join(parent),
            url("migration", name=owners[parent[0]].name, app=parent[0], migration=parent[1])
            if parent in on_disk
            else "",
        )
        for parent in map(resolve_dependency, header_of(key).dependencies)
    ]
    return {
        "source": highlight(source, "python"),
        "path": path.name if path else "",
        "dependencies": dependencies,
        "directions": [
            _direction(title, statements)
            for title, statements in zip(
                ("Forwards", "Backwards"), collect_sql(domain, key), strict=True
            )
        ],
    }


def _direction(title: str, statements: Statements) -> dict[str, Any]:
    return {
        "title": title,
        "operations": statements.operations,
        "problem": statements.problem,
        "sql": highlight("\n".join(statements.sql), "sql") if statements.sql else "",
    }


def _commands(
    domain: Domain, key: MigrationKey, row: MigrationRow | None
) -> Iterator[tuple[str, str]]:
    if row is None:
        yield "Show the state of the domain", f"manage.py show_domains {domain.name}"
        return
    name, to = domain.name, target(domain, row)
    if states.INTERRUPTED in row.states:
        yield "Resume it", f"manage.py repair_domain {name} --resume"
    if states.EDITED in row.states:
        accept = f"manage.py repair_domain {name} --accept-checksum {to}"
        yield "Accept the edit after reviewing it", accept
    if states.UNKNOWN in row.states:
        yield (
            "Remove its row, if the file was deleted on purpose",
            f"manage.py repair_domain {name} --prune",
        )
    elif row.applied is None:
        yield "Show the plan without running it", f"manage.py migrate_domain {name} {to} --plan"
        yield "Apply everything up to it", f"manage.py migrate_domain {name} {to}"
    else:
        yield "Revert everything after it", f"manage.py migrate_domain {name} {to}"
    yield "Print its SQL", f"manage.py sqlmigrate {key.app} {key.name}"


@dataclass(frozen=True)
class Statements:
    """The statements of a migration in one direction.

    Attributes:
        operations: their descriptions.
        problem: why there are no statements; empty if there are.
    """

    operations: tuple[str, ...] = ()
    sql: tuple[str, ...] = ()
    problem: str = ""


def collect_sql(domain: Domain, key: MigrationKey) -> tuple[Statements, Statements]:
    """Return the statements of the migration, forwards and backwards.

    Loads the migrations of the domain and of core, and no others.
    """
    try:
        loader = DomainLoader(None, domain, replace_migrations=False)
        with read_only_transaction(domain.database) as connection:
            return (
                _collect(connection, loader, key, backwards=False),
                _collect(connection, loader, key, backwards=True),
            )
    except Exception as exc:  # the code of migrations may raise anything
        problem = Statements(problem=_sentence(exc))
        return problem, problem


def _collect(
    connection: BaseDatabaseWrapper, loader: DomainLoader, key: MigrationKey, *, backwards: bool
) -> Statements:
    migration = loader.disk_migrations[key]
    try:
        (step,) = preview(connection, loader, [(migration, backwards)])
    except Exception as exc:  # an irreversible operation raises too
        return Statements(problem=_sentence(exc))
    return Statements(step.operations, step.sql)


def _sentence(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}".rstrip(": ")


@contextmanager
def read_only_transaction(alias: str) -> Iterator[BaseDatabaseWrapper]:
    """Yield a separate connection in a read-only transaction that is rolled back."""
    connection = plain_copy(connections[alias], AUTOCOMMIT=False)
    try:
        connection.ensure_connection()
        connection.connection.read_only = True
        yield connection
    finally:
        connection.close()
