"""A Python module's source: its names, their places, and edits of its text."""

from __future__ import annotations

import builtins
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import libcst as cst
from libcst.metadata import (
    ByteSpanPositionProvider,
    GlobalScope,
    ImportAssignment,
    MetadataWrapper,
    ParentNodeProvider,
    ScopeProvider,
)

from .syntax import CannotEdit

Node = TypeVar("Node", bound=cst.CSTNode)


@dataclass(frozen=True)
class Import:
    """A name that an import statement binds.

    Attributes:
        statement: the ``Import`` or ``ImportFrom``.
        bound: the name in the module, dotted after ``import a.b``.
        origin: the absolute dotted path of what it is bound to.
        is_global: whether the name is a module-level one.
        uses: the expressions that use it: names, attributes, and texts of annotations.
    """

    statement: Any
    alias: Any
    bound: str
    origin: str
    is_global: bool
    uses: tuple[Any, ...]


class ModuleSource:
    """A module's source.

    Positions are offsets in its text in UTF-8. Edits are collected; where one is within another,
    the outer one counts.

    Arguments:
        name: the module's dotted name.

    Raises:
        CannotEdit: the source cannot be parsed.
    """

    def __init__(self, content: bytes, name: str, *, is_package: bool = False) -> None:
        try:
            self.module = cst.parse_module(content)
        except cst.ParserSyntaxError as exc:
            raise CannotEdit(f"cannot be parsed: {exc.message}") from exc
        self.name = name
        self.package = name if is_package else name.rpartition(".")[0]
        self.data = self.module.code.encode()
        wrapper = MetadataWrapper(self.module, unsafe_skip_copy=True)
        found: Any = wrapper.resolve_many(
            [ByteSpanPositionProvider, ScopeProvider, ParentNodeProvider]
        )
        self._spans = found[ByteSpanPositionProvider]
        self._scopes = found[ScopeProvider]
        self._parents = found[ParentNodeProvider]
        self._edits: list[tuple[int, int, str]] = []

    # Positions

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        span = self._spans[node]
        return span.start, span.start + span.length

    def text(self, node: cst.CSTNode) -> str:
        start, end = self.span(node)
        return self.data[start:end].decode()

    def line(self, node: cst.CSTNode) -> int:
        return self.data.count(b"\n", 0, self.span(node)[0]) + 1

    def line_start(self, position: int) -> int:
        return self.data.rfind(b"\n", 0, position) + 1

    def line_end(self, position: int) -> int:
        """Return the end of a position's line, after the line break."""
        found = self.data.find(b"\n", position)
        return len(self.data) if found < 0 else found + 1

    def comment_start(self, line: cst.CSTNode) -> int:
        """Return where a statement's line begins, with the comments right above it."""
        place = self.line_start(self.span(line)[0])
        while place:
            above = self.line_start(place - 1)
            if not self.data[above:place].lstrip().startswith(b"#"):
                break
            place = above
        return place

    # Nodes

    def parent(self, node: cst.CSTNode) -> Any:
        return self._parents.get(node)

    def ancestors(self, node: cst.CSTNode) -> Iterator[Any]:
        while (found := self.parent(node)) is not None:
            yield found
            node = found

    def nodes(self, kind: type[Node]) -> list[Node]:
        """Return all nodes of a kind, in the order of the source."""
        found = [node for node in self._parents if isinstance(node, kind)]
        return sorted(found, key=lambda node: self.span(node)[0])

    @property
    def statements(self) -> list[Any]:
        """The module's own statements."""
        return list(self.module.body)

    def import_lines(self) -> list[Any]:
        """Return the lines of imports that the module begins with."""
        found = []
        for number, line in enumerate(self.statements):
            small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
            if isinstance(small, cst.Import | cst.ImportFrom):
                found.append(line)
            elif number or not isinstance(small, cst.Expr):
                break
        return found

    def statement_of(self, node: cst.CSTNode) -> Any:
        """Return the module's own statement that a node is in."""
        found = node
        for ancestor in self.ancestors(node):
            if ancestor is self.module:
                break
            found = ancestor
        return found

    def is_for_typing(self, statement: cst.If) -> bool:
        """Return whether only type checkers see what is in the statement."""
        return statement.orelse is None and "TYPE_CHECKING" in self.text(statement.test)

    # Names

    @property
    def global_scope(self) -> Any:
        return next(
            (scope for scope in self._scopes.values() if isinstance(scope, GlobalScope)), None
        )

    def global_names(self) -> set[str]:
        scope = self.global_scope
        return {item.name.partition(".")[0] for item in scope.assignments} if scope else set()

    def absolute(self, statement: cst.ImportFrom) -> str:
        """Return the absolute dotted name of the module that is imported from."""
        dots = "." * len(statement.relative)
        name = cst.Module([]).code_for_node(statement.module) if statement.module else ""
        if not dots:
            return name
        try:
            return importlib.util.resolve_name(dots + name, self.package or None)
        except ImportError:
            return dots + name

    def imports(self) -> list[Import]:
        """Return all names that imports bind, in the order of the source."""
        found = []
        seen = set()
        for scope in set(self._scopes.values()):
            for item in scope.assignments if scope else ():
                if not isinstance(item, ImportAssignment):
                    continue
                alias = _alias_of(item)
                if alias is None or (id(alias), item.name) in seen:
                    continue
                seen.add((id(alias), item.name))
                found.append(self._import(item, alias, scope))
        return sorted(found, key=lambda item: self.span(item.alias)[0])

    def _import(self, item: Any, alias: Any, scope: Any) -> Import:
        statement = item.node
        if isinstance(statement, cst.ImportFrom):
            origin = f"{self.absolute(statement)}.{alias.evaluated_name}"
        else:
            origin = alias.evaluated_name if alias.asname else item.name
        uses = {id(access.node): access.node for access in item.references}
        ordered = sorted(uses.values(), key=lambda node: self.span(node)[0])
        return Import(
            statement, alias, item.name, origin, isinstance(scope, GlobalScope), tuple(ordered)
        )

    def dotted_uses(self, item: Import, path: str) -> list[Any]:
        """Return the expressions by which an import's name leads to a dotted path."""
        found = []
        for use in item.uses:
            node, ended = use, False
            while not ended:
                if _dotted(node) and f"{item.origin}{_dotted(node)[len(item.bound) :]}" == path:
                    found.append(node)
                    break
                outer = self.parent(node)
                ended = not isinstance(outer, cst.Attribute) or outer.value is not node
                node = outer
        return found

    def star_imports(self) -> list[str]:
        """Return the modules from which everything is imported."""
        return [
            self.absolute(statement)
            for statement in self.nodes(cst.ImportFrom)
            if isinstance(statement.names, cst.ImportStar)
        ]

    def unknown_uses(self, name: str) -> tuple[Any, ...]:
        """Return the uses of a name that nothing in the module binds."""
        return tuple(
            node
            for node in self.nodes(cst.Name)
            if node.value == name
            and self._is_expression(node)
            and (scope := self._scopes.get(node)) is not None
            and not scope[name]
        )

    def unbound_names(self, within: Callable[[Any], bool]) -> set[str]:
        """Return the names in some of the nodes that nothing in the module or in Python binds."""
        names = {
            node.value
            for node in self.nodes(cst.Name)
            if self._is_expression(node) and within(node)
        }
        return {
            name
            for name in names - set(dir(builtins)) - self.global_names()
            if any(map(within, self.unknown_uses(name)))
        }

    def _is_expression(self, node: cst.Name) -> bool:
        parent = self.parent(node)
        return not (
            isinstance(parent, cst.ImportAlias | cst.Param | cst.AsName)
            or (isinstance(parent, cst.Attribute) and parent.attr is node)
            or (isinstance(parent, cst.Arg) and parent.keyword is node)
        )

    # Edits

    def replace(self, node: cst.CSTNode, text: str) -> None:
        self.replace_span(*self.span(node), text)

    def replace_span(self, start: int, end: int, text: str) -> None:
        self._edits.append((start, end, text))

    def insert(self, position: int, text: str) -> None:
        self._edits.append((position, position, text))

    @property
    def is_edited(self) -> bool:
        return bool(self._edits)

    def edited_text(self, start: int = 0, end: int | None = None) -> str:
        """Return the text, or a part of it, with the edits and the module's own line breaks."""
        parts, place = [], start
        stop = len(self.data) if end is None else end
        newline = self.module.default_newline
        for first, last, text in sorted(self._edits, key=_edit_order):
            if first < place or last > stop:
                continue
            written = text.replace("\r\n", "\n").replace("\n", newline)
            parts += [self.data[place:first], written.encode()]
            place = last
        return b"".join([*parts, self.data[place:stop]]).decode()

    def encode(self, text: str) -> bytes:
        """Return the text in the module's encoding.

        Raises:
            CannotEdit: the encoding lacks a character.
        """
        try:
            return text.encode(self.module.encoding)
        except UnicodeEncodeError as exc:
            character = text[exc.start : exc.end]
            raise CannotEdit(
                f"moves {character!r} to {self.name}, whose encoding, {exc.encoding}, lacks it"
            ) from exc


def _edit_order(edit: tuple[int, int, str]) -> tuple[int, bool, int]:
    """Return the key that puts insertions first, and outer edits before inner ones."""
    start, end, _ = edit
    return start, end > start, -end


def _alias_of(item: ImportAssignment) -> Any:
    statement: Any = item.node
    names = statement.names
    if isinstance(names, cst.ImportStar):
        return None
    for alias in names:
        bound = alias.evaluated_alias or alias.evaluated_name
        if bound == item.name or (alias.asname is None and bound.startswith(f"{item.name}.")):
            return alias
    return None


def _dotted(node: Any) -> str:
    """Return a name or an attribute of names as dotted text; empty for other expressions."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute) and (inner := _dotted(node.value)):
        return f"{inner}.{node.attr.value}"
    return ""
