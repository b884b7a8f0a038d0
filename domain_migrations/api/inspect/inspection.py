"""The reading of an existing schema, and the texts of the app that are made of it."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from string import Template

from django.apps import apps
from django.db import connections

from ...domains import Domain, QualifiedName, get_domain
from ...engine.boundary.recorded_references import uses_from_outside
from ...engine.catalog.compat_views import compat_view_names
from ...engine.catalog.fingerprint import CatalogObject, to_text
from ...engine.runner.adoption.history_import import HistoryImport
from ...engine.runner.loader import LINEAR
from ...engine.sessions.connection import fetch_all
from ...engine.snapshots.cast_entries import with_casts
from ...engine.snapshots.dump_entries import DumpEntry, entries_of, start_reading
from ...engine.snapshots.inspected_catalog import (
    SUFFIX,
    InspectedCatalog,
    inspected_objects,
    other_histories,
)
from ...engine.sources.files import HISTORY_FILE, MigrationKey
from ...exceptions import InvalidConfiguration
from ..start.start import app_words
from .draft_app import draft_app
from .grant_statements import privilege_groups
from .history_choice import HistoryOptions, find_history, history_notes
from .migration_file import BEGIN, END, migration_source
from .models_file import ModelsSource, models_source
from .owner_notes import privilege_notes
from .prerequisites import read_prerequisites
from .proof import InspectionProof, Source, prove_inspection
from .schema_grants import read_privileges
from .state_operations import StateOperations
from .statement_groups import StatementGroup, group_statements

INITIAL = "0001_initial"
POSTGRES = "django.contrib.postgres"
POPULATED = """
SELECT c.oid::regclass::text, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'm' AND c.relispopulated
"""


class Inspection:
    """The reading of one schema, and the texts that are made of it.

    Arguments:
        label: the name of the domain and of its app.
        history: another tool's history to declare; none unless given.

    Raises:
        InvalidConfiguration: the history cannot be used; see :func:`find_history`.
        InsufficientPrivilege: the role may not read it.

    Attributes:
        notes: what people should know about the texts, a sentence each.
        history: what this database would bring into its journal.
        excluded: the tables and sequences that are not the application's.
    """

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
        left_out = [*self.histories.relations, *compat_view_names(self.connection, schema)]
        others = [QualifiedName(schema, name) for name in left_out]
        self.excluded = (*self.domain.engine_tables, *others)
        self.excluded_names = [table.name for table in self.excluded]
        self.privileges = read_privileges(self.connection, schema, exclude=self.excluded_names)

    def files(self) -> dict[str, str]:
        """Return path in the app's folder → text.

        Raises:
            InvalidConfiguration: the models need ``django.contrib.postgres``, or no ``pg_dump`` is
                installed.
            InsufficientPrivilege: the role may not read the schema.
        """
        schema = self.domain.schema
        with _collector_paused():
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
        self.notes += uses_from_outside(self.connection, domain.schema)
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
        """Try the texts in a scratch database; errors are those of :func:`prove_inspection`."""
        schema, excluded = self.domain.schema, self.excluded_names
        source = Source(
            to_text(self._objects(include_names=True)),
            self.entries,
            self.privileges,
            read_prerequisites(self.connection, schema, exclude=excluded),
        )
        with draft_app(self.domain.name, texts), _collector_frozen():
            return prove_inspection(get_domain(self.domain.name), self.alias, source)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause Python's garbage collector, which would look through all that is read many times.

    There is nothing to collect: what describes a schema has no circles.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _collector_frozen() -> Iterator[None]:
    """Let Python's garbage collector look only through what is made from now on.

    The models of a schema and the operations of its migration are needed until the end.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _apps_text(label: str, schema: str) -> str:
    template = files(__package__).joinpath("../start/templates/domain/apps.py-tpl")
    return Template(template.read_text(encoding="utf-8")).substitute(app_words(label, schema))
