"""The text of a model class, as it is in the other app."""

from __future__ import annotations

from typing import Any

import libcst as cst

from ..source_code.model_tables import ModelEdit, edit_models
from ..source_code.module_source import ModuleSource
from ..source_code.syntax import CannotEdit, argument, assignment, text, text_of, with_keyword
from .label_texts import is_docstring
from .model_lookups import is_relation
from .model_move import ModelMove

APP_LABEL = "%(app_label)s"


def edit_texts(source: ModuleSource, move: ModelMove, class_node: cst.ClassDef) -> None:
    """Edit the texts in the class that depend on the app that it is in.

    Names of other models get their app, and names in the database stay as they are.
    """
    old = move.source.label
    for node in source.nodes(cst.SimpleString):
        if class_node not in source.ancestors(node) or is_docstring(source, node):
            continue
        written, found = source.text(node), text_of(node)
        if found is None:
            continue
        if APP_LABEL in found:
            source.replace(node, written.replace(APP_LABEL, old.lower()))
        elif is_relation(source, node) and "." not in found:
            if found.lower() in move.source.models and found != class_node.name.value:
                source.replace(node, written.replace(found, f"{old}.{found}", 1))
        elif found == old and _is_app_label(source, node):
            source.replace(node, written.replace(old, move.target.label, 1))


def edit_class(written: str, move: ModelMove) -> str:
    """Return the text with the tables that the class has in the other app.

    Indexes keep the names that Django derives from the table as it is.

    Raises:
        CannotEdit: a table is computed.
    """
    name = move.model.__name__
    edited = edit_models(written.encode(), {name: table_edit(move)})
    editor = _IndexEditor([index.name for index in move.model._meta.indexes])
    module = cst.parse_module(edited)
    body = [
        editor.edit(statement)
        if isinstance(statement, cst.ClassDef) and statement.name.value == name
        else statement
        for statement in module.body
    ]
    return module.with_changes(body=body).code


def table_edit(move: ModelMove) -> ModelEdit:
    """Return the tables that the class has to name in the other app."""
    fields = {}
    for field in move.model._meta.local_many_to_many:
        given = getattr(field, "db_table", None)
        if given:
            fields[field.name] = move.tables[given]
    bases = move.model.__bases__
    inherited = [number for number, base in enumerate(bases) if hasattr(base, "Meta")]
    return ModelEdit(move.new_table, inherited[0] if inherited else None, fields)


class _IndexEditor:
    """Gives indexes without a name the one that they have."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def edit(self, model: Any) -> Any:
        for statement in model.body.body:
            if isinstance(statement, cst.ClassDef) and statement.name.value == "Meta":
                return model.deep_replace(statement, self._with_names(statement))
        return model

    def _with_names(self, meta: Any) -> Any:
        found = assignment(meta.body.body, "indexes")
        if found is None or not isinstance(found[1], cst.List | cst.Tuple):
            return meta
        items = found[1].elements
        if len(items) != len(self.names):
            raise CannotEdit("computes the indexes of the model, whose names have to stay")
        elements = [
            item.with_changes(value=with_keyword(item.value, "name", text(name)))
            if isinstance(item.value, cst.Call) and argument(item.value, "name", -1) is None
            else item
            for item, name in zip(items, self.names, strict=True)
        ]
        return meta.deep_replace(found[1], found[1].with_changes(elements=elements))


def _is_app_label(source: ModuleSource, node: Any) -> bool:
    found = source.parent(node)
    return isinstance(found, cst.Assign) and any(
        isinstance(target.target, cst.Name) and target.target.value == "app_label"
        for target in found.targets
    )
