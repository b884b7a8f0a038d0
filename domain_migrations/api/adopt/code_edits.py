"""Edits of the configs of apps that keep comments and formatting, made with libcst."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import libcst as cst

from ..source_code.syntax import (
    CannotEdit,
    appended,
    as_block,
    assignment,
    is_pass,
    last_name,
)

DOMAINS = "domain_migrations.domains"
CONFIG, PLAIN_CONFIG = "DomainConfig", "AppConfig"


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
