"""The function of ``inspect_domain``: an existing schema as a new domain of the project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections

from ...domains import Domain, QualifiedName, get_domain, get_domains
from ...engine.catalog.fingerprint import CatalogObject, to_text
from ...engine.runner.adoption.history_import import HistoryImport
from ...engine.runner.loader import LINEAR
from ...engine.runner.results import FORMAT, ImportedHistory
from ...engine.sessions.connection import fetch_all, translate_database_errors
from ...engine.snapshots.cast_entries import with_casts
from ...engine.snapshots.dump_entries import DumpEntry, entries_of, start_reading
from ...engine.snapshots.inspected_catalog import (
    SUFFIX,
    InspectedCatalog,
    inspected_objects,
    other_histories,
)
from ...engine.sources.files import HISTORY_FILE, MigrationKey, migrations_folders
from ...engine.sources.tool_histories import read_tool_history
from ...exceptions import InvalidConfiguration
from ..start.name_checks import check_names
from ..start.project_files import FileChange, apply_changes, find_settings
from ..start.start import app_words, project_changes
from .draft_app import draft_app
from .history_choice import HistoryOptions, find_history, history_notes
from .migration_file import BEGIN, END, migration_source
from .models_file import ModelsSource, models_source
from .prerequisites import read_prerequisites
from .proof import InspectionProof, Source, prove_inspection
from .schema_grants import privilege_groups, privilege_notes, read_privileges
from .state_operations import StateOperations
from .statement_groups import StatementGroup, group_statements

INITIAL = "0001_initial"
POSTGRES = "django.contrib.postgres"
POPULATED = """
SELECT c.oid::regclass::text, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'm' AND c.relispopulated
"""


@dataclass(frozen=True, kw_only=True)
class InspectedSchema:
    """A schema that was inspected, and the files of its domain.

    Attributes:
        domain: the name of the domain and of its app.
        root: the folder that shown paths are relative to.
        changes: the files, in the order in which they are written.
        notes: what people should know about the files, a sentence each.
        proof: None if there was none.
        is_written: whether the files were written.
        history: what this database would bring into its journal of another tool's history.
    """

    domain: str
    schema: str
    root: Path
    changes: tuple[FileChange, ...]
    notes: tuple[str, ...]
    proof: InspectionProof | None
    is_written: bool
    history: ImportedHistory | None = None

    @property
    def is_refused(self) -> bool:
        """Whether the files would not make the same schema."""
        return self.proof is not None and not self.proof.is_proven

    def as_json(self) -> dict[str, Any]:
        proof = self.proof
        return {
            "format": FORMAT,
            "domain": self.domain,
            "schema": self.schema,
            "files": [change.path.relative_to(self.root).as_posix() for change in self.changes],
            "written": self.is_written,
            "proven": None if proof is None else proof.is_proven,
            "differences": [] if proof is None else list(proof.differences),
            "missing": [
                {"object": item.title, "used_by": item.used_by, "remedy": item.remedy}
                for item in (proof.missing if proof else ())
            ],
            "notes": list(self.notes),
            **({} if self.history is None else {"history": self.history.as_json()}),
        }


def inspect_domain(
    schema: str,
    *,
    name: str | None = None,
    database: str = DEFAULT_DB_ALIAS,
    prove: bool = True,
    dry_run: bool = False,
    history: HistoryOptions | None = None,
) -> InspectedSchema:
    """Write a domain whose migrations make a schema that exists already.

    Where the schema is a domain already, only the declaration of a history is written.

    All files are written or none, and none if the proof fails. The database is only read.

    Arguments:
        name: the name of the domain and of its app; the schema's unless given.
        database: the alias of the database that has the schema.
        prove: whether to migrate a scratch database with the files, and to compare it.
        dry_run: whether to write nothing.
        history: another tool's history, to be brought into the journal; none unless given.

    Raises:
        InvalidConfiguration: the schema does not exist or belongs to a domain, the name is taken
            or not valid, the settings have no place for an app, the models need
            ``django.contrib.postgres``, no ``pg_dump`` is installed, or the history cannot be
            used; see :func:`find_history`.
        InsufficientPrivilege: the role may not read the schema, or not create databases, which the
            proof needs.
        DatabaseUnavailable: the database cannot be read.
    """
    domain = next((each for each in get_domains()[1:] if each.schema == schema), None)
    if history is not None and domain is not None:
        return _declare_history(domain, history, database, dry_run=dry_run)
    label = name or schema
    settings = find_settings()
    root = settings.root
    check_names(label, schema, root=root, database=database, is_new=False)
    with translate_database_errors(database):
        inspection = _Inspection(label, schema, database, history)
        texts = inspection.files()
        proof = inspection.prove(texts) if prove else None
    changes = [FileChange(root / label / path, None, text.encode()) for path, text in texts.items()]
    added, advice = project_changes(settings, label)
    changes += added
    is_written = not dry_run and (proof is None or proof.is_proven)
    if is_written:
        apply_changes(changes)
    return InspectedSchema(
        domain=label,
        schema=schema,
        root=root,
        changes=tuple(changes),
        notes=(*inspection.notes, *advice),
        proof=proof,
        is_written=is_written,
        history=inspection.history.result() if inspection.history else None,
    )


def _declare_history(
    domain: Domain, options: HistoryOptions, database: str, *, dry_run: bool
) -> InspectedSchema:
    """Write the declaration of a history for a domain that exists."""
    if (declared := read_tool_history(domain)) is not None:
        raise InvalidConfiguration(
            f'The domain "{domain.name}" has a declaration of {declared.table} already.',
            hint=f"Edit or delete {HISTORY_FILE} in its migrations folder. Nothing was written.",
        )
    with translate_database_errors(database):
        found = find_history(connections[database], domain, options)
    folder = next(iter(migrations_folders(domain.app_labels[0])))
    change = FileChange(folder / HISTORY_FILE, None, found.declared.as_text().encode())
    if not dry_run:
        apply_changes([change])
    return InspectedSchema(
        domain=domain.name,
        schema=domain.schema,
        root=folder.parent.parent,
        changes=(change,),
        notes=tuple(history_notes(found)),
        proof=None,
        is_written=not dry_run,
        history=found.result(),
    )


class _Inspection:
    """The reading of one schema, and the texts that are made of it."""

    def __init__(
        self, label: str, schema: str, alias: str, history: HistoryOptions | None = None
    ) -> None:
        self.domain = Domain(label, schema, (label,))
        self.alias = alias
        self.connection = connections[alias]
        self.notes: list[str] = []
        self.history: HistoryImport | None = None
        if history is not None:
            self.history = find_history(self.connection, self.domain, history)
        declared = self.history.declared if self.history else None
        self.histories = other_histories(self.connection, schema, declared)
        self.notes += [
            f"The table {schema}.{table} is the history of {tool}; it is left out."
            for table, tool in self.histories.tools.items()
        ]
        self.notes += history_notes(self.history) if self.history else []
        self.entries: tuple[DumpEntry, ...] = ()
        others = [QualifiedName(schema, table) for table in self.histories.relations]
        self.excluded = (*self.domain.engine_tables, *others)
        self.excluded_names = [table.name for table in self.excluded]
        self.privileges = read_privileges(self.connection, schema, exclude=self.excluded_names)

    def files(self) -> dict[str, str]:
        """Return path in the app's folder → text."""
        schema = self.domain.schema
        with start_reading(self.connection, schema, exclude=self.excluded) as dump:
            models = self._models()
            objects = self._objects()
            entries = entries_of(self.connection, dump)
        self.entries = with_casts(self.connection, schema, entries)
        return self._texts(models, objects)

    def _models(self) -> ModelsSource:
        domain, excluded = self.domain, self.excluded_names
        models = models_source(
            self.connection, domain.schema, app_label=domain.name, exclude=excluded
        )
        if POSTGRES in models.text and not apps.is_installed(POSTGRES):
            raise InvalidConfiguration(
                f'The models of "{domain.schema}" need {POSTGRES}, which is not installed.',
                hint=f'Add "{POSTGRES}" to INSTALLED_APPS and run the command again.',
            )
        self.notes += map(str, models.notes)
        self.notes += privilege_notes(
            self.connection, domain.schema, self.privileges, exclude=excluded
        )
        return models

    def _texts(self, models: ModelsSource, objects: Sequence[CatalogObject]) -> dict[str, str]:
        domain, label = self.domain, self.domain.name
        texts = {
            "__init__.py": "",
            "apps.py": _apps_text(label, domain.schema),
            "models.py": models.text,
            "migrations/__init__.py": "",
        }
        operations = StateOperations(label, models.models, models.imports)
        migration = migration_source(self._groups(), operations, schema=domain.schema)
        key, tools = MigrationKey(label, INITIAL), self.histories.tools
        catalog = InspectedCatalog(key, migration.checksum, to_text(objects), tools)
        texts[f"migrations/{INITIAL}.py"] = migration.text
        texts[f"migrations/{INITIAL}{SUFFIX}"] = catalog.render(domain.schema)
        if self.history is not None:
            texts[f"migrations/{HISTORY_FILE}"] = self.history.declared.as_text()
        if apps.is_installed(LINEAR):
            texts["migrations/max_migration.txt"] = f"{INITIAL}\n"
        return texts

    def _objects(self, *, include_names: bool = False) -> tuple[CatalogObject, ...]:
        others = self.histories.relations
        return inspected_objects(
            self.connection, self.domain, others=others, include_names=include_names
        )

    def _groups(self) -> list[StatementGroup]:
        groups = group_statements(self.entries, self.domain.schema)
        populated = dict(fetch_all(self.connection, POPULATED, [self.domain.schema]))
        names = {table: quoted for quoted, table in populated.items()}
        refresh = [
            f"REFRESH MATERIALIZED VIEW {names[entry.name]};"
            for entry in self.entries
            if entry.kind == "MATERIALIZED VIEW" and entry.name in names
        ]
        more = [StatementGroup("", refresh)] if refresh else []
        return [BEGIN, *groups, END, *more, *privilege_groups(self.privileges)]

    def prove(self, texts: Mapping[str, str]) -> InspectionProof:
        schema, excluded = self.domain.schema, self.excluded_names
        source = Source(
            self._objects(include_names=True),
            self.entries,
            self.privileges,
            read_prerequisites(self.connection, schema, exclude=excluded),
        )
        with draft_app(self.domain.name, texts):
            return prove_inspection(get_domain(self.domain.name), self.alias, source)


def _apps_text(label: str, schema: str) -> str:
    template = files(__package__).joinpath("../start/templates/domain/apps.py-tpl")
    return Template(template.read_text(encoding="utf-8")).substitute(app_words(label, schema))
