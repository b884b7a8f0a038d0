from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connections
from django.http import Http404, HttpRequest

from ...domains import Domain
from ...engine.history.journal_queries import steps_of_migration
from ...engine.sources.files import MigrationKey, migration_file, migrations_on_disk
from .. import states
from ..highlight import highlight
from ..migration_sql import Statements, collect_sql
from ..migrations import MigrationRow, links_of, read_history, resolve_dependency
from ..overview import read_rows
from ..page import Page, get_visible_domain, url
from .domain import target


def migration(
    request: HttpRequest, seen: Sequence[Domain], name: str, app: str, migration: str
) -> Page:
    """One migration: its source, its SQL, what it locked and what became of it."""
    domain = get_visible_domain(seen, name)
    key = MigrationKey(app, migration)
    missing = f'The domain "{name}" has no migration {key}.'
    if "\0" in app + migration:  # PostgreSQL takes it in no text.
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
        context |= _code(domain, key, seen)
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


def _code(domain: Domain, key: MigrationKey, seen: Sequence[Domain]) -> dict[str, Any]:
    path = migration_file(key)
    source = path.read_bytes().decode("utf-8", "replace") if path else ""
    owners = {label: one for one in seen for label in one.app_labels}
    on_disk = migrations_on_disk(owners)
    dependencies = [
        (
            ".".join(parent),
            url("migration", name=owners[parent[0]].name, app=parent[0], migration=parent[1])
            if parent in on_disk
            else "",
        )
        for parent in map(resolve_dependency, links_of(key).dependencies)
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
        yield "See where the domain stands", f"manage.py show_domains {domain.name}"
        return
    name, to = domain.name, target(domain, row)
    if states.INTERRUPTED in row.states:
        yield "Go on with it", f"manage.py repair_domain {name} --resume"
    if states.EDITED in row.states:
        accept = f"manage.py repair_domain {name} --accept-checksum {to}"
        yield "Accept the edit, once it is reviewed", accept
    if states.UNKNOWN in row.states:
        yield (
            "Forget it, if it is gone from disk for good",
            f"manage.py repair_domain {name} --prune",
        )
    elif row.applied is None:
        yield "See what would run, and run nothing", f"manage.py migrate_domain {name} {to} --plan"
        yield "Apply everything up to it", f"manage.py migrate_domain {name} {to}"
    else:
        yield "Undo everything behind it", f"manage.py migrate_domain {name} {to}"
    yield "Get its SQL", f"manage.py sqlmigrate {key.app} {key.name}"
