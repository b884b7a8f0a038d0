"""A model as source: its fields and the options of its Meta."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

from ...backends.postgresql.names import format_table_name
from .display_column import TEXT_TYPES, display_column
from .model_choices import ChoicesNames, EnumChoices, choices
from .model_constraints import IndexNames, TableConstraints
from .model_expressions import Expressions
from .model_fields import (
    DJANGO,
    INTEGERS,
    TYPED,
    ColumnFields,
    FieldSource,
    add_common,
    number_choices,
)
from .model_plan import Plan
from .planned_model import ModelPlan
from .python_imports import Imports
from .python_source import Code, Text, list_of
from .relation_fields import RelationFields
from .schema_description import Column, Schema

NULLABLE_TEXT = ("CharField", "TextField")


@dataclass(frozen=True)
class ModelSource:
    """A model.

    Attributes:
        enumerations: name and values of the classes in it.
        fields: name and field, in the order of the columns.
        options: of its Meta, in their order.
        title: the field whose value says which row it is, "" if there is none.
        has_nullable_title: whether its value may be None.
    """

    name: str
    enumerations: Mapping[str, Sequence[str]]
    fields: tuple[tuple[str, FieldSource], ...]
    options: Mapping[str, Code]
    title: str
    has_nullable_title: bool

    @property
    def has_nullable_text(self) -> bool:
        """Whether a field of text has two values for no text."""
        return any(
            field.class_name in NULLABLE_TEXT and "null" in field.keywords
            for _, field in self.fields
        )


class ModelSources:
    """The models of a schema, in the order in which a module defines them.

    Arguments:
        imports: of the module, which get what the models need.
        names: those that enumerations must not have.
    """

    def __init__(
        self,
        schema: Schema,
        plan: Plan,
        connection: BaseDatabaseWrapper,
        *,
        imports: Imports,
        names: Collection[str],
    ) -> None:
        self.plan = plan
        self.imports = imports
        classes = (model.class_name for model in plan.models.values())
        self.choices_names = ChoicesNames((*names, *classes))
        self.enums = EnumChoices(schema.types, schema.column_types, self.choices_names)
        self.columns = ColumnFields(schema, imports, self.enums)
        self.has_virtual = bool(
            getattr(connection.features, "supports_virtual_generated_columns", False)
        )
        managed = (model.relation for model in plan.models.values() if model.managed)
        self.names = IndexNames(managed, plan.core.taken)

    def read(self) -> tuple[ModelSource, ...]:
        """Return the models, each after those that it refers to where that is possible."""
        found: list[ModelSource] = []
        defined: set[str] = set()
        for model in self.plan.ordered():
            found.append(self._model(model, defined))
            defined.add(model.class_name)
        return tuple(found)

    def _model(self, model: ModelPlan, defined: Collection[str]) -> ModelSource:
        attributes = model.attributes
        relations = RelationFields(model, defined)
        expressions = Expressions(attributes, self.imports, self.enums.types)
        enumerations, listed = self._choices(model, expressions)
        fields: list[tuple[str, FieldSource]] = []
        if len(model.key) > 1:
            names: list[Code] = [Text(attributes[column]) for column in model.key]
            fields.append(("pk", FieldSource(f"{DJANGO}CompositePrimaryKey", names)))
        for column in model.relation.columns:
            field = self._field(model, column, relations, expressions)
            name = (model.names if column.generated else attributes)[column.name]
            if name != column.name:
                field.keywords["db_column"] = Text(column.name)
            if column.name in listed:
                field.keywords.setdefault("choices", listed[column.name])
            fields.append((model.names[column.name], field))
        options = self._options(model, expressions, relations.implied)
        title = display_column(model)
        return ModelSource(
            model.class_name,
            enumerations,
            tuple(fields),
            options,
            "" if title is None else model.names[title.name],
            title is not None and not title.not_null,
        )

    def _field(
        self,
        model: ModelPlan,
        column: Column,
        relations: RelationFields,
        expressions: Expressions,
    ) -> FieldSource:
        is_key = model.key == (column.name,)
        if column.generated:
            return self._generated(column, expressions, is_key=is_key)
        reference = model.references.get(column.name)
        if reference is not None:
            found = relations.field(column, reference)
            values = self.columns.class_of(column.type)
        else:
            found = self.columns.of_column(column, is_key=is_key)
            values = found.class_name
        if len(model.key) > 1 and column.name in model.key:
            found.keywords.pop("primary_key", None)
        add_common(found, column, values, expressions.sql, self.imports)
        if column.name in model.key:
            # PostgreSQL knows no NOT NULL of a view's columns, Django no key without it.
            found.keywords.pop("null", None)
            found.keywords.pop("blank", None)
        return found

    def _choices(
        self, model: ModelPlan, expressions: Expressions
    ) -> tuple[dict[str, Sequence[str]], dict[str, Code]]:
        """Return the enumerations of the values that CHECKs list, and choices by column."""
        enumerations: dict[str, Sequence[str]] = {}
        found: dict[str, Code] = {}
        fields = {*model.names.values(), *model.attributes.values()}
        for constraint in model.relation.constraints:
            listed = constraint.kind == "c" and expressions.listed(constraint.condition or "")
            if not listed or listed[0] in {*found, *model.references}:
                continue
            column, values = model.relation.column[listed[0]], listed[1]
            if column.generated:
                continue
            if column.type in INTEGERS:
                found[column.name] = number_choices(values)
            elif column.type.startswith(TEXT_TYPES):
                name = self.choices_names.of_column(column.name, {*fields, *enumerations})
                enumerations[name] = values
                found[column.name] = choices(name, values)
        return enumerations, found

    def _generated(self, column: Column, expressions: Expressions, *, is_key: bool) -> FieldSource:
        output = self.columns.of_type(column.type, is_text_key=is_key)
        if column.collation:
            output.keywords["db_collation"] = Text(column.collation)
        is_stored = column.generated == "s"
        path = f"{DJANGO}GeneratedField"
        keywords: dict[str, Code] = {
            "expression": expressions.sql(column.default or "NULL"),
            "output_field": output.code(self.imports),
            "db_persist": str(is_stored),
        }
        if column.not_null or not (is_stored or self.has_virtual):
            path = f"{TYPED}ExistingGeneratedField"
            if column.not_null:
                keywords["not_null"] = "True"
        if is_key:
            keywords["primary_key"] = "True"
        if column.comment:
            keywords["db_comment"] = Text(column.comment)
        return FieldSource(path, keywords=keywords)

    def _options(
        self, model: ModelPlan, expressions: Expressions, implied: set[str]
    ) -> dict[str, Code]:
        relation = model.relation
        table = Text(format_table_name(relation.schema, relation.name))
        if not model.managed:
            return {"managed": "False", "db_table": table}
        found: dict[str, Code] = {"db_table": table}
        if relation.comment:
            found["db_table_comment"] = Text(relation.comment)
        parts = TableConstraints(
            model, expressions, self.imports, implied, self.names, self.plan.note
        )
        for name, items in (("constraints", parts.constraints()), ("indexes", parts.indexes())):
            if items:
                found[name] = list_of(items)
        return found
