"""Changes of composite primary keys, which Django's schema editor passes over.

A ``CompositePrimaryKey`` has no column, so Django's methods return before they execute anything:
the table keeps its old key, or has none once a column of the key is dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models.fields.composite import CompositePrimaryKey

if TYPE_CHECKING:
    from django.db.backends.postgresql.schema import DatabaseSchemaEditor
    from django.db.models import Field, Model

    class SchemaEditor(DatabaseSchemaEditor):
        """Methods of Django's class that its stubs leave out."""

        def _delete_primary_key(self, model: type[Model], strict: bool = False) -> None: ...

else:
    SchemaEditor = object


class CompositeKeysMixin(SchemaEditor):
    """A schema editor that adds, changes and removes composite primary keys."""

    def add_field(self, model: type[Model], field: Field[Any, Any]) -> None:
        """Make the key after its last column is added, or with the field that declares it."""
        super().add_field(model, field)
        owner = getattr(field, "model", model)
        key = owner._meta.pk
        if isinstance(key, CompositePrimaryKey) and (
            field.name == key.name or field.name in key.field_names
        ):
            self._make_composite_key(owner, key)

    def alter_field(
        self,
        model: type[Model],
        old_field: Field[Any, Any],
        new_field: Field[Any, Any],
        strict: bool = False,
    ) -> None:
        """Replace the key if it has other columns, or the same in another order."""
        if not isinstance(new_field, CompositePrimaryKey):
            super().alter_field(model, old_field, new_field, strict)
        elif getattr(old_field, "field_names", None) != new_field.field_names:
            self._make_composite_key(new_field.model, new_field)

    def remove_field(self, model: type[Model], field: Field[Any, Any]) -> None:
        """Drop the key with the field that declares it."""
        if isinstance(field, CompositePrimaryKey):
            self._delete_primary_key(model)
        else:
            super().remove_field(model, field)

    def _make_composite_key(self, model: type[Model], key: CompositePrimaryKey) -> None:
        """Replace the table's key, or only drop it where a column of the new one is missing.

        The column is added by a later operation.
        """
        try:
            columns = [str(column) for column in key.columns]
        except FieldDoesNotExist:
            columns = []
        table = model._meta.db_table
        with self.connection.cursor() as cursor:
            found = self.connection.introspection.get_primary_key_columns(cursor, table)
        if found == columns:
            return
        if found:
            self._delete_primary_key(model)
        if columns:
            names = ", ".join(map(self.quote_name, columns))
            self.execute(f"ALTER TABLE {self.quote_name(table)} ADD PRIMARY KEY ({names})", None)
