"""Conversions of a foreign key to a ``DomainReference`` of the same column, and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.operations.fields import FieldOperation
from django.db.migrations.state import ProjectState
from django.db.migrations.utils import resolve_relation
from django.db.models import Field, ForeignKey

from ..backends.postgresql.names import quote
from ..domains import QualifiedName
from ..fields import SUFFIX, DomainReference, column_arguments, plain_column_field
from .base import exported
from .option_names import rename_in_options

SHOWN_KEYS = 5


class DanglingReferences(ValueError):
    """Rows contain ids that no row of the other table has, so a foreign key cannot be made."""


class ConvertField(FieldOperation, ABC):
    """The common part of both conversions: another field of another name, the same column.

    Attributes:
        new_name: the name of the field afterwards.
    """

    category = OperationCategory.ALTERATION
    field: Any
    new_name: str
    phrase: ClassVar[str]
    fragment: ClassVar[str]

    @abstractmethod
    def converted_field(self, app_label: str, state: ProjectState) -> Field[Any, Any]:
        """Return the field as it is afterwards."""

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        key = app_label, self.model_name_lower
        field = self.converted_field(app_label, state)
        is_relation = bool(field.is_relation)
        # A field is renamed while it is not a relation, which has less to keep in step.
        if not is_relation:
            state.alter_field(*key, self.name, field, True)
        if self.new_name != self.name:
            state.rename_field(*key, self.name, self.new_name)
            rename_in_options(state.models[key], self.name, self.new_name)
        if is_relation:
            state.alter_field(*key, self.new_name, field, True)
        else:
            state.reload_model(*key)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        self._convert(app_label, schema_editor, from_state, to_state, self.name, self.new_name)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        self._convert(app_label, schema_editor, from_state, to_state, self.new_name, self.name)

    def _convert(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
        old_name: str,
        new_name: str,
    ) -> None:
        to_model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, to_model):
            return
        from_model = from_state.apps.get_model(app_label, self.model_name)
        old: Any = from_model._meta.get_field(old_name)
        new: Any = to_model._meta.get_field(new_name)
        for part, before, after in (
            ("column", old.column, new.column),
            ("type", old.db_type(schema_editor.connection), new.db_type(schema_editor.connection)),
        ):
            if before != after:
                raise ValueError(
                    f"{type(self).__name__} of {to_model._meta.label}.{old_name} would change the"
                    f" {part} from {before} to {after}. Give the field the {part} {before}, and"
                    " change it in another migration."
                )
        has_constraint = isinstance(new, ForeignKey) and getattr(new, "db_constraint", True)
        if has_constraint and not schema_editor.collect_sql:
            _check_references(schema_editor, new)
        schema_editor.alter_field(from_model, old, new)

    def references_field(self, model_name: str, name: str, app_label: str) -> bool:
        return self.references_model(model_name, app_label) and (
            name.lower() in (self.name_lower, self.new_name.lower())
        )

    def reduce(self, operation: Operation, app_label: str) -> bool | list[Operation]:
        """Let an operation pass that concerns neither name, as ``RenameField`` does."""
        passes = super(FieldOperation, self).reduce(operation, app_label)
        return passes or not (
            operation.references_field(self.model_name, self.name, app_label)
            or operation.references_field(self.model_name, self.new_name, app_label)
        )

    def describe(self) -> str:
        return self.phrase.format(old=self.name, model=self.model_name, new=self.new_name)

    @property
    def migration_name_fragment(self) -> str:
        return f"{self.model_name_lower}_{self.name_lower}_{self.fragment}"


@exported
class ConvertToReference(ConvertField):
    """Convert a foreign key to a ``DomainReference``; the column and its data are kept.

    The constraint is dropped, and the index unless the reference has ``db_index``. Reverting adds
    the constraint again, and is refused while rows contain ids that the other table does not have.

    Arguments:
        name: the foreign key's name.
        field: the reference; by default one to the same model, with the foreign key's index,
            nullability and the like.
        new_name: the reference's name; by default the foreign key's with ``_id``.
    """

    phrase = "Convert the foreign key {old} of {model} to the reference {new}"
    fragment = "to_reference"

    def __init__(
        self,
        model_name: str,
        name: str,
        field: DomainReference | None = None,
        new_name: str | None = None,
    ) -> None:
        self.given_name = new_name
        self.new_name = new_name or f"{name}{SUFFIX}"
        super().__init__(model_name, name, field)

    def deconstruct(self) -> Any:
        kwargs: dict[str, Any] = {"model_name": self.model_name, "name": self.name}
        if self.field is not None:
            kwargs["field"] = self.field
        if self.given_name is not None:
            kwargs["new_name"] = self.given_name
        return type(self).__name__, [], kwargs

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model: Any = from_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)
        alias = schema_editor.connection.alias
        if isinstance(field, DomainReference) and self.allow_migrate_model(alias, model):
            # The state forgets a former key, but a database from before that has its constraint.
            editor: Any = schema_editor
            for name in editor._constraint_names(model, [field.column], foreign_key=True):
                editor.execute(editor._delete_fk_sql(model, name))
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def converted_field(self, app_label: str, state: ProjectState) -> Field[Any, Any]:
        if self.field is not None:
            given: DomainReference = self.field
            return given
        key: Any = state.models[app_label, self.model_name_lower].get_field(self.name)
        if isinstance(key, DomainReference):  # A former key; see engine/runner/former_keys.py.
            arguments = {**key.deconstruct()[3], "db_column": key.db_column}
            return DomainReference(key.to, **arguments)
        return reference_for(key, self.name, self.new_name, (app_label, self.model_name), state)


@exported
class ConvertToForeignKey(ConvertField):
    """Convert a ``DomainReference`` to a foreign key; the column and its data are kept.

    It is refused while rows contain ids that the other table does not have. The constraint is
    created as ``AlterField`` creates it, and an index unless there is one or the foreign key has
    ``db_index=False``.

    Arguments:
        name: the reference's name.
        field: the foreign key.
        new_name: the foreign key's name; by default the reference's without ``_id``.
    """

    phrase = "Convert the reference {old} of {model} to the foreign key {new}"
    fragment = "to_foreign_key"

    def __init__(
        self,
        model_name: str,
        name: str,
        field: ForeignKey[Any, Any],
        new_name: str | None = None,
    ) -> None:
        self.given_name = new_name
        self.new_name = new_name or name.removesuffix(SUFFIX)
        super().__init__(model_name, name, field)

    def deconstruct(self) -> Any:
        kwargs = {"model_name": self.model_name, "name": self.name, "field": self.field}
        if self.given_name is not None:
            kwargs["new_name"] = self.given_name
        return type(self).__name__, [], kwargs

    def converted_field(self, app_label: str, state: ProjectState) -> Field[Any, Any]:
        field: Field[Any, Any] = self.field
        return field


def reference_for(
    key: Any,
    name: str,
    new_name: str,
    model: tuple[str, str],
    state: ProjectState,
) -> DomainReference:
    """Return the reference that takes a foreign key's place, with its column and index.

    Raises:
        ValueError: the field is not a foreign key that holds a primary key.
    """
    label = f"{model[0]}.{model[1]}.{name}"
    is_key = isinstance(key, ForeignKey)
    if not is_key or key.remote_field.parent_link:
        raise ValueError(f"{label} is not a foreign key that can be converted.")
    app_label, model_name = resolve_relation(key.remote_field.model, model[0], model[1].lower())
    target = state.models.get((app_label, model_name))
    target_key = _key_field(state, (app_label, model_name))
    to_field = key.deconstruct()[3].get("to_field")
    if to_field and (target_key is None or to_field != target_key[0]):
        raise ValueError(
            f"{label} holds the {to_field} of {app_label}.{model_name}; a DomainReference holds"
            " its primary key."
        )
    return reference_in_place_of(
        key,
        f"{app_label}.{target.name if target is not None else model_name}",
        new_name,
        key.db_column or f"{name}{SUFFIX}",
        None if target_key is None else plain_column_field(target_key[1]),
    )


def reference_in_place_of(
    key: Any, to: str, new_name: str, column: str, id_field: Field[Any, Any] | None
) -> DomainReference:
    """Return the reference with a foreign key's column, index, nullability and the like."""
    arguments = column_arguments(key)
    arguments.pop("db_column", None)
    if column != new_name:
        arguments["db_column"] = column
    return DomainReference(to, id_field=id_field, **arguments)


def _key_field(state: ProjectState, model: tuple[str, str]) -> tuple[str, Field[Any, Any]] | None:
    """Return the name and the field of a model's primary key, which may be its target's.

    None if the state does not have the model.
    """
    found = state.models.get(model)
    if found is None:
        return None
    own = next(((name, field) for name, field in found.fields.items() if field.primary_key), None)
    if own is None:
        for base in found.bases:
            if isinstance(base, str):
                parent = _key_field(state, resolve_relation(base, *model))
                if parent is not None:
                    return parent
        return None
    if own[1].is_relation:
        remote: Any = own[1].remote_field
        target = _key_field(state, resolve_relation(remote.model, *model))
        return None if target is None else (own[0], target[1])
    return own


def _check_references(schema_editor: BaseDatabaseSchemaEditor, key: Any) -> None:
    """Check that every id in the column is one of the other table.

    Raises:
        DanglingReferences: some are not; the message counts the rows and names a few ids.
    """
    target = key.target_field
    table, column = QualifiedName.of(key.model._meta.db_table), quote(key.column)
    other = QualifiedName.of(target.model._meta.db_table)
    dangling = (
        f"FROM {table.db_table} t WHERE t.{column} IS NOT NULL AND NOT EXISTS (SELECT FROM"
        f" {other.db_table} o WHERE o.{quote(target.column)} = t.{column})"
    )
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*), count(DISTINCT t.{column}) {dangling}")
        rows, ids = cursor.fetchone()
        if not rows:
            return
        cursor.execute(f"SELECT DISTINCT t.{column} {dangling} ORDER BY 1 LIMIT {SHOWN_KEYS}")
        shown = ", ".join(str(value) for (value,) in cursor.fetchall())
    more = f" and {ids - SHOWN_KEYS} more" if ids > SHOWN_KEYS else ""
    raise DanglingReferences(
        f"{rows} row{'s' if rows != 1 else ''} of {table} refer{'' if rows != 1 else 's'} to rows"
        f" that {other} does not have: {key.column} {shown}{more}. Correct them first, or keep the"
        " DomainReference."
    )
