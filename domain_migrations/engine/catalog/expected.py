"""The tables that the state of a domain's models describes.

The definitions are parsed from the SQL of Django's schema editor, which is not executed.
Constraints and indexes that a model names are expected under that name. Those that Django names
keep their first name when a field or table is renamed, so only their definition is expected.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.state import ProjectState
from django.db.models import Field, Model
from django.db.models.fields.composite import CompositePrimaryKey

from ...backends.postgresql.names import truncate
from ...domains import CORE_SCHEMA, Domain, QualifiedName
from .definitions import (
    Definition,
    Key,
    parse_constraint,
    parse_foreign_key,
    parse_index,
    significant,
)
from .expressions import unquote_identifiers
from .live_tables import Column, DefaultOpclasses, IndexOrConstraint, Table


@dataclass(slots=True)
class ExpectedTable(Table):
    """The table that a model describes; its constraints and indexes are in two other lists.

    Attributes:
        named: constraints and indexes that the model names.
        unnamed: those that follow from its fields, with the names that Django would give them.
        is_automatic: whether it is the table of a many-to-many field.
    """

    named: list[IndexOrConstraint] = field(default_factory=list)
    unnamed: list[IndexOrConstraint] = field(default_factory=list)
    is_automatic: bool = False


class ExpectedTables:
    """Expectations derived from a state; the connection is only needed to render SQL."""

    def __init__(self, connection: BaseDatabaseWrapper, classes: DefaultOpclasses) -> None:
        self.connection = connection
        self.classes = classes
        # Not entered as a context manager, so it executes nothing. Any, because the methods that
        # render single constraints are private.
        self.editor: Any = connection.schema_editor(collect_sql=True)
        self.editor.deferred_sql = []

    def models_of(self, domain: Domain, state: ProjectState) -> dict[QualifiedName, type[Model]]:
        """Return the domain's models that describe tables, by the name of the table."""
        return {table_name(model): model for model in self._models(domain, state, managed=True)}

    def unmanaged(self, domain: Domain, state: ProjectState) -> set[QualifiedName]:
        """Return the tables and views that unmanaged models use."""
        return {table_name(model) for model in self._models(domain, state, managed=False)}

    def _models(
        self, domain: Domain, state: ProjectState, *, managed: bool
    ) -> Iterator[type[Model]]:
        for model in state.apps.get_models(include_auto_created=True):
            options = model._meta
            ours = options.app_label in domain.app_labels and not options.proxy
            if ours and options.can_migrate(self.connection) == managed:
                yield model

    def expected_table(self, model: type[Model]) -> ExpectedTable:
        """Return the table that a model describes."""
        options = model._meta
        schema, name = table_name(model)
        table = ExpectedTable(schema, name, comment=options.db_table_comment or "")
        table.is_automatic = bool(options.auto_created)
        for item in options.local_concrete_fields:
            column = self.column(item)
            if column is not None:
                table.columns[column.name] = column
                table.unnamed += self.field_constraints(model, item)
        key = self._definition_over("PRIMARY KEY", _primary_key(options.pk))
        table.unnamed.append(IndexOrConstraint(f"{name}_pkey", key))
        for names in options.unique_together:
            fields = [options.get_field(item) for item in names]
            unique = self.editor._create_unique_sql(model, fields)
            table.unnamed.append(self.parse_statement(unique))
        for index in options.indexes:
            table.named.append(self.parse_statement(index.create_sql(model, self.editor)))
        for constraint in options.constraints:
            statement = constraint.create_sql(model, self.editor)
            if statement is not None:
                table.named.append(self.parse_statement(statement))
        # RenameIndex adds an index to the state also if one of that name is there.
        table.named = list({item.name: item for item in reversed(table.named)}.values())[::-1]
        return table

    def column(self, item: Field[Any, Any]) -> Column | None:
        """Return the column of a field, None for a field without one."""
        parameters = item.db_parameters(connection=self.connection)
        if parameters["type"] is None:
            return None
        suffix = item.db_type_suffix(connection=self.connection) or ""
        is_generated = item.generated and "IDENTITY" not in suffix
        generated = default = None
        if is_generated:
            sql = item.generated_sql(self.connection)  # type: ignore[attr-defined]
            generated = self.editor.connection.ops.compose_sql(*sql)
        elif item.has_db_default():
            default = self.editor.connection.ops.compose_sql(*self.editor.db_default_sql(item))
        is_nullable = item.null or (is_generated and not getattr(item, "not_null", False))
        return Column(
            name=str(item.column),
            type=parameters["type"],
            not_null=item.primary_key or not is_nullable,
            default=default,
            generated=generated,
            identity=_identity(suffix),
            collation=parameters.get("collation"),
            comment=item.db_comment or "",
            sequence=getattr(item, "sequence", ""),
            virtual=is_generated and not item.db_persist,  # type: ignore[attr-defined]
        )

    def field_constraints(
        self, model: type[Model], item: Field[Any, Any]
    ) -> Iterator[IndexOrConstraint]:
        """Yield what Django creates for one field: check, unique, foreign key and indexes."""
        prefix = f"{table_name(model).name}_{item.column}"
        check = item.db_parameters(connection=self.connection).get("check")
        if check:
            definition = parse_constraint(f"CHECK ({check})", self.classes)
            yield IndexOrConstraint(f"{prefix}_check", definition)
        if item.unique and not item.primary_key:
            yield IndexOrConstraint(f"{prefix}_key", self._definition_over("UNIQUE", (item,)))
        if item.remote_field and getattr(item, "db_constraint", False):
            yield self.parse_statement(
                self.editor._create_fk_sql(model, item, "_fk_%(to_table)s_%(to_column)s")
            )
        for statement in self.editor._field_indexes_sql(model, item):
            yield self.parse_statement(statement)

    def parse_statement(self, statement: object) -> IndexOrConstraint:
        """Return the index or the constraint that a statement of the schema editor creates."""
        sql = str(statement)
        words = list(significant(sql))
        if words[0] == "CREATE":
            name = _bare(words[words.index("ON") - 1])
            return IndexOrConstraint(name, parse_index(sql, self.classes))
        _, name, *rest = words[words.index("CONSTRAINT") :]
        name, definition = _bare(name), " ".join(rest)
        if definition.startswith("FOREIGN KEY"):
            return IndexOrConstraint(name, parse_foreign_key(definition, CORE_SCHEMA))
        return IndexOrConstraint(name, parse_constraint(definition, self.classes))

    def _definition_over(self, head: str, fields: tuple[Field[Any, Any], ...]) -> Definition:
        quoted = (self.connection.ops.quote_name(str(item.column)) for item in fields)
        return Definition(head, tuple(Key(unquote_identifiers(column)) for column in quoted))


def table_name(model: type[Model]) -> QualifiedName:
    """Return the name of a model's table, as PostgreSQL truncates it."""
    return QualifiedName(*map(truncate, QualifiedName.of(model._meta.db_table)))


def _identity(suffix: str) -> str:
    if "IDENTITY" not in suffix:
        return ""
    return "always" if "ALWAYS" in suffix else "by default"


def _bare(name: str) -> str:
    return truncate(name[1:-1].replace('""', '"') if name.startswith('"') else name)


def _primary_key(key: Field[Any, Any]) -> tuple[Field[Any, Any], ...]:
    return tuple(key.fields) if isinstance(key, CompositePrimaryKey) else (key,)  # type: ignore[arg-type]
