"""Columns of the fields of ``domain_migrations.exact``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import ForeignKey

if TYPE_CHECKING:
    from django.db.backends.postgresql.schema import DatabaseSchemaEditor
    from django.db.models import Field, Model

    class SchemaEditor(DatabaseSchemaEditor):
        """Django's schema editor, with the private methods that are extended."""

        def _create_like_index_sql(self, model: type[Model], field: Field[Any, Any]) -> Any: ...
        def _column_generated_sql(self, field: Field[Any, Any]) -> tuple[str, Any]: ...
        def _field_data_type(self, field: Field[Any, Any]) -> Any: ...
        def _using_sql(self, new_field: Any, old_field: Any) -> str: ...
        def _alter_column_database_default_sql(self, *args: Any, **kwargs: Any) -> Any: ...
        def _alter_column_type_sql(self, *args: Any, **kwargs: Any) -> Any: ...
        def _alter_field(self, *args: Any, **kwargs: Any) -> None: ...
        def _delete_fk_sql(self, model: type[Model], name: str) -> Any: ...

else:
    SchemaEditor = object


SELECT_FOREIGN_KEY = """
SELECT a.attname, pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.conrelid = to_regclass(%s) AND k.conname = %s AND cardinality(k.conkey) = 1
"""


class ExactFieldsMixin(SchemaEditor):
    """A schema editor that adds nothing to columns whose type is given.

    It leaves foreign keys alone that only the database has.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dropped_keys: list[tuple[str, str, str, str]] = []

    def _field_data_type(self, field: Field[Any, Any]) -> Any:
        """Return what tells types apart that need a cast: of an exact field, its type."""
        return getattr(field, "database_type", "") or super()._field_data_type(field)

    def _using_sql(self, new_field: Any, old_field: Any) -> str:
        """Return the cast to a new type; enums have casts from and to text only."""
        sql = super()._using_sql(new_field, old_field)
        texts = (item.get_internal_type() == "CharField" for item in (new_field, old_field))
        return sql.replace("::", "::text::") if all(texts) else sql

    def _alter_column_type_sql(
        self,
        model: type[Model],
        old_field: Field[Any, Any],
        new_field: Field[Any, Any],
        *args: Any,
    ) -> Any:
        """Return the change of a type; a default of an exact type does not stand in its way."""
        (sql, params), others = super()._alter_column_type_sql(model, old_field, new_field, *args)
        is_exact = any(getattr(item, "database_type", "") for item in (old_field, new_field))
        is_kept = old_field.db_type(self.connection) == new_field.db_type(self.connection)
        if is_kept or not is_exact or not old_field.has_db_default():
            return (sql, params), others
        found = [self._alter_column_database_default_sql(model, old_field, new_field, drop=True)]
        found.append((sql, params))
        if new_field.has_db_default() and new_field.db_default == old_field.db_default:
            found.append(self._alter_column_database_default_sql(model, old_field, new_field))
        texts, values = zip(*found, strict=True)
        return (", ".join(texts), [value for part in values for value in part]), others

    def _alter_field(
        self, model: type[Model], old_field: Field[Any, Any], *args: Any, **kwargs: Any
    ) -> None:
        """Alter a field, and create again the foreign keys to it that Django only drops.

        It does so where a model has ``db_constraint=False`` and the database has a constraint.
        """
        self.dropped_keys = []
        super()._alter_field(model, old_field, *args, **kwargs)
        own = (model._meta.db_table, old_field.column)
        for table, column, name, definition in self.dropped_keys:
            if (table, column) == own:
                continue  # The field itself has no constraint any more.
            added = f"ADD CONSTRAINT {self.quote_name(name)} {definition}"
            self.execute(f"ALTER TABLE {self.quote_name(table)} {added}", None)
        self.dropped_keys = []

    def _delete_fk_sql(self, model: type[Model], name: str) -> Any:
        """Return the statement that drops a foreign key, and remember one that has to stay."""
        table = model._meta.db_table
        with self.connection.cursor() as cursor:
            cursor.execute(SELECT_FOREIGN_KEY, [self.quote_name(table), name])
            for column, definition in cursor.fetchall():
                fields = {field.column: field for field in model._meta.local_fields}
                field = fields.get(column)
                if isinstance(field, ForeignKey) and not getattr(field, "db_constraint", True):
                    self.dropped_keys.append((table, column, name, definition))
        return super()._delete_fk_sql(model, name)

    def _create_like_index_sql(self, model: type[Model], field: Field[Any, Any]) -> Any:
        """Return Django's index for patterns, None for a field that says its own type."""
        if getattr(field, "database_type", ""):
            return None
        return super()._create_like_index_sql(model, field)

    def _column_generated_sql(self, field: Field[Any, Any]) -> tuple[str, Any]:
        """Return the clause of a generated column; of an identity, its type has it already."""
        if not hasattr(field, "generated_sql"):
            return "NOT NULL", ()
        clause, params = super()._column_generated_sql(field)
        return f"{clause} NOT NULL" if getattr(field, "not_null", False) else clause, params
