"""Django's migration recorder, with one history for each domain.

It reads every history, or a migration that depends on core would look inconsistent, and writes
to the history of the domain that owns the app.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import recorder as django_recorder
from django.db.migrations.exceptions import MigrationSchemaMissing
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import QuerySet

from ...domains import Domain, get_domain, get_domain_for, get_domains
from .existing_tables import existing_tables
from .shapes import discarded_rows
from .tables import HistoryRow, ensure_history, history_model, read_histories, rows_of_own_apps

IMPORTERS = (
    "django.db.migrations.loader",
    "django.db.migrations.executor",
    "django.core.management.commands.showmigrations",
)
"""Modules of Django that import the recorder by name."""

_read: ContextVar[Sequence[Domain] | None] = ContextVar("_read", default=None)
_waiting: ContextVar[Sequence[HistoryRow]] = ContextVar("_waiting", default=())


@contextmanager
def limit_reads_to(domains: Sequence[Domain]) -> Iterator[None]:
    """Make recorders, also those that Django creates, read the histories of these domains only.

    Whatever loads only these domains' migrations needs no other histories.
    """
    token = _read.set(domains)
    try:
        yield
    finally:
        _read.reset(token)


@contextmanager
def counted_as_applied(rows: Sequence[HistoryRow]) -> Iterator[None]:
    """Make recorders read these rows, too, which are in another domain's history."""
    token = _waiting.set(rows)
    try:
        yield
    finally:
        _waiting.reset(token)


class DomainRecorder(MigrationRecorder):
    """The recorder that Django uses once the engine is installed.

    A connection to another database than PostgreSQL gets Django's own recorder.

    Arguments:
        domain: the domain of the run, if there is one.
    """

    def __new__(cls, connection: BaseDatabaseWrapper, domain: Domain | None = None) -> Any:
        if connection.vendor != "postgresql":
            return MigrationRecorder(connection)
        return super().__new__(cls)

    def __init__(self, connection: BaseDatabaseWrapper, domain: Domain | None = None) -> None:
        self.connection = connection
        self._domain = domain
        self._has_table: bool = False
        self._ensured: set[str] = set()

    def _rows(self, domain: Domain) -> QuerySet[Any]:
        model = history_model(domain.history_table)
        return model._default_manager.using(self.connection.alias)

    def has_table(self) -> bool:
        """Return whether any history exists."""
        self._has_table = self._has_table or bool(
            existing_tables(self.connection, (domain.history_table for domain in get_domains()))
        )
        return self._has_table

    def ensure_schema(self) -> None:
        """Create the history of the run's domain, else core's; the others with their first row."""
        self._ensure(self._domain or get_domain("core"))

    def _ensure(self, domain: Domain) -> None:
        if domain.name in self._ensured:
            return
        try:
            ensure_history(self.connection, domain)
        except DatabaseError as exc:
            raise MigrationSchemaMissing(
                f"Unable to create the {domain.history_table} table ({exc})"
            ) from exc
        self._ensured.add(domain.name)
        self._has_table = True

    def applied_migrations(self) -> dict[tuple[str, str], Any]:
        """Return (app, name) → the history row, of all histories that are read.

        A row without a time is its key alone: ``showmigrations`` formats the time of every other.
        """
        every = get_domains()
        domains = _read.get() or every
        histories = rows_of_own_apps(read_histories(self.connection, domains), every)
        found = [(domain, row) for domain in domains for row in histories[domain.name]]
        found += [(get_domain_for(row.app), row) for row in _waiting.get()]
        return {
            row.key: (
                history_model(domain.history_table)(**row._asdict()) if row.applied else row.key
            )
            for domain, row in found
        }

    def record_applied(self, app: str, name: str) -> None:
        """Write the row into the history of the app's domain."""
        self.record_all_applied([(app, name)])

    def record_all_applied(self, keys: Iterable[tuple[str, str]]) -> None:
        """Write the rows of several migrations, one statement for each history."""
        wanted = list(keys)
        for domain in dict.fromkeys(map(get_domain_for, dict.fromkeys(app for app, _ in wanted))):
            own = [key for key in wanted if key[0] in domain.app_labels]
            self._ensure(domain)
            model = history_model(domain.history_table)
            rows = self._rows(domain).bulk_create([model(app=app, name=name) for app, name in own])
            if any(row.pk is None for row in rows):
                raise discarded_rows(domain.history_table)

    def record_unapplied(self, app: str, name: str) -> None:
        """Delete the row from the history of the app's domain."""
        domain = get_domain_for(app)
        self._ensure(domain)
        row = self._rows(domain).filter(app=app, name=name)
        deleted, _ = row.delete()
        if not deleted and row.exists():
            raise discarded_rows(domain.history_table)

    def flush(self) -> None:
        """Delete the rows of every history."""
        for domain in get_domains():
            if existing_tables(self.connection, [domain.history_table]):
                self._rows(domain).delete()


def on_flush(connection: BaseDatabaseWrapper, statements: Iterable[str], **_: Any) -> None:
    """Empty every history together with Django's own; a signal receiver.

    Helpers for tests of migrations empty ``django_migrations`` by its name.
    """
    if any('"django_migrations"' in statement for statement in statements):
        DomainRecorder(connection).flush()


def patch_django() -> None:
    """Make Django use :class:`DomainRecorder` wherever it names its recorder.

    Django 5.2 and 6.1 have no setting for this: the modules in ``IMPORTERS`` import it by name.
    It is replaced where it is defined, for modules that are imported later, and in those that are
    imported already.
    """
    setattr(django_recorder, "MigrationRecorder", DomainRecorder)  # noqa: B010 (mypy: a class)
    for name in IMPORTERS:
        if name in sys.modules:
            setattr(sys.modules[name], "MigrationRecorder", DomainRecorder)  # noqa: B010
