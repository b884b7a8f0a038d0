"""The common part of edits within the bodies of classes, made with libcst."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import libcst as cst

from .syntax import as_block


class ClassEditor(cst.CSTTransformer, ABC):
    """Edits the bodies of a module's classes, by their qualified names; none in functions."""

    def __init__(self) -> None:
        super().__init__()
        self._names: list[str] = []

    @abstractmethod
    def edit_body(self, name: str, model: Any, statements: list[Any]) -> None:
        """Edit the statements of a class in place."""

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # noqa: N802
        return False

    def visit_ClassDef(self, node: cst.ClassDef) -> None:  # noqa: N802
        self._names.append(node.name.value)

    def leave_ClassDef(  # noqa: N802
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> Any:
        name = ".".join(self._names)
        self._names.pop()
        node = as_block(updated_node)
        statements = list(node.body.body)
        self.edit_body(name, node, statements)
        if statements == list(node.body.body):
            return updated_node
        return node.with_changes(body=node.body.with_changes(body=statements))
