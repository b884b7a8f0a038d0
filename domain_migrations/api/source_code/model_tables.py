"""The tables of model classes in their source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from .class_editor import ClassEditor
from .syntax import (
    CannotEdit,
    as_block,
    assignment,
    is_pass,
    require_text,
    text,
    with_keyword,
)


@dataclass(frozen=True)
class ModelEdit:
    """The tables of a model class.

    Attributes:
        db_table: as Django spells it.
        meta_base: the position of the base class whose ``Meta`` the model inherits.
        fields: many-to-many field → the name of its table.
    """

    db_table: str
    meta_base: int | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


def edit_models(source: bytes, edits: Mapping[str, ModelEdit]) -> bytes:
    """Return the source with the tables of model classes, by their qualified names.

    Raises:
        CannotEdit: a class or a field is not in the source, or its table is computed.
    """
    module = cst.parse_module(source)
    editor = _ModelEditor(edits)
    edited = module.visit(editor)
    if missing := edits.keys() - editor.seen:
        raise CannotEdit(f"does not define the class {min(missing)}")
    return edited.bytes


class _ModelEditor(ClassEditor):
    def __init__(self, edits: Mapping[str, ModelEdit]) -> None:
        super().__init__()
        self.edits = edits
        self.seen: set[str] = set()

    def edit_body(self, name: str, model: Any, statements: list[Any]) -> None:
        edit = self.edits.get(name)
        if edit is None:
            return
        self.seen.add(name)
        for attribute, table in edit.fields.items():
            _set_field_table(statements, attribute, table, name)
        _set_meta_table(statements, edit, model, name)


def _set_meta_table(statements: list[Any], edit: ModelEdit, model: cst.ClassDef, name: str) -> None:
    line = cst.parse_statement(f"db_table = {text(edit.db_table).value}\n")
    for number, statement in enumerate(statements):
        if isinstance(statement, cst.ClassDef) and statement.name.value == "Meta":
            meta = as_block(statement)
            lines = [item for item in meta.body.body if not is_pass(item)]
            found = assignment(lines, "db_table")
            if found is None:
                lines.append(line)
            else:
                place, old = found
                require_text(old, f"computes db_table of {name}")
                lines[place] = lines[place].deep_replace(old, text(edit.db_table))
            statements[number] = meta.with_changes(body=meta.body.with_changes(body=lines))
            return
    base = ""
    if edit.meta_base is not None:
        if edit.meta_base >= len(model.bases):
            raise CannotEdit(f"does not show the base classes of {name}")
        base = f"({cst.Module([]).code_for_node(model.bases[edit.meta_base].value)}.Meta)"
    statements[:] = [item for item in statements if not is_pass(item)]
    place = next(
        (n for n, item in enumerate(statements) if isinstance(item, cst.FunctionDef)),
        len(statements),
    )
    meta = cst.parse_statement(f"class Meta{base}:\n    db_table = {text(edit.db_table).value}\n")
    if place:
        meta = meta.with_changes(leading_lines=[cst.EmptyLine(indent=False)])
    statements.insert(place, meta)
    if place + 1 < len(statements):
        following = statements[place + 1]
        lines = following.leading_lines
        if not lines or lines[0].comment is not None:
            statements[place + 1] = following.with_changes(
                leading_lines=[cst.EmptyLine(indent=False), *lines]
            )


def _set_field_table(statements: list[Any], attribute: str, table: str, name: str) -> None:
    found = assignment(statements, attribute)
    if found is None or not isinstance(found[1], cst.Call):
        raise CannotEdit(f"does not define {name}.{attribute}, whose table has to be named")
    place, call = found
    statements[place] = statements[place].deep_replace(
        call, with_keyword(call, "db_table", text(table))
    )
