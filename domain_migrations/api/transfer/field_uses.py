"""Uses of foreign keys that become references, which people have to judge."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from django.apps import apps

from ...engine.sources.files import is_installed
from .by_hand import ByHand
from .key_conversions import KeyConversion

QUERY = "queries cannot follow the reference {new}: use {new}, and resolve() for the objects"
READ = "{old} returns the object as before, or None, with a query for each row"
REVERSE = "{target} has no {old} any more: query {model} by {new}"


TEXTS = ("verbose_name", "verbose_name_plural", "help_text", "db_table")
"""Arguments and attributes that may have the same text, and mean no field."""

NAME = "name"
"""Such an argument, of indexes and constraints."""


class _Use(NamedTuple):
    line: int
    text: str
    kind: str


@dataclass(frozen=True)
class FieldNames:
    """The names by which code uses a foreign key, from both sides.

    Attributes:
        accessor: the attribute of the other model; empty if it has none.
        query_name: the name in queries from the other model; empty if it has none.
    """

    conversion: KeyConversion
    accessor: str
    query_name: str

    @classmethod
    def of(cls, conversion: KeyConversion) -> FieldNames:
        field: Any = conversion.model._meta.get_field(conversion.field)
        relation = field.remote_field
        if relation.hidden:
            return cls(conversion, "", "")
        return cls(conversion, relation.get_accessor_name() or "", field.related_query_name())

    @property
    def models(self) -> tuple[str, str]:
        """The names of the model and of the other one."""
        return self.conversion.model.__name__, self.conversion.to.rpartition(".")[2]

    def reason(self, kind: str) -> str:
        model, target = self.models
        old = self.accessor if kind == REVERSE else self.conversion.field
        return kind.format(old=old, new=self.conversion.new_name, model=model, target=target)

    def uses(self, tree: ast.AST) -> Iterator[_Use]:
        """Yield the uses of the names in a module.

        The own fields of other models may have the same names.
        """
        for node, owner in _nodes(tree):
            for use in self._uses_in(node):
                is_path = "__" in use.text
                if is_path or use.kind == REVERSE or owner in ("", self.models[0]):
                    yield use

    def _uses_in(self, node: ast.AST) -> Iterator[_Use]:
        if isinstance(node, ast.Attribute):
            if node.attr == self.conversion.field:
                yield _Use(node.end_lineno or node.lineno, f".{node.attr}", READ)
            elif node.attr == self.accessor:
                yield _Use(node.end_lineno or node.lineno, f".{node.attr}", REVERSE)
        elif isinstance(node, ast.keyword) and node.arg and (kind := self._kind(node.arg)):
            yield _Use(node.lineno, f"{node.arg}=", kind)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and (kind := self._kind(node.value.removeprefix("-")))
        ):
            yield _Use(node.lineno, repr(node.value), kind)

    def _kind(self, path: str) -> str:
        """Return how a path of a query, such as ``request__company``, uses the field."""
        if not re.fullmatch(r"\w+", path):
            return ""
        parts = path.split("__")
        if self.conversion.field in parts:
            return QUERY
        return REVERSE if self.query_name and self.query_name in parts else ""


def _nodes(node: ast.AST, owner: str = "") -> Iterator[tuple[ast.AST, str]]:
    """Yield the nodes of a module without texts for people, and the model whose class has each."""
    if _is_text(node):
        return
    if isinstance(node, ast.ClassDef) and not owner and node.name in _model_names():
        owner = node.name
    yield node, owner
    for child in ast.iter_child_nodes(node):
        yield from _nodes(child, owner)


def _is_text(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign):
        return getattr(node.targets[0], "id", "") in TEXTS
    return isinstance(node, ast.keyword) and node.arg in (*TEXTS, NAME)


def _model_names() -> frozenset[str]:
    return frozenset(model.__name__ for model in apps.get_models())


def uses_of(
    conversions: Sequence[KeyConversion],
    folders: Iterable[Path],
    planned: Mapping[Path, bytes | None],
) -> Iterator[ByHand]:
    """Yield the lines that use the fields, of modules that name one of the two models.

    Longer paths of queries, such as ``request__company``, are found in any module. Migrations
    stay as they are.

    Arguments:
        folders: those of the project's apps.
        planned: the contents of the files that are edited, as they will be; None if deleted.
    """
    names = [FieldNames.of(each) for each in conversions]
    if not names:
        return
    paths = {path for folder in folders for path in folder.rglob("*.py")}
    paths = {path for path in paths | planned.keys() if path.suffix == ".py"}
    for path in sorted(paths):
        content = planned[path] if path in planned else path.read_bytes()
        if content is None or "migrations" in path.parts or is_installed(path):
            continue
        try:
            tree = ast.parse(content)
        except (SyntaxError, ValueError):
            continue  # Django reports a module that it cannot import.
        lines = content.decode("utf-8", "replace").splitlines()
        words = set(re.findall(r"\w+", content.decode("utf-8", "replace")))
        found = {
            (use.line, each.reason(use.kind))
            for each in names
            for use in each.uses(tree)
            if words.intersection(each.models) or "__" in use.text
        }
        for line, reason in sorted(found):
            yield ByHand(path, line, lines[line - 1].strip(), reason)
