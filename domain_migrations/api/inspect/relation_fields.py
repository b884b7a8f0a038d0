"""The fields of foreign keys."""

from __future__ import annotations

from collections.abc import Collection

from .model_fields import DJANGO, TYPED, FieldSource
from .planned_model import ModelPlan, Reference
from .python_source import Code, Text
from .schema_description import Column

TEXT = ("text", "character")


class RelationFields:
    """The fields for the foreign keys of a model.

    Arguments:
        defined: the classes that the module has defined before the model.

    Attributes:
        implied: the names of constraints and indexes that the fields stand for.
    """

    def __init__(self, model: ModelPlan, defined: Collection[str]) -> None:
        self.model = model
        self.defined = defined
        self.implied: set[str] = set()

    def field(self, column: Column, reference: Reference) -> FieldSource:
        """Return the field of a foreign key without its default and comment."""
        is_key = self.model.key == (column.name,)
        is_unique = reference.is_unique
        index = self.model.relation.plain_index(column.name, unique=is_unique)
        is_typed = column.type != reference.target_type
        is_text = column.type.startswith(TEXT)
        is_typed = is_typed or (is_text and is_unique)
        kind = "OneToOneField" if is_unique else "ForeignKey"
        found = FieldSource(f"{TYPED}Typed{kind}" if is_typed else f"{DJANGO}{kind}")
        if is_typed:
            found.arguments.append(Text(column.type))
        found.model = reference.model
        found.arguments += [self._target(reference), self._on_delete(column, reference)]
        found.keywords = self._keywords(column, reference, is_key=is_key)
        if is_unique or (index and not is_text):
            self.implied.add(index)
        else:
            found.keywords["db_index"] = "False"
        return found

    def _target(self, reference: Reference) -> Code:
        if reference.model == self.model.class_name:
            return Text("self")
        return reference.model if reference.model in self.defined else Text(reference.model)

    def _on_delete(self, column: Column, reference: Reference) -> str:
        """Return what Django does before PostgreSQL would do the same.

        RESTRICT, unlike PROTECT, lets rows be deleted together with those that refer to them.
        """
        action = reference.constraint.on_delete
        if action == "n" and column.not_null:
            return "models.DO_NOTHING"
        actions = {"c": "CASCADE", "n": "SET_NULL", "a": "RESTRICT", "r": "RESTRICT"}
        return f"models.{actions.get(action, 'DO_NOTHING')}"

    def _keywords(self, column: Column, reference: Reference, *, is_key: bool) -> dict[str, Code]:
        keywords: dict[str, Code] = {}
        if reference.target_field:
            keywords["to_field"] = Text(reference.target_field)
        if is_key:
            keywords["primary_key"] = "True"
        if reference.related_name:
            keywords["related_name"] = Text(reference.related_name)
        if not reference.is_exact:
            keywords["db_constraint"] = "False"
        return keywords
