"""Migrations that a run records without running them, and the tables that they leave out.

Where the tables of a domain are missing, or still in ``public``, such a record would say that
they exist: from then on, every run would have nothing to do.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.state import ProjectState
from django.db.models import Model

from ...domains import CORE_SCHEMA, Domain, QualifiedName
from ...exceptions import InvalidConfiguration
from ..catalog.compat_views import read_compat_views
from ..history.half_move_causes import HOW_TO, find_places
from ..history.half_moves import find_half_move
from ..history.status import DomainStatus
from ..messages import shortened
from ..sessions.connection import fetch_all
from ..sources.transfer_halves import half_in
from .loader import DomainLoader, Plan, applied_keys
from .options import MigrateOptions
from .project_state import project_state

MISSING = """
SELECT w.schema, w.name FROM unnest(%s::text[], %s::text[]) AS w(schema, name)
WHERE to_regclass(format('%%I.%%I', w.schema, w.name)) IS NULL
ORDER BY 1, 2
"""
"""Of a model, also what is a view or a foreign table exists."""


def check_fakes(
    connection: BaseDatabaseWrapper,
    loader: DomainLoader,
    plan: Plan,
    status: DomainStatus,
    options: MigrateOptions,
) -> None:
    """Refuse to record migrations of a domain whose tables are somewhere else, or nowhere.

    Core is migrated as Django does it: a faked migration is taken at its word, unless it says that
    a table has changed its domain.

    Raises:
        InvalidConfiguration: naming the tables, and what to do instead.
    """
    _check_transferred(connection, plan)
    if status.domain.is_core or not applied_keys(plan):
        return
    rows_left = set(status.in_core_history).intersection(status.pending)
    if status.applied or (options.fake_initial and rows_left):
        found = find_half_move(connection, status)
        if found is not None:
            raise InvalidConfiguration(found.message, hint=found.hint)
    if options.fake:
        _check_tables_exist(connection, loader, plan, status.domain)


def _check_transferred(connection: BaseDatabaseWrapper, plan: Plan) -> None:
    """Refuse to record that tables are in a schema in which they are not.

    What is undone may be followed by the undoing of their creation, and they be nowhere.
    """
    for migration, backwards in plan:
        if half_in(migration) is None:
            continue
        operation: Any = migration.operations[0]
        tables = [
            (QualifiedName.of(old), QualifiedName.of(new)) for old, new in operation.tables.items()
        ]
        if backwards:
            nowhere = _without_table(connection, [new for _, new in tables])
            wanted = [old for old, new in tables if new not in nowhere]
        else:
            wanted = [new for _, new in tables]
        if missing := _without_table(connection, wanted):
            verb = "returned" if backwards else "moved"
            raise InvalidConfiguration(
                f"--fake would record that {migration} has {verb} {shortened(missing)},"
                f" which {'does' if len(missing) == 1 else 'do'} not exist.",
                hint="To move the tables, run the command without --fake. Nothing was changed.",
            )


def _without_table(
    connection: BaseDatabaseWrapper, tables: list[QualifiedName]
) -> list[QualifiedName]:
    """Return the names that nothing has, or a view that stands in for the table elsewhere."""
    schemas = {table.schema for table in tables}
    views = {
        view.name for schema in schemas for view in read_compat_views(connection, within=schema)
    }
    return [*_missing(connection, tables), *(table for table in tables if table in views)]


def _missing(connection: BaseDatabaseWrapper, tables: list[QualifiedName]) -> list[QualifiedName]:
    names = [[table.schema for table in tables], [table.name for table in tables]]
    return [QualifiedName(*row) for row in fetch_all(connection, MISSING, names)]


def _check_tables_exist(
    connection: BaseDatabaseWrapper, loader: DomainLoader, plan: Plan, domain: Domain
) -> None:
    applied = loader.applied_migrations
    before = _models(project_state(loader, applied), domain)
    halves = [half_in(migration) for migration, _ in plan]
    partners = {half.partner for half in halves if half is not None}
    after = _models(project_state(loader, {*applied, *partners, *applied_keys(plan)}), domain)
    made = {table: model for table, model in after.items() if table not in before}
    missing = _missing(connection, list(made))
    if not missing:
        return
    places = find_places(connection, domain, [made[table] for table in missing])
    left = [f"{old} to {new}" for old, new in places.left.items()]
    if left:
        hint = (
            f"Move the tables ({shortened(left)}), as {HOW_TO} shows: {CORE_SCHEMA} has the only"
            " copy."
        )
    else:
        hint = (
            "To create them, run the command without --fake; if they were lost, restore them from"
            " a backup first."
        )
    verb = "does not" if len(missing) == 1 else "do not"
    raise InvalidConfiguration(
        f'--fake would record that the domain "{domain.name}" has'
        f" {shortened(missing)}, which {verb} exist.",
        hint=f"{hint} Nothing was changed.",
    )


def _models(state: ProjectState, domain: Domain) -> dict[QualifiedName, type[Model]]:
    """Return table → the model of the domain that has it, automatic ones included."""
    return {
        QualifiedName.of(model._meta.db_table): model
        for model in state.apps.get_models(include_auto_created=True)
        if model._meta.app_label in domain.app_labels
        and model._meta.managed
        and not model._meta.proxy
    }
