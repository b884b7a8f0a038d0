"""The causes of half moves: where the tables and the rows are, and what to do about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from psycopg import sql

from ...backends.postgresql.names import truncate
from ...domains import CORE, CORE_SCHEMA, Domain, QualifiedName, get_domain
from ..messages import shortened
from ..sources.files import MigrationKey
from ..sources.parsing import header_of
from ..sources.transfer_halves import RECEIVE, TRANSFER
from .adopted_apps import find_adopted_apps
from .existing_tables import existing_tables
from .half_moves import HalfMove, own_models
from .status import DomainStatus

if TYPE_CHECKING:
    from ..sources.adoptions import Adoption

HOW_TO = "docs/how-to/adopt.md"

TABLES_MADE = {"CreateModel": 1, RECEIVE: 1, TRANSFER: -1}
"""Operation → how many tables of its model it adds to the domain."""


class Places(NamedTuple):
    """Where the tables of a domain's models are.

    Attributes:
        present: in the domain's schema.
        missing: neither there nor in ``public``.
        left: in ``public``, under the same name or Django's default one → the place they belong.
    """

    present: tuple[QualifiedName, ...]
    missing: tuple[QualifiedName, ...]
    left: dict[QualifiedName, QualifiedName]


def find_places(
    connection: BaseDatabaseWrapper, domain: Domain, models: Iterable[type[Model]]
) -> Places:
    """Return where the models' tables are."""
    core = {QualifiedName.of(model._meta.db_table) for model in own_models(get_domain(CORE))}
    old_names: dict[QualifiedName, list[QualifiedName]] = {}
    for model in models:
        table = QualifiedName.of(model._meta.db_table)
        default = truncate(f"{model._meta.app_label}_{model._meta.model_name}")
        names = (QualifiedName(CORE_SCHEMA, name) for name in (default, table.name))
        old_names[table] = [name for name in names if name not in core]
    wanted = {*old_names, *(name for names in old_names.values() for name in names)}
    found = existing_tables(connection, wanted)
    absent = {table: names for table, names in old_names.items() if table not in found}
    left = {
        old: table
        for table, names in absent.items()
        if (old := next((name for name in names if name in found), None)) is not None
    }
    missing = tuple(table for table in absent if table not in left.values())
    present = tuple(table for table in old_names if table in found)
    return Places(present, missing, dict(sorted(left.items())))


def find_cause(connection: BaseDatabaseWrapper, status: DomainStatus) -> HalfMove | None:
    """Return what is wrong with a domain, if it is not whole, and what to do."""
    domain = status.domain
    if domain.is_core:
        return _adopted_before(connection, status)
    misplaced = sorted(set(status.in_core_history) & set(status.pending))
    if misplaced:
        return _rows_left(connection, domain, misplaced)
    if status.unknown:
        return None  # Newer code may have transferred the tables, which this code cannot know.
    if status.applied:
        return _history_without_tables(connection, status)
    if status.pending:
        return _tables_without_history(connection, status)
    return None


def lost_history(connection: BaseDatabaseWrapper, status: DomainStatus) -> list[QualifiedName]:
    """Return the tables that exist although the history has no rows."""
    if status.applied or not status.pending:
        return []
    return list(find_places(connection, status.domain, own_models(status.domain)).present)


def _adopted_before(connection: BaseDatabaseWrapper, status: DomainStatus) -> HalfMove | None:
    """Return that an older version of the code has apps in core that a domain has adopted."""
    found = find_adopted_apps(connection, status.applied, status.pending)
    if found is None:
        return None
    apps = sorted({key.app for key in found.rows})
    for adoption in _declarations(apps):
        if adoption.undo and set(apps) <= set(adoption.apps):
            return HalfMove(
                f"{found.history} records {shortened(found.rows, 1)} of apps that return to core.",
                f"manage.py migrate will move them and their tables, as {adoption.path} declares.",
            )
    return HalfMove(
        f"{found.history} records {shortened(found.rows, 1)}, which the code has in core; core"
        " would apply them a second time.",
        f"Deploy the code in which {shortened(apps)} and the schema {found.history.schema} belong"
        " to a domain, or put them back with it: manage.py adopt_domain DOMAIN --undo. If the"
        f" schema is a leftover, drop {found.history}. Nothing was changed.",
    )


def _rows_left(
    connection: BaseDatabaseWrapper, domain: Domain, rows: Sequence[MigrationKey]
) -> HalfMove:
    places = find_places(connection, domain, own_models(domain))
    if places.left and not places.present and (hint := waiting_adoption(domain, rows)):
        return HalfMove(
            f"{get_domain(CORE).history_table} records {shortened(rows, 1)}, and"
            f' {CORE_SCHEMA} has the tables of the domain "{domain.name}".',
            hint,
        )
    message = (
        f"{get_domain(CORE).history_table} records {shortened(rows, 1)}, which belong in"
        f' {domain.history_table}; the domain "{domain.name}" would be migrated a second time.'
    )
    if places.left:
        moved = [f"{old} to {new}" for old, new in places.left.items()]
        return HalfMove(
            f"{message} Its tables are still in {CORE_SCHEMA}.",
            f"Move the tables ({shortened(moved)}) and then the rows, in one transaction, as"
            f" {HOW_TO} shows. {CORE_SCHEMA} has the only copy of the tables.",
        )
    if places.present or not places.missing:
        return HalfMove(message, f"Move the rows: {_moving_rows(domain)}")
    return HalfMove(
        f"{message} None of its tables exists.",
        "Restore the tables first, or, if their rows are not needed, delete the rows of the"
        f" history: {_deleting_rows(domain)}",
    )


def _declarations(app_labels: Iterable[str]) -> Iterator[Adoption]:
    """Yield the declarations of the apps; imported here, as few runs find a half-moved domain."""
    from ..sources.adoptions import read_adoptions

    yield from read_adoptions(app_labels)


def waiting_adoption(domain: Domain, rows: Iterable[MigrationKey]) -> str:
    """Return how the rows in core's history will be moved, if a declaration asks for it."""
    apps = {key.app for key in rows}
    for adoption in _declarations(domain.app_labels):
        if not adoption.undo and apps <= set(adoption.apps):
            return (
                f"manage.py migrate_domain {domain.name} will move both, as {adoption.path}"
                " declares."
            )
    return ""


def _history_without_tables(
    connection: BaseDatabaseWrapper, status: DomainStatus
) -> HalfMove | None:
    domain, models = status.domain, list(own_models(status.domain))
    places = find_places(connection, domain, models)
    if not (places.left or (places.missing and not places.present)):
        return None
    created = created_models(status.applied)
    expected = {
        QualifiedName.of(model._meta.db_table)
        for model in models
        if (model._meta.app_label, model._meta.model_name) in created
    }
    # The tables of many-to-many fields follow those of their models.
    left = places.left if expected.intersection(places.left.values()) else {}
    missing = expected.intersection(places.missing)
    lost = sorted(map(str, {*left.values(), *missing}))
    if left:
        moves = (f"{old} to {new}" for old, new in left.items())
        hint = (
            f"Move the tables ({shortened(list(moves))}), as {HOW_TO} shows: {CORE_SCHEMA} has the"
            " only copy."
        )
    elif missing and not places.present:
        hint = (
            "Restore the tables from a backup. If their rows are not needed, run: manage.py"
            f" migrate_domain {domain.name} zero --fake; then: manage.py migrate_domain"
            f" {domain.name}"
        )
    else:
        return None
    verb = "does not" if len(lost) == 1 else "do not"
    return HalfMove(
        f"{domain.history_table} records the migrations that create {shortened(lost)}, which"
        f" {verb} exist.",
        f"{hint} Nothing was changed.",
    )


def _tables_without_history(
    connection: BaseDatabaseWrapper, status: DomainStatus
) -> HalfMove | None:
    domain = status.domain
    places = find_places(connection, domain, own_models(domain))
    if not places.present:
        return None
    created = created_models(status.pending)
    present = {
        str(table)
        for model in own_models(domain)
        if (table := QualifiedName.of(model._meta.db_table)) in places.present
        and (model._meta.app_label, model._meta.model_name) in created
    }
    if not present:
        return None
    verb = "exists" if len(present) == 1 else "exist"
    return HalfMove(
        f"{domain.history_table} has no rows, but {shortened(sorted(present))}, which pending"
        f" migrations create, {verb}.",
        "Restore the rows from a backup. If all of the migrations were applied, record them:"
        f" manage.py migrate_domain {domain.name} --fake; if only the first were: --fake-initial."
        " Nothing was changed.",
    )


def created_models(keys: Iterable[MigrationKey]) -> set[tuple[str, str]]:
    """Return the models whose tables are there after the migrations, as far as files show it.

    A table that another domain has been given, and that came back, is there again.
    """
    found = Counter[tuple[str, str]]()
    for key in keys:
        for operation in header_of(key).operations:
            if change := TABLES_MADE.get(operation.name):
                found[key.app, operation.argument(0, "name").lower()] += change
    return {model for model, number in found.items() if number > 0}


def _moving_rows(domain: Domain) -> str:
    core = get_domain(CORE).history_table
    create = sql.SQL("CREATE TABLE IF NOT EXISTS {} (LIKE {} INCLUDING ALL);").format(
        sql.Identifier(*domain.history_table), sql.Identifier(*core)
    )
    insert = sql.SQL(
        " INSERT INTO {} (app, name, applied) SELECT app, name, applied FROM {} WHERE app IN ({})"
        " ORDER BY id; "
    ).format(
        sql.Identifier(*domain.history_table),
        sql.Identifier(*core),
        sql.SQL(", ").join(map(sql.Literal, domain.app_labels)),
    )
    return (create + insert).as_string() + _deleting_rows(domain)


def _deleting_rows(domain: Domain) -> str:
    return (
        sql.SQL("DELETE FROM {} WHERE app IN ({});")
        .format(
            sql.Identifier(*get_domain(CORE).history_table),
            sql.SQL(", ").join(map(sql.Literal, domain.app_labels)),
        )
        .as_string()
    )
