"""The function of ``inspect_domain --update``: what has come since, as a migration to review.

A scratch database with all migrations of the domain is compared with the live schema. What turns
the one into the other is the migration's SQL, and the reverse its reverse; both are run in the
scratch database before a file is written. Models are edited only where they are still as
``inspect_domain`` has written them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration

from ...domains import Domain, get_domains
from ...engine.alterations.changes import Change
from ...engine.alterations.definition import SchemaDefinition
from ...engine.alterations.renames import Rename
from ...engine.alterations.steps import Effect
from ...engine.catalog.compat_views import compat_view_names
from ...engine.history.status import read_statuses
from ...engine.runner.loader import LINEAR, DomainLoader, load_domain
from ...engine.runner.results import FORMAT
from ...engine.sessions.database_problems import translate_database_errors
from ...engine.sessions.roles import role_name
from ...engine.snapshots.inspected_catalog import (
    SUFFIX,
    InspectedCatalog,
    catalog_checksum,
    domain_histories,
    inspected_objects,
)
from ...engine.sources.files import migrations_folders
from ...exceptions import InvalidConfiguration
from ..migrated_scratch import migrated_scratch
from ..source_code.file_changes import FileChange, apply_changes
from .model_changes import model_operations
from .models_file import models_source
from .schema_grants import Privilege, comparable_privileges, read_privileges
from .state_parts import split_states, state_problems
from .update_file import migration_text
from .update_trial import LiveSchema, UpdateTrial, try_update


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
        self.own = [*self.others.relations, *(table.name for table in domain.engine_tables)]
        self.own += compat_view_names(connection, domain.schema)
        objects = inspected_objects(connection, domain, others=self.own)
        privileges = self._privileges(connection)
        self.live = LiveSchema(self._read(connection), objects, privileges)
        self.new_models = self._models(connection)

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

    def _read(self, connection: BaseDatabaseWrapper) -> SchemaDefinition:
        schema = self.domain.schema
        return SchemaDefinition.read(connection, schema, exclude=self.own, include_names=True)

    def _models(self, connection: BaseDatabaseWrapper) -> str:
        """Return the models that ``inspect_domain`` would write for the schema."""
        schema = self.domain.schema
        return models_source(connection, schema, app_label=self.label, exclude=self.own).text

    def _privileges(self, connection: BaseDatabaseWrapper) -> tuple[Privilege, ...]:
        """Return what roles may do in the live schema, except what ``grant_domain`` grants."""
        role = role_name(connection, self.domain)
        found = read_privileges(connection, self.domain.schema, exclude=self.own)
        comparable = comparable_privileges(connection, found)
        return tuple(item for item in comparable if role not in (item.role, item.by))

    def run(self, *, dry_run: bool) -> SchemaUpdate:
        with migrated_scratch(self.domain, self.alias) as scratch:
            old_models = self._models(scratch)
            trial = try_update(
                scratch,
                self.domain,
                self.live,
                past=self._read(scratch),
                read=lambda: self._read(scratch),
            )
        found, problems = tuple(dict.fromkeys(trial.found)), tuple(trial.problems)
        if not trial.parts or problems:
            return self._result(found=found, differences=problems)
        loader = load_domain(connections[self.alias], self.domain)
        states = model_operations(self.label, old_models, self.new_models, trial.renames)
        if states and (problems := tuple(state_problems(loader, states))):
            return self._result(found=found, differences=problems)
        files = self._migrations(loader, trial, states)
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
            notes=(*map(_check_rename, trial.renames), *_losses(trial.changes)),
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

    def _migrations(
        self,
        loader: DomainLoader,
        trial: UpdateTrial,
        states: Migration | None,
    ) -> list[FileChange]:
        """Return the files of the migrations."""
        leaves = [name for _, name in loader.graph.leaf_nodes(self.label)]
        files = []
        state_parts = split_states(loader, states, [part.stage() for part in trial.parts])
        for part, catalog_text, operations in zip(
            trial.parts, trial.catalogs, state_parts, strict=True
        ):
            key, text = migration_text(
                self.label,
                part,
                after=leaves,
                states=operations,
                command=f"{self.domain.schema} --update",
            )
            written = InspectedCatalog(key, catalog_checksum(text), catalog_text, self.others.tools)
            catalog = written.render(self.domain.schema)
            files += [
                FileChange(self.folder / f"{key.name}.py", None, text.encode()),
                FileChange(self.folder / f"{key.name}{SUFFIX}", None, catalog.encode()),
            ]
            leaves = [key.name]
        if apps.is_installed(LINEAR) and (path := self.folder / "max_migration.txt").exists():
            files.append(FileChange(path, path.read_bytes(), f"{leaves[0]}\n".encode()))
        return files


def _check_rename(rename: Rename) -> str:
    return (
        f"{rename.sentence[0].upper()}{rename.sentence[1:]}, because everything else is the same."
        " If it is another one, write a migration by hand that drops and adds."
    )


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
