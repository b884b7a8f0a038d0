"""The function of ``inspect_domain --update``: what has come since, as a migration to review.

A scratch database with all migrations of the domain is compared with the live schema. What turns
the one into the other is the migration's SQL, and the reverse its reverse; both are run in the
scratch database before a file is written. Models are edited only where they are still as
``inspect_domain`` has written them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration, RunSQL, SeparateDatabaseAndState
from django.db.migrations.writer import MigrationWriter

from ...domains import Domain, get_domains
from ...engine.alterations.changes import Change, schema_changes
from ...engine.alterations.definition import SchemaDefinition
from ...engine.alterations.steps import Effect
from ...engine.catalog.fingerprint import CatalogObject, compare, fingerprint, to_text
from ...engine.history.status import read_statuses
from ...engine.runner.loader import LINEAR, load_domain
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
from ...engine.sources.files import MigrationKey, migrations_folders
from ...exceptions import InvalidConfiguration
from ..start.project_files import FileChange, apply_changes
from ..verify.expected_schema import migrated_scratch
from .migration_file import BEGIN, END, HEADER, run_sql
from .model_changes import draft_label, model_operations
from .models_file import models_source
from .statement_groups import StatementGroup

PLACEHOLDER = "the statements"
PLACE = re.compile(rf"^( *)migrations\.RunSQL\(\n *sql={PLACEHOLDER!r},\n *\),\n", re.MULTILINE)


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
            changes, reverse = schema_changes(past, self.live), schema_changes(self.live, past)
            differences = tuple(self._differences(scratch, changes, reverse)) if changes else ()
        found = tuple(dict.fromkeys(change.sentence for change in changes))
        if not changes or differences:
            return self._result(found=found, differences=differences)
        files = self._migration(changes, reverse, old_models)
        diff = ""
        if old_models != self.new_models:
            path, written = self.models_path, old_models.encode()
            if path.is_file() and path.read_bytes() == written:
                files.append(FileChange(path, written, self.new_models.encode()))
            else:
                old, new = (
                    each.splitlines(keepends=True) for each in (old_models, self.new_models)
                )
                diff = "".join(difflib.unified_diff(old, new, "models.py", "models.py"))
        if not dry_run:
            apply_changes(files)
        return self._result(
            found=found,
            files=tuple(files),
            models_diff=diff,
            notes=tuple(_losses(changes)),
            is_written=not dry_run,
        )

    def _result(self, **values: Any) -> SchemaUpdate:
        domain = self.domain
        return SchemaUpdate(domain=domain.name, schema=domain.schema, root=self.root, **values)

    def _differences(
        self, scratch: BaseDatabaseWrapper, changes: Sequence[Change], reverse: Sequence[Change]
    ) -> Iterable[str]:
        """Yield why the statements do not make the same schema, or not the former one again."""
        own = [table.name for table in self.domain.engine_tables]

        def text(*, include_names: bool) -> str:
            schema = self.domain.schema
            return fingerprint(scratch, schema, exclude=own, include_names=include_names)

        before = text(include_names=False)
        yield from self._run(scratch, changes)
        yield from compare(self._live_text(), text(include_names=True))
        yield from (f"reverted: {problem}" for problem in self._run(scratch, reverse))
        # A table that is created again gives other names to its NOT NULL constraints.
        after = text(include_names=False)
        yield from (f"after it is reverted: {item}" for item in compare(before, after))

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
                for text in (*BEGIN.forwards, *_statements(changes)):
                    execute(scratch, text)
        except Error as exc:
            problems.append(f"the statements fail: {first_line(exc)}")
        return problems

    def _migration(
        self, changes: Sequence[Change], reverse: Sequence[Change], old_models: str
    ) -> list[FileChange]:
        loader = load_domain(connections[self.alias], self.domain)
        leaves = [name for _, name in loader.graph.leaf_nodes(self.label)]
        number = (
            max((int(found[0]) for name in leaves if (found := re.match(r"\d+", name))), default=0)
            + 1
        )
        name = f"{number:04d}_update_{_slug(changes)}"
        states = model_operations(self.label, old_models, self.new_models)
        migration = Migration(name, self.label)
        vars(migration).update(
            dependencies=[
                *((self.label, leaf) for leaf in leaves),
                *(states.dependencies if states else ()),
            ],
            operations=[
                SeparateDatabaseAndState(
                    database_operations=[RunSQL(PLACEHOLDER)],
                    state_operations=list(states.operations) if states else [],
                )
            ],
        )
        source = MigrationWriter(migration, include_header=False).as_string()
        source = source.replace(f"{draft_label(self.label)}.", f"{self.label}.")
        groups = _groups(changes, reverse)

        def operations(place: re.Match[str]) -> str:
            return "".join("\n".join(run_sql(group, place[1])) + ",\n" for group in groups)

        head = HEADER.format(schema=f"{self.domain.schema} --update")
        text = f"{head}\n\n" + PLACE.sub(operations, source, count=1)
        catalog = InspectedCatalog(
            MigrationKey(self.label, name), checksum(text), to_text(self.objects), self.others.tools
        )
        written = catalog.render(self.domain.schema)
        files = [
            FileChange(self.folder / f"{name}.py", None, text.encode()),
            FileChange(self.folder / f"{name}{SUFFIX}", None, written.encode()),
        ]
        if apps.is_installed(LINEAR) and (path := self.folder / "max_migration.txt").exists():
            files.append(FileChange(path, path.read_bytes(), f"{name}\n".encode()))
        return files


def _statements(changes: Iterable[Change]) -> list[str]:
    return [f"{step.sql};" for change in changes for step in change.steps]


def _groups(changes: Sequence[Change], reverse: Sequence[Change]) -> list[StatementGroup]:
    """Return a group for each relation that changes, and one with all of the reverse."""
    groups = [BEGIN]
    for change in changes:
        subject = change.item.relation or change.item.name
        if groups[-1].subject != subject:
            groups.append(StatementGroup(subject))
        groups[-1].forwards += _statements([change])
    back = [*BEGIN.forwards, *_statements(reverse), *END.forwards]
    return [*groups, END, StatementGroup("", [], back)]


def _losses(changes: Iterable[Change]) -> Iterable[str]:
    for change in changes:
        if any(step.effect is Effect.LOSES for step in change.steps):
            yield (
                f"The {change.item.title} is dropped: its rows or values are lost where the"
                " migration is applied. If it was renamed, write that instead."
            )


def _slug(changes: Sequence[Change]) -> str:
    names = dict.fromkeys(
        change.item.relation or change.item.parts[1] for change in changes if change.steps
    )
    words = re.sub(r"\W+", "_", "_".join(list(names)[:2])).strip("_").lower()
    return words[:40] or "schema"
