"""The adoption of an inspected schema: migrations that made no change, as it was there before.

A migration of an inspected schema has a catalog beside it. Where the live schema has exactly that
catalog, the migration is recorded as applied instead of being run; an empty schema is migrated
like any other.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState

from ....domains import Domain
from ....exceptions import InvalidConfiguration
from ...catalog.fingerprint import CatalogObject
from ...snapshots.inspected_catalog import (
    InspectedCatalog,
    catalog_file,
    domain_histories,
    inspected_objects,
    read_catalog_file,
)
from ...sources.files import MigrationKey
from ..adoption_results import ImportedHistory
from ..executor import DomainExecutor
from ..loader import DomainLoader, Plan
from ..results import PlannedMigration
from .history_import import HistoryImport, describe_import, find_import

DESCRIPTION = "Record it as applied: the schema is already as it makes it"


@dataclass(frozen=True)
class SchemaAdoption:
    """The migrations of a plan that a database has already; often none.

    Attributes:
        migrations: the first of the plan.
        catalog: that of the last of them, which the live schema has.
        history: another tool's, which is brought into the journal in the same transaction.
    """

    domain: Domain
    migrations: tuple[Migration, ...] = ()
    catalog: InspectedCatalog | None = None
    history: HistoryImport | None = None

    @property
    def shown_history(self) -> ImportedHistory | None:
        """What a run shows of the other tool's history."""
        return self.history.result() if self.history else None

    def rest_of(self, plan: Plan) -> Plan:
        """Return the steps of the plan that are left."""
        return [step for step in plan if step[0] not in self.migrations]

    def state_after(self, state: ProjectState) -> ProjectState:
        """Return the state with what the migrations add to it."""
        for migration in self.migrations:
            state = migration.mutate_state(state, preserve=False)
        return state

    def steps(self) -> tuple[PlannedMigration, ...]:
        """Return what a plan shows of the migrations."""
        return tuple(
            PlannedMigration(key=MigrationKey.of(migration), operations=(DESCRIPTION,))
            for migration in self.migrations
        )

    def record(
        self, executor: DomainExecutor, plan: Plan, state: ProjectState
    ) -> tuple[Plan, ProjectState]:
        """Record the migrations, in one transaction in which the schema is compared again.

        Returns:
            the rest of the plan, and the state before it.

        Raises:
            InvalidConfiguration: the schema was changed in the meantime.
        """
        if self.catalog is None and self.history is None:
            return plan, state
        started, connection = time.monotonic(), executor.connection
        with transaction.atomic(using=connection.alias):
            if self.catalog is not None:
                found = _live_objects(connection, self.domain)
                if differences := self.catalog.differences(found):
                    raise _refused(self.domain, self.catalog, differences)
                for migration in self.migrations:
                    executor.log.log_adopted(migration, self.catalog.migration)
            if self.history is not None:
                self.history.record(executor.session.journal)
        for migration in self.migrations:
            executor.progress.count(migration, started, backwards=False)
            executor.session.reporter.on_note(
                f"Adopted {migration}: the schema is already as it makes it."
            )
        if self.history is not None and (note := describe_import(self.history)):
            executor.session.reporter.on_note(note)
        return self.rest_of(plan), self.state_after(state)


def find_adoption(
    connection: BaseDatabaseWrapper, loader: DomainLoader, plan: Plan, *, fake: bool = False
) -> SchemaAdoption:
    """Return which migrations of the plan the live schema makes unnecessary.

    Arguments:
        fake: whether the run records the plan without running it, because the schema is there.

    Raises:
        InvalidConfiguration: the schema is not empty, no migration was applied, and it is not as
            an inspected migration of the plan makes it; a catalog cannot be used, or the history
            of another tool cannot.
        InsufficientPrivilege: the role may not read that history.
    """
    found = _find_inspected(connection, loader, plan)
    is_there = fake or bool(found.migrations)
    return replace(found, history=find_import(connection, loader, plan, is_there=is_there))


def _find_inspected(
    connection: BaseDatabaseWrapper, loader: DomainLoader, plan: Plan
) -> SchemaAdoption:
    domain = loader.domain
    inspected = tuple(_inspected(plan))
    if not inspected:
        return SchemaAdoption(domain)
    found = _live_objects(connection, domain)
    is_new = not any(key[0] in domain.app_labels for key in loader.applied_migrations)
    if is_new and not found:
        return SchemaAdoption(domain)
    refusal = None
    for count in range(len(inspected), 0, -1):
        catalog = read_catalog_file(MigrationKey.of(inspected[count - 1]))
        if catalog is None:
            continue
        if not (differences := catalog.differences(found)):
            return SchemaAdoption(domain, inspected[:count], catalog)
        refusal = _refused(domain, catalog, differences)
    if is_new and refusal is not None:
        raise refusal
    return SchemaAdoption(domain)


def _inspected(plan: Plan) -> Iterator[Migration]:
    """Yield the migrations at the beginning of the plan that were written of a schema."""
    for migration, backwards in plan:
        if backwards or catalog_file(MigrationKey.of(migration)) is None:
            return
        yield migration


def _live_objects(connection: BaseDatabaseWrapper, domain: Domain) -> tuple[CatalogObject, ...]:
    """Return the objects in the schema, without the schema itself if that is all."""
    others = domain_histories(connection, domain).relations
    found = inspected_objects(connection, domain, others=others)
    return found if any(item.kind != "schema" for item in found) else ()


def _refused(
    domain: Domain, catalog: InspectedCatalog, differences: Iterable[str]
) -> InvalidConfiguration:
    listed = "; ".join(differences)
    return InvalidConfiguration(
        f'The schema "{domain.schema}" is not as {catalog.migration} makes it: {listed}.',
        hint="Nothing was changed. Bring the schema to what the migration makes, or write the"
        " domain again with inspect_domain. In an empty schema the migration is applied.",
    )
