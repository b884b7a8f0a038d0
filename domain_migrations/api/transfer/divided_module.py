"""The module that defines a model, divided into what moves with it and what stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

import libcst as cst
from libcst.metadata import ImportAssignment

from ..source_code.module_source import Import, ModuleSource
from ..source_code.syntax import CannotEdit


class Sharing(Enum):
    """What becomes of a definition that both the class and others use.

    What calls something, such as ``User = get_user_model()``, is copied in any case.
    """

    KEEP = "stays, and the class imports it"
    MOVE = "moves, and the others import it"
    COPY = "is copied, because neither may import the other"


@dataclass(frozen=True)
class Definition:
    """A statement of the module that defines names.

    Attributes:
        uses: name → the expressions in the module that use it.
    """

    statement: Any
    uses: dict[str, tuple[Any, ...]]

    @property
    def names(self) -> list[str]:
        return list(self.uses)


class DividedModule:
    """Finds out what a class needs of its module, and who else needs it.

    Arguments:
        name: the class's.
        is_model: whether a name of the module is that of a model with a table.
        is_used_elsewhere: whether another module uses a name of this one.
        sharing: what is done with what others use, too.

    Raises:
        CannotEdit: the class is not one of the module's own statements.
    """

    def __init__(
        self,
        source: ModuleSource,
        name: str,
        *,
        is_model: Callable[[str], bool],
        is_used_elsewhere: Callable[[str], bool],
        sharing: Sharing,
    ) -> None:
        self.source, self.name = source, name
        self._is_model, self._is_used_elsewhere = is_model, is_used_elsewhere
        self.sharing = sharing
        if name not in self._by_name or not isinstance(self._by_name[name].statement, cst.ClassDef):
            raise CannotEdit(f"does not define the class {name} outside of other statements")

    @property
    def model(self) -> Definition:
        return self._by_name[self.name]

    @cached_property
    def definitions(self) -> list[Definition]:
        """All statements that define names, without imports, in the order of the source."""
        found: dict[int, Definition] = {}
        for item in self.source.global_scope.assignments:
            node = getattr(item, "node", None)
            if node is None:
                continue
            statement = self.source.statement_of(node)
            if isinstance(item, ImportAssignment) and self.is_import(statement):
                continue
            definition = found.setdefault(id(statement), Definition(statement, {}))
            uses = {id(access.node): access.node for access in item.references}
            definition.uses[item.name] = tuple(
                sorted(uses.values(), key=lambda use: self.source.span(use)[0])
            )
        return sorted(found.values(), key=lambda item: self.source.span(item.statement)[0])

    def is_import(self, statement: Any) -> bool:
        """Return whether a statement is one of plain imports, maybe for type checkers only."""
        if isinstance(statement, cst.If):
            return self.source.is_for_typing(statement)
        return isinstance(statement, cst.SimpleStatementLine) and all(
            isinstance(small, cst.Import | cst.ImportFrom) for small in statement.body
        )

    @cached_property
    def removed(self) -> list[Definition]:
        """What leaves the module, the class included, in the order of the source."""
        gone = set(self._exclusive)
        if self.sharing is Sharing.MOVE:
            gone |= self._needed - self._copied_ids
        return self._ordered(gone)

    @cached_property
    def copied(self) -> list[Definition]:
        return [item for item in self.written if item not in self.removed]

    @cached_property
    def written(self) -> list[Definition]:
        """What is written where the class moves to, in the order of the source."""
        return self._ordered(
            self._reached({id(item.statement) for item in self.removed} | self._copied_ids)
        )

    @cached_property
    def kept_needs(self) -> list[tuple[str, tuple[Any, ...]]]:
        """The names that what is written uses and that are defined here only, with their uses."""
        return [
            (name, found)
            for item in self.definitions
            if item not in self.written
            for name, uses in item.uses.items()
            if (found := tuple(use for use in uses if self.is_written(use)))
        ]

    def needed_imports(self) -> Iterator[tuple[Import, tuple[Any, ...]]]:
        """Yield the imports that what is written uses, and their uses there."""
        for item in self.imports:
            if inside := tuple(use for use in item.uses if self.is_written(use)):
                yield item, inside

    @cached_property
    def imports(self) -> list[Import]:
        return [
            item
            for item in self.source.imports()
            if item.is_global and self.is_import(self.source.statement_of(item.statement))
        ]

    def is_written(self, node: Any) -> bool:
        return self._statement_id(node) in self._written_ids

    def is_removed(self, node: Any) -> bool:
        return self._statement_id(node) in self._removed_ids

    def is_written_line(self, line: int) -> bool:
        return any(line in self._lines(item) for item in self.written)

    def is_removed_line(self, line: int) -> bool:
        return any(line in self._lines(item) for item in self.removed)

    def _lines(self, definition: Definition) -> range:
        data = self.source.data
        start, end = self.span(definition)
        return range(data.count(b"\n", 0, start) + 1, data.count(b"\n", 0, end) + 1)

    def outer_uses(self, definition: Definition, name: str) -> tuple[Any, ...]:
        """Return the uses of a name by what stays."""
        return tuple(use for use in definition.uses[name] if not self.is_removed(use))

    def span(self, definition: Definition) -> tuple[int, int]:
        """Return where a statement begins and ends, with the comments that belong to it."""
        source = self.source
        end = source.line_end(source.span(definition.statement)[1])
        place = end
        while place < len(source.data):
            following = source.line_end(place)
            line = source.data[place:following]
            if line.strip() and line[:1] not in b" \t":
                break
            if line.strip():
                end = following
            place = following
        return source.comment_start(definition.statement), end

    @cached_property
    def _by_name(self) -> dict[str, Definition]:
        return {name: item for item in self.definitions for name in item.names}

    @cached_property
    def _removed_ids(self) -> set[int]:
        return {id(item.statement) for item in self.removed}

    @cached_property
    def _written_ids(self) -> set[int]:
        return {id(item.statement) for item in self.written}

    @cached_property
    def _copied_ids(self) -> set[int]:
        """Those of the needed statements that are copied, if what is written uses them."""
        shared = self._needed - self._exclusive
        if self.sharing is Sharing.COPY:
            return shared
        return {
            id(item.statement)
            for item in self._ordered(shared)
            if isinstance(item.statement, cst.SimpleStatementLine)
            and isinstance(getattr(item.statement.body[0], "value", None), cst.Call)
        }

    @cached_property
    def _needed(self) -> set[int]:
        """The statements that the class needs, itself included, by their identities."""
        return self._reached(
            {
                id(item.statement)
                for item in self.definitions
                if item is self.model or not any(map(self._is_model, item.names))
            }
        )

    def _reached(self, within: set[int]) -> set[int]:
        """Return the statements that the class needs by way of others like them."""
        found: set[int] = set()
        pending = [self.model]
        while pending:
            item = pending.pop()
            found.add(id(item.statement))
            pending += [
                other
                for other in self.definitions
                if id(other.statement) in within - found
                and any(
                    self._statement_id(use) == id(item.statement)
                    for uses in other.uses.values()
                    for use in uses
                )
            ]
        return found

    @cached_property
    def _exclusive(self) -> set[int]:
        """Those of the needed statements that nothing else needs."""
        found = set(self._needed)
        while True:
            shared = {
                id(item.statement)
                for item in self.definitions
                if id(item.statement) in found
                and item is not self.model
                and self._is_shared(item, found)
            }
            if not shared:
                return found
            found -= shared

    def _is_shared(self, item: Definition, exclusive: set[int]) -> bool:
        return any(
            self._statement_id(use) not in {*exclusive, id(item.statement)}
            for uses in item.uses.values()
            for use in uses
        ) or any(map(self._is_used_elsewhere, item.names))

    def _ordered(self, identities: set[int]) -> list[Definition]:
        return [item for item in self.definitions if id(item.statement) in identities]

    def _statement_id(self, node: Any) -> int:
        return id(self.source.statement_of(node))
