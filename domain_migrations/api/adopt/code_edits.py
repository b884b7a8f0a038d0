"""Edits of models and configs of apps that keep comments and formatting, made with libcst."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from ..source_code.syntax import (
    CannotEdit,
    appended,
    as_block,
    assignment,
    is_pass,
    last_name,
    require_text,
    text,
    with_keyword,
)

DOMAINS = "domain_migrations.domains"
CONFIG, PLAIN_CONFIG = "DomainConfig", "AppConfig"


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


def edit_config(source: bytes, name: str, values: Mapping[str, str]) -> bytes:
    """Return the source in which an ``AppConfig`` is a ``DomainConfig`` with these attributes.

    Raises:
        CannotEdit: the class is not in the source.
    """
    from libcst.codemod import CodemodContext
    from libcst.codemod.visitors import AddImportsVisitor, RemoveImportsVisitor

    context = CodemodContext()
    editor = _ConfigEditor(name, values)
    edited = cst.parse_module(source).visit(editor)
    if not editor.found:
        raise CannotEdit(f"does not define the class {name}")
    code, plain = edited.code, f"from django.apps import {PLAIN_CONFIG}"
    if f"\n{plain}\n" in f"\n{code}" and code.count(PLAIN_CONFIG) == 1:
        own = f"from {DOMAINS} import {CONFIG}"
        return code.replace(plain, own, 1).encode(edited.encoding)
    AddImportsVisitor.add_needed_import(context, DOMAINS, CONFIG)
    RemoveImportsVisitor.remove_unused_import(context, "django.apps", PLAIN_CONFIG)
    edited = AddImportsVisitor(context).transform_module(edited)
    return RemoveImportsVisitor(context).transform_module(edited).bytes


class _ModelEditor(cst.CSTTransformer):
    def __init__(self, edits: Mapping[str, ModelEdit]) -> None:
        super().__init__()
        self.edits = edits
        self.names: list[str] = []
        self.seen: set[str] = set()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # noqa: N802
        return False

    def visit_ClassDef(self, node: cst.ClassDef) -> None:  # noqa: N802
        self.names.append(node.name.value)

    def leave_ClassDef(  # noqa: N802
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> Any:
        name = ".".join(self.names)
        self.names.pop()
        edit = self.edits.get(name)
        if edit is None:
            return updated_node
        self.seen.add(name)
        node = as_block(updated_node)
        statements = list(node.body.body)
        for attribute, table in edit.fields.items():
            _set_field_table(statements, attribute, table, name)
        _set_meta_table(statements, edit, node, name)
        return node.with_changes(body=node.body.with_changes(body=statements))


def _set_meta_table(statements: list[Any], edit: ModelEdit, model: cst.ClassDef, name: str) -> None:
    line = cst.parse_statement(f"db_table = {edit.db_table!r}\n")
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
    meta = cst.parse_statement(f"class Meta{base}:\n    db_table = {edit.db_table!r}\n")
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


class _ConfigEditor(cst.CSTTransformer):
    def __init__(self, name: str, values: Mapping[str, str]) -> None:
        super().__init__()
        self.name, self.values, self.found = name, values, False

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:  # noqa: N802
        return node.name.value == self.name

    def leave_ClassDef(  # noqa: N802
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> Any:
        if updated_node.name.value != self.name:
            return updated_node
        self.found = True
        node = as_block(updated_node)
        own = cst.Name(CONFIG)
        plain = [n for n, base in enumerate(node.bases) if last_name(base.value) == PLAIN_CONFIG]
        bases = list(node.bases)
        if plain:
            bases[plain[0]] = bases[plain[0]].with_changes(value=own)
        else:
            bases = list(appended(bases, cst.Arg(own), None))
        statements = [item for item in node.body.body if not is_pass(item)]
        found = assignment(statements, "name")
        place = found[0] + 1 if found else int(node.get_docstring() is not None)
        for attribute, value in self.values.items():
            old = assignment(statements, attribute)
            line: Any = cst.parse_statement(f'{attribute} = "{value}"\n')
            if old is not None:
                statements[old[0]] = line.with_changes(
                    leading_lines=statements[old[0]].leading_lines
                )
            else:
                statements.insert(place, line)
                place += 1
        return node.with_changes(bases=bases, body=node.body.with_changes(body=statements))
