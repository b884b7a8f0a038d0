"""The proof that an inspected schema comes out the same in an empty database.

In a scratch database with core alone, the domain is migrated and everything is compared: the
catalog with the source's, the dump with the source's, the models with the tables. Then it is
reverted, which must leave an empty schema. Rows are not compared.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core import checks
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.operations import AlterIndexTogether
from django.db.migrations.questioner import NonInteractiveMigrationQuestioner
from django.db.migrations.state import ProjectState
from django.utils.functional import cached_property

from ...domains import CORE, Domain
from ...engine.catalog.expressions import as_read_back
from ...engine.catalog.fingerprint import compare, to_text
from ...engine.runner.loader import DomainLoader
from ...engine.sessions.scratch_databases import scratch_connection
from ...engine.snapshots.cast_entries import with_casts
from ...engine.snapshots.dump_entries import DumpEntry, read_entries
from ...engine.snapshots.inspected_catalog import inspected_objects
from ...exceptions import MigrationFailed
from ..migrate import replay_migrations
from ..verify.verify import verify_domains
from .prerequisites import Prerequisite, missing_in
from .schema_grants import Privilege, privilege_differences

OF_THE_SOURCE = frozenset({"L005", "L006"})
"""Ids of findings about what both catalogs have: an index of a partitioned table that not all
partitions have, a constraint that is NOT VALID."""


@dataclass(frozen=True, kw_only=True)
class InspectionProof:
    """The result of a proof.

    Attributes:
        differences: what differs from the source, a sentence each.
        missing: what the schema uses of other schemas and core's migrations do not create; then
            nothing was compared.
    """

    differences: tuple[str, ...] = ()
    missing: tuple[Prerequisite, ...] = ()
    seconds: float = 0.0

    @property
    def is_proven(self) -> bool:
        return not self.differences and not self.missing


@dataclass(frozen=True)
class Source:
    """What was read of the schema that is inspected.

    Attributes:
        catalog: its fingerprint, with the names that only some versions of PostgreSQL have.
        entries: its dump.
        privileges: what roles but its owners may do.
    """

    catalog: str
    entries: Sequence[DumpEntry]
    privileges: Sequence[Privilege]
    prerequisites: Sequence[Prerequisite]


def prove_inspection(domain: Domain, alias: str, source: Source) -> InspectionProof:
    """Migrate an installed domain in a scratch database, and compare it with the source.

    Arguments:
        alias: the database on whose server the scratch database is created.

    Raises:
        InsufficientPrivilege: the role may not create databases.
        MigrationFailed: core's migrations cannot be applied.
    """
    started = time.monotonic()
    with scratch_connection(alias, f"inspect_{domain.name[:30]}") as connection:
        if problem := _migrate(CORE, alias):
            raise MigrationFailed(f"core, which it needs, cannot be applied: {problem}")
        missing = tuple(missing_in(connection, source.prerequisites))
        differences = () if missing else tuple(_differences(connection, domain, source))
    return InspectionProof(
        differences=differences, missing=missing, seconds=time.monotonic() - started
    )


def _differences(connection: BaseDatabaseWrapper, domain: Domain, source: Source) -> Iterator[str]:
    alias = connection.alias
    config = apps.get_app_config(domain.name)
    for message in checks.run_checks(app_configs=[config], databases=[alias]):
        if message.is_serious():
            yield f"check: {message.msg}"
    for description in _missing_operations(domain):
        yield f"makemigrations would write: {description}"
    if problem := _migrate(domain.name, alias):
        yield f"an empty database cannot be migrated: {problem}"
        return
    yield from compare(source.catalog, _catalog(connection, domain))
    yield from _dump_differences(connection, domain, source.entries)
    own = [table.name for table in domain.engine_tables]
    yield from privilege_differences(connection, domain.schema, source.privileges, exclude=own)
    findings = verify_domains([domain.name], database=alias).findings
    gc.collect()
    for finding in findings:
        if finding.id not in OF_THE_SOURCE:
            yield f"verify_domain: {finding.id} {finding.message}"
    if problem := _migrate(domain.name, alias, target="zero"):
        yield f"the migration cannot be reverted: {problem}"
        return
    for item in inspected_objects(connection, domain, others=(), include_names=True):
        if item.kind != "schema":
            yield f"{item.title}: left after the migration is reverted"


def _catalog(connection: BaseDatabaseWrapper, domain: Domain) -> str:
    return to_text(inspected_objects(connection, domain, others=(), include_names=True))


def _dump_differences(
    connection: BaseDatabaseWrapper, domain: Domain, entries: Sequence[DumpEntry]
) -> Iterator[str]:
    """Yield what only dumps show, such as the order of columns."""
    found = with_casts(
        connection,
        domain.schema,
        read_entries(connection, domain.schema, exclude=domain.engine_tables),
    )
    before, after = (
        {(e.kind, e.name): [*map(as_read_back, e.statements)] for e in each}
        for each in (entries, found)
    )
    for kind, name in before.keys() | after.keys():
        if before.get((kind, name)) != after.get((kind, name)):
            yield f"{kind.lower()} {name}: its dump differs"


class QuickDetector(MigrationAutodetector):
    """Django's detector, which looks through all models for ``index_together`` for each model."""

    @cached_property
    def _has_index_together(self) -> bool:
        name = AlterIndexTogether.option_name
        models = (*self.from_state.models.values(), *self.to_state.models.values())
        return any(model.options.get(name) for model in models)

    def _get_altered_foo_together_operations(self, option_name: str) -> Iterable[Any]:
        if option_name == AlterIndexTogether.option_name and not self._has_index_together:
            return ()
        found: Iterable[Any] = super()._get_altered_foo_together_operations(  # type: ignore[misc]
            option_name
        )
        return found


def _missing_operations(domain: Domain) -> list[str]:
    """Return what ``makemigrations`` would write for the domain's app, a description each."""
    label = domain.name
    loader = DomainLoader(None, domain)
    questioner = NonInteractiveMigrationQuestioner(specified_apps={label}, dry_run=True)
    detector = QuickDetector(loader.project_state(), ProjectState.from_apps(apps), questioner)
    found = detector.changes(loader.graph, trim_to_apps={label}).get(label, ())
    return [operation.describe() for part in found for operation in part.operations]


def _migrate(domain: str, alias: str, **values: Any) -> str:
    """Migrate a domain; return why that fails, "" if it does not."""
    error = replay_migrations(domain, alias, **values)
    gc.collect()  # The models of states refer to each other.
    return "" if error is None else f"{error.message} {error.hint}".strip()
