"""The file ``models.py`` for a schema that exists."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper

from ...backends.postgresql.names import format_table_name
from .core_models import CoreModels
from .model_constraints import IndexNames, TableConstraints
from .model_expressions import Expressions
from .model_fields import DJANGO, TYPED, ColumnFields, FieldSource, add_common, choices_of
from .model_names import unique, words
from .model_plan import ModelPlan, Note, Plan
from .python_imports import Imports
from .python_source import INDENT, Code, Group, Text, call, list_of, statement
from .relation_fields import RelationFields
from .schema_description import Column, Schema, read_schema

NAME_COLUMNS = ("name", "full_name", "title", "label", "display_name", "username", "code", "slug")
"""Columns whose value says which row it is, the best first."""
TEXT_TYPES = ("text", "character", "public.citext")
IMPORTED = (
    "SQL",
    "Index",
    "Lower",
    "Upper",
    "Collate",
    "OpClass",
    "ExclusionConstraint",
    "SearchVectorField",
)


@dataclass(frozen=True)
class ModelsSource:
    """A module with the models of a schema.

    Attributes:
        text: the module.
        covered: the relations that have a model, by name.
        unmanaged: those of them whose model migrations do not manage.
        notes: what Django cannot express.
    """

    text: str
    covered: tuple[str, ...]
    unmanaged: tuple[str, ...]
    notes: tuple[Note, ...]


def models_source(
    connection: BaseDatabaseWrapper,
    schema: str,
    *,
    app_label: str,
    exclude: Collection[str] = (),
) -> ModelsSource:
    """Return a module with the models of a schema; changes nothing.

    Arguments:
        schema: its name, unquoted.
        app_label: of the app that the module is for.
        exclude: names of relations that are not the application's, such as a history.
    """
    description = read_schema(connection, schema)
    core = CoreModels(apps, connection, app_label)
    plan = Plan(description, core, exclude=exclude, reserved=IMPORTED)
    text = ModelsModule(description, plan, connection).text()
    ordered = sorted(plan.models.items())
    return ModelsSource(
        text,
        tuple(name for name, _ in ordered),
        tuple(name for name, model in ordered if not model.managed),
        tuple(sorted(plan.notes)),
    )


class ModelsModule:
    """A module that is being written."""

    def __init__(self, schema: Schema, plan: Plan, connection: BaseDatabaseWrapper) -> None:
        self.schema = schema
        self.plan = plan
        self.imports = Imports()
        self.has_virtual = bool(
            getattr(connection.features, "supports_virtual_generated_columns", False)
        )
        self.constants = self._constants()
        self.columns = ColumnFields(schema, self.imports, self.constants)
        self.names = IndexNames(
            (model.relation for model in plan.models.values() if model.managed), plan.core.taken
        )
        self.defined: set[str] = set()
        self.nullable_text = False
        self.without_str = False

    def text(self) -> str:
        """Return the whole module."""
        classes = [list(self._model(model)) for model in self.plan.ordered()]
        used = "\n".join(line for lines in classes for line in lines)
        constants = [
            list(statement(f"{name} = ", choices_of(self.schema.types[kind].labels)))
            for kind, name in self.constants.items()
            if name in used
        ]
        rules = [
            *(["DJ001"] if self.nullable_text else []),
            *(["DJ008"] if self.without_str else []),
        ]
        lines = [f'"""Models of the schema {self.schema.name}."""', ""]
        if rules:
            lines += [
                f"# ruff: noqa: {', '.join(rules)}",
                "",
            ]
        lines += self.imports.lines()
        if constants:
            lines.append("")
        for constant in constants:
            lines += constant
        for body in classes:
            lines += ["", "", *body]
        return "\n".join(lines) + "\n"

    def _constants(self) -> dict[str, str]:
        """Return the constant for the choices of each enum."""
        taken: set[str] = set()
        found = {}
        for kind in self.schema.types.values():
            if kind.kind == "e":
                short = kind.name.rpartition(".")[2].strip('"')
                base = "_".join(words(short)) or "enum"
                name = unique(f"{base if base.isidentifier() else f'enum_{base}'}_choices", taken)
                taken.add(name)
                found[kind.name] = name.upper()
        return found

    def _model(self, model: ModelPlan) -> Iterator[str]:
        yield f"class {model.class_name}(models.Model):"
        relations = RelationFields(model, self.defined)
        expressions = Expressions(model.attributes, self.imports, self.constants)
        choices = self._choices(model, expressions)
        if len(model.key) > 1:
            names = [Text(model.attributes[column]) for column in model.key]
            key = call("models.CompositePrimaryKey", *names)
            yield from statement("pk = ", key, 1)
        for column in model.relation.columns:
            source = self._field(model, column, relations, expressions)
            if column.name in choices and "choices" not in source.keywords:
                source.keywords["choices"] = choices[column.name]
            name = model.names[column.name]
            yield from statement(f"{name} = ", source.code(self.imports), 1)
        self.defined.add(model.class_name)
        yield ""
        yield from self._meta(model, expressions, relations.implied)
        yield from self._str(model)

    def _field(
        self,
        model: ModelPlan,
        column: Column,
        relations: RelationFields,
        expressions: Expressions,
    ) -> FieldSource:
        is_key = model.key == (column.name,)
        reference = model.references.get(column.name)
        if column.generated:
            return self._generated(model, column, expressions)
        if reference is not None:
            found = relations.field(column, reference)
        else:
            found = self.columns.of_column(column, is_key=is_key)
        if model.attributes[column.name] != column.name:
            found.keywords["db_column"] = Text(column.name)
        if len(model.key) > 1 and column.name in model.key:
            found.keywords.pop("primary_key", None)
        add_common(
            found,
            column,
            expressions.sql(column.default) if column.default is not None else None,
        )
        self.nullable_text |= "null" in found.keywords and found.class_name in (
            "CharField",
            "TextField",
        )
        return found

    def _generated(self, model: ModelPlan, column: Column, expressions: Expressions) -> FieldSource:
        is_key = model.key == (column.name,)
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
        if model.names[column.name] != column.name:
            keywords["db_column"] = Text(column.name)
        if column.comment:
            keywords["db_comment"] = Text(column.comment)
        return FieldSource(path, keywords=keywords)

    def _choices(self, model: ModelPlan, expressions: Expressions) -> dict[str, Group]:
        """Return the choices that CHECK constraints list, by column."""
        found = {}
        for constraint in model.relation.constraints:
            listed = constraint.kind == "c" and expressions.listed(constraint.condition or "")
            if listed and listed[0] not in model.references:
                found[listed[0]] = choices_of(tuple(listed[1]))
        return found

    def _meta(self, model: ModelPlan, expressions: Expressions, implied: set[str]) -> Iterator[str]:
        relation = model.relation
        yield f"{INDENT}class Meta:"
        table = format_table_name(relation.schema, relation.name)
        if not model.managed:
            yield f"{INDENT * 2}managed = False"
        yield from statement("db_table = ", Text(table), 2)
        if relation.comment and model.managed:
            yield from statement("db_table_comment = ", Text(relation.comment), 2)
        if model.managed:
            parts = TableConstraints(
                model, expressions, self.imports, implied, self.names, self.plan.note
            )
            for name, items in (
                ("constraints", parts.constraints()),
                ("indexes", parts.indexes()),
            ):
                if items:
                    yield from statement(f"{name} = ", list_of(items), 2)

    def _str(self, model: ModelPlan) -> Iterator[str]:
        column = next(
            (
                model.relation.column[name]
                for name in NAME_COLUMNS
                if name in model.relation.column
                and model.relation.column[name].type.startswith(TEXT_TYPES)
                and name not in model.references
            ),
            None,
        )
        if column is None:
            self.without_str = True
            return
        name = model.names[column.name]
        yield ""
        yield f"{INDENT}def __str__(self) -> str:"
        yield f"{INDENT * 2}return self.{name}" + ("" if column.not_null else ' or ""')
