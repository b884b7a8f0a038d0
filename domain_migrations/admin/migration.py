"""The page of one migration: its source, its SQL in both directions and its journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connections
from django.http import Http404, HttpRequest

from ..domains import Domain
from ..engine.history.journal_queries import steps_of_migration
from ..engine.runner.dry_run.plan_preview import preview
from ..engine.runner.loader import DomainLoader
from ..engine.sessions.database_problems import translate_database_errors
from ..engine.sessions.session import own_connection
from ..engine.sources.files import MigrationKey, migration_file, migrations_on_disk
from ..engine.sources.parsing import header_of
from ..exceptions import DomainMigrationsError
from . import states
from .domain import target
from .hidden_names import HiddenNames
from .highlight import highlight
from .migrations import History, MigrationRow, resolve_dependency
from .overview import read_rows
from .page import Page, get_visible_domain, url

STEPS = 100
"""The most attempts that the page shows."""


def migration(
    request: HttpRequest, visible: Sequence[Domain], name: str, app: str, migration: str
) -> Page:
    """Show one migration: its source, its SQL, its locks and its journal."""
    domain, names = get_visible_domain(visible, name), HiddenNames(visible)
    key = MigrationKey(app, migration)
    missing = f'The domain "{name}" has no migration {key}.'
    if "\0" in app + migration:  # PostgreSQL does not accept it in text.
        raise Http404(missing)
    on_disk = key in migrations_on_disk(domain.app_labels)
    (overview,) = read_rows([domain], details=False)
    row, steps, problem = None, [], overview.problem
    if overview.status is not None:
        connection = connections[domain.database]
        try:
            with translate_database_errors(domain.database):
                row = History(connection, overview.status).row(key)
                steps = steps_of_migration(connection, domain, key, limit=STEPS)
        except DomainMigrationsError as exc:
            problem = exc.full_message
    if not (on_disk or row or steps):
        raise Http404(missing)
    steps = list(map(names.row, steps))
    own = [step for step in steps if step.footprint and not step.snapshot]
    last = own[-1] if own else None
    context: dict[str, Any] = {
        "domain": domain,
        "key": key,
        "row": row and row.shown(names),
        "problem": names.withhold(problem),
        "has_more": len(steps) == STEPS,
        "steps": [(step, states.of_journal(step.status)) for step in reversed(steps)],
        "locks": names.locks(last.footprint) if last else [],
        "locked_by": last,
        "restored": next((step for step in reversed(steps) if step.snapshot), None),
    }
    if on_disk:
        context |= _code(domain, key, visible, names)
    return Page(
        "migration.html",
        str(key),
        context,
        trail=((f"Domain {name}", url("detail", name=name)),),
        commands=tuple(_commands(domain, key, row)),
    )


def _code(
    domain: Domain, key: MigrationKey, visible: Sequence[Domain], names: HiddenNames
) -> dict[str, Any]:
    path = migration_file(key)
    source = path.read_bytes().decode("utf-8", "replace") if path else ""
    owners = {label: one for one in visible for label in one.app_labels}
    on_disk = migrations_on_disk(owners)
    parents = [
        resolve_dependency(parent) if parent.app in owners else parent
        for parent in map(MigrationKey._make, header_of(key).dependencies)
    ]
    dependencies = [
        (
            names.mask(".".join(parent)),
            url("migration", name=owners[parent[0]].name, app=parent[0], migration=parent[1])
            if parent in on_disk
            else "",
        )
        for parent in parents
    ]
    return {
        "source": highlight(names.mask(source), "python"),
        "path": path.name if path else "",
        "dependencies": dependencies,
        "directions": list(_directions(domain, key, names)),
    }


def _directions(domain: Domain, key: MigrationKey, names: HiddenNames) -> Iterator[dict[str, Any]]:
    """Yield the operations and the SQL of the migration, forwards and backwards.

    Loads the migrations of the domain and of core, and no others. The connection is a separate
    one, because an operation may run anything while its SQL is collected.
    """
    loader: DomainLoader | None = None
    with own_connection(domain.database) as connection:
        for title in ("Forwards", "Backwards"):
            try:
                loader = loader or DomainLoader(None, domain, replace_migrations=False)
                plan = [(loader.disk_migrations[key], title == "Backwards")]
                (step,) = preview(connection, loader, plan)
            except Exception as exc:  # the code of migrations may raise anything
                problem = f"{type(exc).__name__}: {exc}".rstrip(": ")
                yield {"title": title, "problem": names.withhold(problem)}
            else:
                sql = highlight(names.mask("\n".join(step.sql)), "sql") if step.sql else ""
                operations = list(map(names.mask, step.operations))
                yield {"title": title, "operations": operations, "sql": sql}


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
    elif not row.is_applied:
        yield "Show the plan without running it", f"manage.py migrate_domain {name} {to} --plan"
        yield "Apply everything up to it", f"manage.py migrate_domain {name} {to}"
    yield "Print its SQL", f"manage.py sqlmigrate {key.app} {key.name}"
