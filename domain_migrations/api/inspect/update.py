"""The function of ``inspect_domain --update``: what has come since, as a migration to review.

A scratch database with all migrations of the domain is compared with the live schema. What turns
the one into the other is the migration's SQL, and the reverse its reverse; both are run in the
scratch database before a file is written. Models are edited only where they are still as
``inspect_domain`` has written them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration

from ...domains import Domain, get_domains
from ...engine.alterations.changes import Change
from ...engine.alterations.definition import SchemaDefinition
from ...engine.alterations.steps import Effect
from ...engine.catalog.fingerprint import CatalogObject, compare, fingerprint, to_text
from ...engine.history.status import read_statuses
from ...engine.runner.loader import LINEAR, DomainLoader, load_domain
from ...engine.runner.results import FORMAT
from ...engine.sessions.connection import execute, translate_database_errors
from ...engine.sessions.database_errors import first_line
from ...engine.snapshots.inspected_catalog import (
    SUFFIX,
    InspectedCatalog,
    domain_histories,
    inspected_objects,
)
from ...engine.sources.checksum import checksum
from ...engine.sources.files import migrations_folders
from ...exceptions import InvalidConfiguration
from ..start.project_files import FileChange, apply_changes
from ..verify.expected_schema import migrated_scratch
from .migration_file import BEGIN
from .model_changes import model_operations
from .models_file import models_source
from .update_file import UpdatePart, migration_text, statements, update_parts


@dataclass(frozen=True, kw_only=True)
class SchemaUpdate:
    """What has come since, and the files that bring it into the domain.

    Attributes:
        found: how each object differs from what the migrations make.
        files: the migration, its catalog, and the models where they are edited.
        models_diff: what to change in the models, if they are not edited.
        notes: what people should know, a sentence each.
        differences: why the migration would not make the same schema; then nothing is written.
    """

    domain: str
    schema: str
    root: Path
    found: tuple[str, ...] = ()
    files: tuple[FileChange, ...] = ()
    models_diff: str = ""
    notes: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    is_written: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "domain": self.domain,
            "schema": self.schema,
            "found": list(self.found),
            "files": [change.path.relative_to(self.root).as_posix() for change in self.files],
            "written": self.is_written,
            "models_diff": self.models_diff,
            "notes": list(self.notes),
            "differences": list(self.differences),
        }


def update_domain(
    schema: str, *, database: str = DEFAULT_DB_ALIAS, dry_run: bool = False
) -> SchemaUpdate:
    """Write a migration with what has come into a domain's schema by other means.

    Arguments:
        schema: that of a domain with one app.
        database: the alias of the database that has the schema; it is only read.
        dry_run: whether to write nothing.

    Raises:
        InvalidConfiguration: no domain with one app has the schema, or migrations are pending.
        InsufficientPrivilege: the role may not create databases.
        MigrationFailed: the domain's migrations cannot be applied to an empty database.
    """
    domain = next((each for each in get_domains()[1:] if each.schema == schema), None)
    if domain is None or len(domain.app_labels) != 1:
        reason = "belongs to no domain" if domain is None else "belongs to several apps"
        raise InvalidConfiguration(
            f'The schema "{schema}" {reason}.',
            hint=f"Write a domain for it: manage.py inspect_domain {schema}"
            if domain is None
            else "Write the migration by hand: verify_domain shows what has come.",
        )
    with translate_database_errors(database):
        return _Update(domain, database).run(dry_run=dry_run)


class _Update:
    def __init__(self, domain: Domain, alias: str) -> None:
        self.domain, self.alias = domain, alias
        (self.label,) = domain.app_labels
        self.folder = migrations_folders(self.label)[0]
        self.models_path = Path(apps.get_app_config(self.label).path) / "models.py"
        self.root = Path(apps.get_app_config(self.label).path).parent
        self._check_applied()
        connection = connections[alias]
        self.others = domain_histories(connection, domain)
        self.objects = inspected_objects(connection, domain, others=self.others.relations)
        self.live, self.new_models = self._read(connection)

    def _check_applied(self) -> None:
        status = next(
            item
            for item in read_statuses(connections[self.alias])
            if item.domain.name == self.domain.name
        )
        if status.pending:
            raise InvalidConfiguration(
                f'The domain "{self.domain.name}" has pending migrations, which would be taken for'
                " objects that were dropped.",
                hint=f"First run: manage.py migrate_domain {self.domain.name}",
            )

    def _read(self, connection: BaseDatabaseWrapper) -> tuple[SchemaDefinition, str]:
        """Return the schema and the models that ``inspect_domain`` would write for it."""
        schema = self.domain.schema
        own = [*self.others.relations, *(table.name for table in self.domain.engine_tables)]
        definition = SchemaDefinition.read(connection, schema, exclude=own, include_names=True)
        models = models_source(connection, schema, app_label=self.label, exclude=own)
        return definition, models.text

    def run(self, *, dry_run: bool) -> SchemaUpdate:
        with migrated_scratch(self.domain, self.alias) as scratch:
            past, old_models = self._read(scratch)
            parts = update_parts(past, self.live)
            differences, catalogs = self._try(scratch, parts) if parts else ([], [])
        changes = [change for part in parts for change in part.changes]
        found = tuple(dict.fromkeys(change.sentence for change in changes))
        loader = load_domain(connections[self.alias], self.domain)
        states = None
        if changes and not differences:
            states = model_operations(self.label, old_models, self.new_models)
            differences = list(_state_problems(loader, states)) if states else []
        if not changes or differences:
            return self._result(found=found, differences=tuple(differences))
        files = self._migrations(loader, parts, catalogs, states)
        diff = ""
        if old_models != self.new_models:
            path = self.models_path
            current = path.read_bytes() if path.is_file() else b""
            if current == old_models.encode():
                files.append(FileChange(path, current, self.new_models.encode()))
            elif current != self.new_models.encode():
                diff = self._diff(old_models)
        if not dry_run:
            apply_changes(files)
        return self._result(
            found=found,
            files=tuple(files),
            models_diff=diff,
            notes=tuple(_losses(changes)),
            is_written=not dry_run,
        )

    def _diff(self, old_models: str) -> str:
        """Return what changes in the models, as ``patch -p0`` reads it."""
        path = self.models_path.relative_to(self.root).as_posix()
        old, new = (each.splitlines(keepends=True) for each in (old_models, self.new_models))
        return "".join(difflib.unified_diff(old, new, path, path))

    def _result(self, **values: Any) -> SchemaUpdate:
        domain = self.domain
        return SchemaUpdate(domain=domain.name, schema=domain.schema, root=self.root, **values)

    def _try(
        self, scratch: BaseDatabaseWrapper, parts: Sequence[UpdatePart]
    ) -> tuple[list[str], list[str]]:
        """Run everything in the scratch database, forwards and back.

        Returns:
            why the statements do not make the same schema, or not the former one again; and the
            catalog after each part.
        """
        schema = self.domain.schema
        own = [table.name for table in self.domain.engine_tables]

        def text(*, include_names: bool) -> str:
            return fingerprint(scratch, schema, exclude=own, include_names=include_names)

        # A table that is created again gives other names to its NOT NULL constraints.
        before = text(include_names=False)
        problems, catalogs = [], []
        for part in parts:
            problems += self._run(scratch, part.changes)
            catalogs.append(text(include_names=False))
        catalogs[-1] = to_text(self.objects)
        problems += compare(self._live_text(), text(include_names=True))
        for part in reversed(parts):
            problems += (f"reverted: {each}" for each in self._run(scratch, part.reverse))
        after = text(include_names=False)
        problems += (f"after it is reverted: {item}" for item in compare(before, after))
        return problems, catalogs

    def _live_text(self) -> str:
        blocks = (
            (item.kind, item.title.removeprefix(f"{item.kind} "), item.definition, item.relation)
            for item in self.live.objects.values()
        )
        return to_text(CatalogObject(*block) for block in blocks)

    def _run(self, scratch: BaseDatabaseWrapper, changes: Sequence[Change]) -> list[str]:
        problems = [
            f"{change.sentence}: no statement is known for it"
            for change in changes
            if not change.steps
        ]
        try:
            with transaction.atomic(using=scratch.alias):
                for text in (*BEGIN.forwards, *statements(changes)):
                    execute(scratch, text)
        except Error as exc:
            problems.append(f"the statements fail: {first_line(exc)}")
        return problems

    def _migrations(
        self,
        loader: DomainLoader,
        parts: Sequence[UpdatePart],
        catalogs: Sequence[str],
        states: Migration | None,
    ) -> list[FileChange]:
        """Return the files of the migrations; the last one has the operations on the models."""
        leaves = [name for _, name in loader.graph.leaf_nodes(self.label)]
        files = []
        for part, catalog_text in zip(parts, catalogs, strict=True):
            is_last = part is parts[-1]
            key, text = migration_text(
                self.label,
                part,
                after=leaves,
                states=states if is_last else None,
                command=f"{self.domain.schema} --update",
            )
            written = InspectedCatalog(key, checksum(text), catalog_text, self.others.tools)
            catalog = written.render(self.domain.schema)
            files += [
                FileChange(self.folder / f"{key.name}.py", None, text.encode()),
                FileChange(self.folder / f"{key.name}{SUFFIX}", None, catalog.encode()),
            ]
            leaves = [key.name]
        if apps.is_installed(LINEAR) and (path := self.folder / "max_migration.txt").exists():
            files.append(FileChange(path, path.read_bytes(), f"{leaves[0]}\n".encode()))
        return files


def _state_problems(loader: DomainLoader, states: Migration) -> Iterable[str]:
    """Yield why the operations do not fit the models of the migrations so far.

    They are those of the models as they would be written, which people may have renamed.
    """
    state = loader.project_state()
    (label,) = loader.domain.app_labels
    for operation in states.operations:
        try:
            operation.state_forwards(label, state)
        except (KeyError, FieldDoesNotExist) as exc:
            yield (
                f"The models of the migrations do not fit: {operation.describe()}: {exc} is not"
                " there. If it was renamed there, write the migration by hand."
            )
            return


def _losses(changes: Iterable[Change]) -> Iterable[str]:
    """Yield what is lost; the rows of a materialized view are computed again."""
    for change in changes:
        title = change.item.title
        if change.item.kind == "materialized view" or not any(
            step.effect is Effect.LOSES for step in change.steps
        ):
            continue
        if change.verb == "drop":
            yield (
                f"The {title} is dropped: its rows or values are lost where the migration is"
                " applied. If it was renamed, write that instead."
            )
        else:
            yield f"Rows or values are lost where the migration is applied: {change.sentence}."
