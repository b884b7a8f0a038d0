"""Columns of the fields of ``domain_migrations.exact``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.backends.postgresql.schema import DatabaseSchemaEditor
    from django.db.models import Field, Model

    class SchemaEditor(DatabaseSchemaEditor):
        """Django's schema editor, with the private methods that are extended."""

        def _create_like_index_sql(self, model: type[Model], field: Field[Any, Any]) -> Any: ...
        def _column_generated_sql(self, field: Field[Any, Any]) -> tuple[str, Any]: ...

else:
    SchemaEditor = object


class ExactFieldsMixin(SchemaEditor):
    """A schema editor that adds nothing to columns whose type is given."""

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
