"""Edits of migrations that keep comments and formatting, made with libcst."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from ...engine.sources.parsing import FORMER
from ..source_code.syntax import (
    CannotEdit,
    argument,
    assignment,
    last_name,
    require_text,
    separator,
    text,
    text_of,
    with_item,
    with_keyword,
)

FORMS = {
    "AddField": ("field", 2),
    "AlterField": ("field", 2),
    "AddFieldIfMissing": ("field", 2),
}
"""Operations with a field, and the name and position of the argument."""


@dataclass(frozen=True)
class OperationEdit:
    """The tables of an operation in a migration.

    Attributes:
        kind: the class's name, with which the source has to agree.
        db_table: of a ``CreateModel`` or an ``AlterModelTable``; None for none.
        fields: many-to-many field → the name of its table.
        then: the model and the table of an ``AlterModelTable`` to insert after it.
    """

    kind: str
    db_table: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    then: tuple[str, str] | None = None


Place = tuple[int | str, ...]
"""Positions in lists of operations, and the arguments of the operations that have such lists."""


def edit_migration(source: bytes, edits: Mapping[Place, OperationEdit]) -> bytes:
    """Return the source of a migration with the tables of its operations.

    Raises:
        CannotEdit: the operations are computed, or a name is.
    """
    editor = _MigrationEditor(edits)
    edited = cst.parse_module(source).visit(editor)
    if missing := edits.keys() - editor.seen:
        kind = edits[min(missing, key=str)].kind
        raise CannotEdit(f"computes the operation {kind}, which has to name its table")
    if editor.needs_import:
        from libcst.codemod import CodemodContext
        from libcst.codemod.visitors import AddImportsVisitor

        context = CodemodContext()
        AddImportsVisitor.add_needed_import(context, "django.db.migrations", "AlterModelTable")
        edited = AddImportsVisitor(context).transform_module(edited)
    return edited.bytes


def add_former_dependencies(source: bytes, labels: Collection[str]) -> bytes:
    """Return the source of a migration that declares the apps former dependencies.

    Raises:
        CannotEdit: it has no class ``Migration``, or computes them.
    """
    editor = _FormerEditor(labels)
    edited = cst.parse_module(source).visit(editor)
    if not editor.found:
        raise CannotEdit("has no class Migration")
    return edited.bytes


class _FormerEditor(cst.CSTTransformer):
    def __init__(self, labels: Collection[str]) -> None:
        super().__init__()
        self.labels, self.found = sorted(labels), False

    def leave_ClassDef(  # noqa: N802
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> Any:
        if updated_node.name.value != "Migration":
            return updated_node
        self.found = True
        node = updated_node
        statements: list[Any] = list(node.body.body)
        labels = self.labels
        old = assignment(statements, FORMER)
        if old is not None:
            if not isinstance(old[1], cst.List | cst.Tuple):
                raise CannotEdit(f"computes {FORMER}")
            known = {text_of(element.value) for element in old[1].elements}
            labels = sorted({*labels, *(label for label in known if label)})
        written = ", ".join(f'"{label}"' for label in labels)
        line: Any = cst.parse_statement(f"{FORMER} = [{written}]\n")
        if old is not None:
            statements[old[0]] = line.with_changes(leading_lines=statements[old[0]].leading_lines)
        else:
            declared = assignment(statements, "dependencies")
            statements.insert(declared[0] + 1 if declared else 0, line)
        return node.with_changes(body=node.body.with_changes(body=statements))


class _MigrationEditor(cst.CSTTransformer):
    def __init__(self, edits: Mapping[Place, OperationEdit]) -> None:
        super().__init__()
        self.edits = edits
        self.seen: set[Place] = set()
        self.needs_import = False

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:  # noqa: N802
        return node.name.value == "Migration"

    def leave_ClassDef(  # noqa: N802
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.ClassDef:
        if updated_node.name.value != "Migration":
            return updated_node
        statements = list(updated_node.body.body)
        found = assignment(statements, "operations")
        if found is not None and isinstance(found[1], cst.List | cst.Tuple):
            place, operations = found
            statements[place] = statements[place].deep_replace(
                operations, self._edited_list(operations, ())
            )
        return updated_node.with_changes(body=updated_node.body.with_changes(body=statements))

    def _edited_list(self, operations: Any, place: Place) -> Any:
        elements: list[Any] = []
        inserted: list[int] = []
        for number, element in enumerate(operations.elements):
            if isinstance(element, cst.StarredElement):
                return operations  # What follows has other positions when it runs.
            call = element.value
            if isinstance(call, cst.Call):
                call = self._edited_call(call, (*place, number))
            elements.append(element.with_changes(value=call))
            edit = self.edits.get((*place, number))
            if edit is not None and edit.then is not None and (*place, number) in self.seen:
                inserted.append(len(elements))
                elements.append(cst.Element(self._alter_table(call.func, *edit.then)))
        for number in inserted:
            before = elements[number - 1]
            comma = separator(elements[: number - 1], operations.lbracket.whitespace_after)
            elements[number] = elements[number].with_changes(comma=before.comma)
            elements[number - 1] = before.with_changes(comma=comma)
        return operations.with_changes(elements=elements)

    def _edited_call(self, call: Any, place: Place) -> Any:
        kind = last_name(call.func)
        if kind == "SeparateDatabaseAndState":
            for name, position in (("database_operations", 0), ("state_operations", 1)):
                value = argument(call, name, position)
                if isinstance(value, cst.List | cst.Tuple):
                    call = call.deep_replace(value, self._edited_list(value, (*place, name)))
            return call
        edit = self.edits.get(place)
        if edit is None or edit.kind != kind:
            return call
        self.seen.add(place)
        if edit.fields:
            call = _with_field_tables(call, kind, edit.fields)
        if edit.db_table is None:
            return call
        if kind == "AlterModelTable":
            old = argument(call, "table", 1)
            if old is None:
                return with_keyword(call, "table", text(edit.db_table))
            if last_name(old) != "None":
                require_text(old, "computes the table of an AlterModelTable")
            return call.deep_replace(old, text(edit.db_table))
        options = argument(call, "options", 2)
        if options is None:
            return with_keyword(
                call, "options", cst.parse_expression(f'{{"db_table": {edit.db_table!r}}}')
            )
        if not isinstance(options, cst.Dict):
            raise CannotEdit("computes the options of a CreateModel")
        return call.deep_replace(options, with_item(options, "db_table", edit.db_table))

    def _alter_table(self, rename: Any, model: str, table: str) -> Any:
        function: Any
        if isinstance(rename, cst.Attribute):
            function = rename.with_changes(attr=cst.Name("AlterModelTable"))
        else:
            function, self.needs_import = cst.Name("AlterModelTable"), True
        call = cst.parse_expression(f"f(name={model!r}, table={table!r})")
        return call.with_changes(func=function)


def _with_field_tables(call: Any, kind: str, tables: Mapping[str, str]) -> Any:
    if kind in FORMS:
        field_call = argument(call, *FORMS[kind])
        if not isinstance(field_call, cst.Call):
            raise CannotEdit(f"computes the field of an {kind}")
        (table,) = tables.values()
        return call.deep_replace(field_call, with_keyword(field_call, "db_table", text(table)))
    fields = argument(call, "fields", 1)
    for name, table in tables.items():
        found = [
            pair.elements[1].value
            for element in getattr(fields, "elements", ())
            if isinstance(pair := element.value, cst.Tuple)
            and len(pair.elements) == 2
            and text_of(pair.elements[0].value) == name
        ]
        if not found or not isinstance(found[0], cst.Call):
            raise CannotEdit(f"computes the field {name} of a CreateModel")
        call = call.deep_replace(found[0], with_keyword(found[0], "db_table", text(table)))
    return call
