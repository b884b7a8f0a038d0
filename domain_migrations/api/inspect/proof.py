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
from psycopg import sql

from ...domains import CORE, Domain
from ...engine.catalog.expressions import as_read_back
from ...engine.catalog.fingerprint import compare, to_text
from ...engine.runner.loader import DomainLoader
from ...engine.runner.results import ErrorInfo
from ...engine.sessions.connection import execute
from ...engine.sessions.database_errors import OUT_OF_MEMORY
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
TOO_MANY_LOCKS = (
    "The server has no place for the locks that the migration needs in one transaction, in which"
    " an empty database gets it: it was proven statement by statement. Before you make a new"
    " database, set max_locks_per_transaction higher and restart the server."
)
DO_NOT_CHECK_BODIES = "ALTER DATABASE {} SET check_function_bodies = off"


@dataclass(frozen=True, kw_only=True)
class InspectionProof:
    """The result of a proof.

    Attributes:
        differences: what differs from the source, a sentence each.
        missing: what the schema uses of other schemas and core's migrations do not create; then
            nothing was compared.
        notes: what people should know about the server, a sentence each.
    """

    differences: tuple[str, ...] = ()
    missing: tuple[Prerequisite, ...] = ()
    notes: tuple[str, ...] = ()
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
        if error := replay_migrations(CORE, alias):
            raise MigrationFailed(f"core, which it needs, cannot be applied: {_text(error)}")
        missing = tuple(missing_in(connection, source.prerequisites))
        replay = _Replay(connection, domain)
        differences = () if missing else tuple(_differences(replay, source))
    return InspectionProof(
        differences=differences,
        missing=missing,
        notes=(TOO_MANY_LOCKS,) if replay.is_in_pieces else (),
        seconds=time.monotonic() - started,
    )


class _Replay:
    """The migrations of the domain in the scratch database.

    Attributes:
        is_in_pieces: whether each statement has a transaction of its own, because the server has
            no place for the locks that one of all statements needs.
    """

    def __init__(self, connection: BaseDatabaseWrapper, domain: Domain) -> None:
        self.connection = connection
        self.domain = domain
        self.is_in_pieces = False

    def run(self, target: str | None = None) -> str:
        """Migrate the domain; return why that fails, "" if it does not."""
        error = self._run(target)
        if error is not None and error.sqlstate == OUT_OF_MEMORY and not self.is_in_pieces:
            self._divide()
            error = self._run(target)
        return "" if error is None else _text(error)

    def _run(self, target: str | None) -> ErrorInfo | None:
        error = replay_migrations(self.domain.name, self.connection.alias, target=target)
        gc.collect()  # The models of states refer to each other.
        return error

    def _divide(self) -> None:
        for (app, _), migration in DomainLoader(None, self.domain).disk_migrations.items():
            if app in self.domain.app_labels:
                type(migration).atomic = False
        # What the migration sets for its transaction: a function may name a later object.
        name = sql.Identifier(self.connection.settings_dict["NAME"])
        execute(self.connection, sql.SQL(DO_NOT_CHECK_BODIES).format(name))
        self.connection.close()
        self.is_in_pieces = True


def _text(error: ErrorInfo) -> str:
    return f"{error.message} {error.hint}".strip()


def _differences(replay: _Replay, source: Source) -> Iterator[str]:
    connection, domain = replay.connection, replay.domain
    alias = connection.alias
    config = apps.get_app_config(domain.name)
    for message in checks.run_checks(app_configs=[config], databases=[alias]):
        if message.is_serious():
            yield f"check: {message.msg}"
    for description in _missing_operations(domain):
        yield f"makemigrations would write: {description}"
    if problem := replay.run():
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
    if problem := replay.run("zero"):
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
