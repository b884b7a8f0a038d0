"""The tables that an app's models and migrations name, and the edits that qualify them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.apps import apps as global_apps
from django.apps.config import AppConfig
from django.db import connection
from django.db.backends.utils import strip_quotes, truncate_name
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.models import Field, Model

from ...backends.postgresql.names import parse_table_name
from ...domains import QualifiedName

if TYPE_CHECKING:
    from ..source_code.model_tables import ModelEdit
    from .migration_edits import OperationEdit, Place


@dataclass
class HistoryModel:
    """A model at one place of the history.

    Attributes:
        db_table: as the migrations say before the adoption; None for Django's default.
        managed: whether its table is made by the migrations.
        has_table: False for a proxy.
    """

    name: str
    db_table: str | None = None
    managed: bool = True
    has_table: bool = True


@dataclass(frozen=True)
class TableNames:
    """Names of tables before the adoption and after it.

    Attributes:
        renamed: a table's name in ``public`` → its name in the schema, where they differ.
        moved: the tables of models that Django does not manage, which move all the same.
    """

    schema: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    moved: frozenset[str] = frozenset()

    def qualified(self, name: str) -> str:
        """Return the name of a table of ``public`` as a model of the domain has it."""
        return QualifiedName(self.schema, self.renamed.get(name, name)).db_table

    def field_table(self, model_table: str, field_name: str, db_table: str | None) -> str | None:
        """Return the name that a many-to-many field has to give its table.

        None if Django derives the right one from the model's table, which is bare here.
        """
        before = _bare(db_table) if db_table else _derived(model_table, field_name)
        if before is None:
            return None  # It is in a schema already.
        wanted = self.qualified(before)
        if db_table is None:
            derived = parse_table_name(_derived(self.qualified(model_table), field_name))
            if QualifiedName.of(wanted) == (derived.schema, derived.name):
                return None
        return wanted


def model_edits(
    config: AppConfig, names: TableNames
) -> Iterator[tuple[type[Model], str, ModelEdit]]:
    """Yield each class of the app with a table, the table's bare name, and the edit."""
    from ..source_code.model_tables import ModelEdit

    for model in config.get_models():
        options = model._meta
        table = _bare(options.db_table)
        if options.proxy or options.swapped or table is None:
            continue
        if not options.managed and table not in names.moved:
            continue
        fields = {}
        for item in options.local_many_to_many:
            through: Any = item.remote_field.through
            if through._meta.auto_created and (
                name := names.field_table(table, item.name, getattr(item, "db_table", None))
            ):
                fields[item.name] = name
        inherited = [n for n, base in enumerate(model.__bases__) if hasattr(base, "Meta")]
        yield (
            model,
            table,
            ModelEdit(names.qualified(table), inherited[0] if inherited else None, fields),
        )


def automatic_tables(config: AppConfig) -> Iterator[tuple[str, str]]:
    """Yield the label and the bare table of each automatic many-to-many table of the app."""
    for model in config.get_models():
        for item in model._meta.local_many_to_many:
            through: Any = item.remote_field.through
            table = _bare(through._meta.db_table)
            if through._meta.auto_created and not model._meta.proxy and table is not None:
                yield f"{model._meta.label}.{item.name}", table


class MigrationEdits:
    """The edits of an app's migrations.

    Arguments:
        migrations: of the app, by name; squashed ones and those that they replace.
    """

    def __init__(self, label: str, migrations: Mapping[str, Migration], names: TableNames) -> None:
        self.label, self.migrations, self.names = label, migrations, names
        self.edits: dict[str, dict[Place, OperationEdit]] = {}
        self._after: dict[str, dict[str, HistoryModel]] = {}
        for name in sorted(migrations):
            self._models_after(name)

    def _models_after(self, name: str) -> dict[str, HistoryModel]:
        """Return the app's models after a migration, and find the migration's edits."""
        if name in self._after:
            return self._after[name]
        self._after[name] = {}  # A migration that depends on itself is the loader's to report.
        migration = self.migrations[name]
        models: dict[str, HistoryModel] = {}
        for label, parent in migration.dependencies:
            if label == self.label and parent in self.migrations:
                models.update(self._models_after(parent))
        models = {key: replace(model) for key, model in models.items()}
        edits = self.edits.setdefault(name, {})
        for place, operation in enumerate(migration.operations):
            self._visit(operation, (place,), models, edits)
        self._after[name] = models
        return models

    def _visit(
        self,
        operation: Operation,
        place: Place,
        models: dict[str, HistoryModel],
        edits: dict[Place, OperationEdit],
    ) -> None:
        inner: Any = operation
        if type(operation).__name__ == "SeparateDatabaseAndState":
            before = {key: replace(model) for key, model in models.items()}
            for number, item in enumerate(inner.database_operations):
                self._visit(item, (*place, "database_operations", number), before, edits)
            for number, item in enumerate(inner.state_operations):
                self._visit(item, (*place, "state_operations", number), models, edits)
        elif edit := self._edit(operation, models):
            edits[place] = edit

    def _edit(self, operation: Any, models: dict[str, HistoryModel]) -> OperationEdit | None:
        """Return the edit of an operation, and apply the operation to the models."""
        from .migration_edits import OperationEdit

        kind = type(operation).__name__
        if kind in ("CreateModel", "CreateModelIfMissing"):
            options = operation.options
            model = HistoryModel(
                operation.name,
                options.get("db_table") or None,
                options.get("managed", True),
                not options.get("proxy", False),
            )
            models[operation.name.lower()] = model
            table = self._table(model)
            if table is None:
                return None
            return OperationEdit(
                kind, self.names.qualified(table), self._field_tables(table, operation.fields)
            )
        if kind == "DeleteModel":
            models.pop(operation.name.lower(), None)
        elif kind == "RenameModel":
            model = models.pop(operation.old_name.lower(), HistoryModel(operation.old_name))
            model.name = operation.new_name
            models[operation.new_name.lower()] = model
            table = self._table(model)
            if table is not None and model.db_table is None:
                return OperationEdit(kind, then=(operation.new_name, self.names.qualified(table)))
        elif kind == "AlterModelTable":
            model = models.setdefault(operation.name.lower(), HistoryModel(operation.name))
            model.db_table = operation.table or None
            table = self._table(model)
            return OperationEdit(kind, self.names.qualified(table)) if table else None
        elif kind == "AlterModelOptions":
            model = models.setdefault(operation.name.lower(), HistoryModel(operation.name))
            model.managed = operation.options.get("managed", True)
        elif kind in ("AddField", "AlterField", "AddFieldIfMissing"):
            found = models.get(operation.model_name.lower())
            table = None if found is None else self._table(found)
            if table is not None:
                tables = self._field_tables(table, [(operation.name, operation.field)])
                return OperationEdit(kind, fields=tables) if tables else None
        return None

    def _table(self, model: HistoryModel) -> str | None:
        """Return the bare name of a model's table; None if it has none that moves."""
        if not model.has_table:
            return None
        default = f"{self.label}_{model.name.lower()}"
        table = _bare(model.db_table or truncate_name(default, _max_length()))
        return None if not self._moves(model, table) else table

    def _moves(self, model: HistoryModel, table: str | None) -> bool:
        if model.managed or table in self.names.moved:
            return True
        try:
            installed = global_apps.get_model(self.label, model.name)
        except LookupError:
            return False
        managed: bool = installed._meta.managed
        return managed

    def _field_tables(
        self, table: str, fields: Iterable[tuple[str, Field[Any, Any]]]
    ) -> dict[str, str]:
        found = {}
        for name, item in fields:
            if item.many_to_many and getattr(item.remote_field, "through", None) is None:
                given = getattr(item, "db_table", None)
                if wanted := self.names.field_table(table, name, given):
                    found[name] = wanted
        return found


def _bare(db_table: str) -> str | None:
    """Return the name of a table that has no schema; None for one that has."""
    found = parse_table_name(db_table)
    return found.name if found.schema is None else None


def _derived(model_table: str, field_name: str) -> str:
    """Return the automatic table's name; mirrors ``ManyToManyField._get_m2m_db_table``."""
    return truncate_name(f"{strip_quotes(model_table)}_{field_name}", _max_length())


def _max_length() -> int | None:
    length: int | None = connection.ops.max_name_length()
    return length
