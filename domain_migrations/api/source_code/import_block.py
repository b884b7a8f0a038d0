"""The imports of a module: names are added and removed in the layout of isort and black."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from .module_source import Import, ModuleSource
from .source_style import Style, joined_sections, member_key, merged_names


@dataclass
class _Added:
    """A statement to add: its module, and names after ``from``; none for ``import``.

    One with a comment is not merged with others.
    """

    module: str
    names: list[str] = field(default_factory=list)
    comment: str = ""

    @property
    def is_from(self) -> bool:
        return bool(self.names)


class ImportBlock:
    """Collects changes of a module's imports; ``finish`` makes edits of them."""

    def __init__(self, source: ModuleSource, style: Style) -> None:
        self.source, self.style = source, style
        self._removed: dict[int, tuple[Any, list[Any]]] = {}
        self._added: list[_Added] = []
        self._typing: list[str] = []
        self._below: list[str] = []
        self._nested: dict[int, list[str]] = {}

    def remove(self, item: Import) -> None:
        """Remove a name; its statement goes with its last one."""
        _, aliases = self._removed.setdefault(id(item.statement), (item.statement, []))
        if item.alias not in aliases:
            aliases.append(item.alias)

    def replace(self, item: Import, statement: str) -> None:
        """Put a statement, of one line, in the place of an import that is not a global one."""
        self.remove(item)
        self.add_after(item, statement)

    def add_after(self, item: Import, statement: str) -> None:
        """Add a statement, of one line, after an import."""
        self._removed.setdefault(id(item.statement), (item.statement, []))
        lines = self._nested.setdefault(id(item.statement), [])
        if statement and statement not in lines:
            lines.append(statement)

    def add(self, module: str, name: str = "", asname: str = "", *, comment: str = "") -> None:
        """Add ``from module import name``, or ``import module`` without a name."""
        suffix = f" as {asname}" if asname else ""
        if not name:
            self._added.append(_Added(f"{module}{suffix}"))
            return
        found = next(
            (
                item
                for item in self._added
                if item.is_from and (item.module, item.comment) == (module, comment)
            ),
            None,
        )
        if found is None:
            found = _Added(module, comment=comment)
            self._added.append(found)
        if f"{name}{suffix}" not in found.names:
            found.names.append(f"{name}{suffix}")

    def add_for_typing(self, statement: str) -> None:
        """Add an import statement to the block of those for type checkers."""
        if statement not in self._typing:
            self._typing.append(statement)

    def add_below(self, statement: str) -> None:
        """Add another statement, of one line, below the imports."""
        if statement not in self._below:
            self._below.append(statement)

    def finish(self) -> None:
        typing_block = self._typing_block() if self._typing else None
        if self._typing and typing_block is None:
            self.add("typing", "TYPE_CHECKING")
        additions: dict[int, list[str]] = {}
        new = []
        for item in self._added:
            existing = self._existing(item)
            if existing is None:
                new.append(item)
            else:
                additions.setdefault(id(existing), []).extend(item.names)
                self._removed.setdefault(id(existing), (existing, []))
        gone = set()
        for key, (statement, aliases) in self._removed.items():
            added = additions.get(key, [])
            if not added and len(aliases) == len(statement.names) and not self._nested.get(key):
                gone.add(key)
                continue
            self._rewrite(statement, aliases, added, self._nested.get(key, []))
        places = self._insert(new, gone)
        if self._below:
            place = self._end(gone)
            places.add(place)
            self.source.insert(place, "\n" + "".join(f"{line}\n" for line in self._below))
        for key in gone:
            self._delete(self._removed[key][0], places)
        if self._typing:
            self._insert_typing(typing_block, gone)

    # Existing statements

    def _existing(self, item: _Added) -> Any:
        """Return the statement that imports from the same module, if it can take more names."""
        if not item.is_from or item.comment:
            return None
        for line in self.source.import_lines():
            statement = line.body[0]
            if (
                isinstance(statement, cst.ImportFrom)
                and not isinstance(statement.names, cst.ImportStar)
                and self._module(statement) == item.module
            ):
                return statement
        return None

    def _module(self, statement: Any) -> str:
        """Return the module of an import statement as it is spelled."""
        if isinstance(statement, cst.ImportFrom):
            name = cst.Module([]).code_for_node(statement.module) if statement.module else ""
            return "." * len(statement.relative) + name
        return str(statement.names[0].evaluated_name)

    def _rewrite(
        self, statement: Any, removed: Collection[Any], added: list[str], after: list[str]
    ) -> None:
        source = self.source
        kept = [alias for alias in statement.names if alias not in removed]
        names = [source.text(alias) for alias in kept]
        start, end = source.span(statement)
        indent = source.data[source.line_start(start) : start].decode()
        indent = indent if not indent.strip() else ""
        text = source.text(statement)
        if not names and not added:
            source.replace(statement, f"\n{indent}".join(after))
            return
        if after:
            source.insert(end, "".join(f"\n{indent}{line}" for line in after))
        if "#" in text:
            self._edit_lines(statement, removed, added, indent)
            return
        if isinstance(statement, cst.Import):
            source.replace_span(start, end, f"import {', '.join(names)}")
            return
        exploded = bool(re.search(r",\s*\)$", text)) and "\n" in text
        source.replace_span(
            start,
            end,
            self.style.from_import(
                self._module(statement), merged_names(names, added), indent, exploded=exploded
            ),
        )

    def _edit_lines(
        self, statement: Any, removed: Collection[Any], added: list[str], indent: str
    ) -> None:
        """Edit a statement with comments name by name."""
        source = self.source
        for alias in removed:
            start, end = source.span(alias)
            first, last = source.line_start(start), source.line_end(end)
            rest = source.data[end:last].partition(b"#")[0].strip(b" \t\r\n,")
            if not rest and not source.data[first:start].strip():
                source.replace_span(first, last, "")
            else:
                comma = re.match(rb"\s*,[ \t]*", source.data[end:])
                source.replace_span(start, end + (comma.end() if comma else 0), "")
        if added:
            start, end = source.span(statement.names[-1])
            line = source.line_end(end)
            if b"\n" not in source.data[end : source.span(statement)[1]]:
                comma = re.match(rb"\s*,?", source.data[end:])
                place = end + (comma.end() if comma else 0)
                source.replace_span(end, place, ", " + ", ".join(added))
                return
            if not source.data[end:].lstrip().startswith(b","):
                source.insert(end, ",")
            source.insert(line, "".join(f"{indent}    {name},\n" for name in added))

    def _delete(self, statement: Any, kept_places: Collection[int]) -> None:
        source = self.source
        line = source.parent(statement)
        start, end = source.span(statement)
        if len(line.body) > 1:
            source.replace(statement, "pass")
            return
        holder = source.parent(line)
        if isinstance(holder, cst.IndentedBlock) and self._is_emptied(holder):
            self._delete_block(holder, statement)
            return
        first, last = source.line_start(start), source.line_end(end)
        before = source.data[: self._run_start(first)]
        is_apart = not before or before.endswith((b"\n\n", b"\n\r\n"))
        if is_apart and first not in kept_places and last not in kept_places:
            blank = re.match(rb"(?:[ \t]*\r?\n)", source.data[last:])
            last += blank.end() if blank else 0
        source.replace_span(first, last, "")

    def _run_start(self, place: int) -> int:
        """Return where the run of deleted statements right before a line begins."""
        spans = [
            self.source.span(statement)
            for statement, aliases in self._removed.values()
            if len(aliases) == len(statement.names)
        ]
        starts = {self.source.line_end(end): self.source.line_start(start) for start, end in spans}
        while place in starts:
            place = starts[place]
        return place

    def _is_emptied(self, block: Any) -> bool:
        return all(
            isinstance(line, cst.SimpleStatementLine)
            and all(
                id(small) in self._removed
                and len(self._removed[id(small)][1]) == len(getattr(small, "names", ()))
                for small in line.body
            )
            for line in block.body
        )

    def _delete_block(self, block: Any, statement: Any) -> None:
        """Delete ``if TYPE_CHECKING:`` without imports; another block is left with ``pass``."""
        source = self.source
        holder = source.parent(block)
        if not (isinstance(holder, cst.If) and source.is_for_typing(holder)):
            source.replace(statement, "pass")
            return
        start, end = source.span(holder)
        last = source.line_end(end)
        blank = re.match(rb"(?:[ \t]*\r?\n)*", source.data[last:])
        source.replace_span(source.line_start(start), last + (blank.end() if blank else 0), "")
        for item in source.imports():
            if item.origin == "typing.TYPE_CHECKING" and len(item.uses) == 1:
                self._rewrite_or_delete(item)

    def _rewrite_or_delete(self, item: Import) -> None:
        if len(item.statement.names) == 1:
            start, end = self.source.span(item.statement)
            self.source.replace_span(self.source.line_start(start), self.source.line_end(end), "")
        else:
            self._rewrite(item.statement, [item.alias], [], [])

    # New statements

    def _insert(self, new: list[_Added], gone: Collection[int]) -> set[int]:
        """Insert statements, and return the positions."""
        source, style = self.source, self.style
        lines = self._kept_lines(gone)
        keys = [
            style.sort_key(
                self._module(line.body[0]), is_from=isinstance(line.body[0], cst.ImportFrom)
            )
            for line in lines
        ]
        texts: dict[tuple[int, str], list[tuple[Any, str]]] = {}
        for item in new:
            key = style.sort_key(item.module.partition(" ")[0], is_from=item.is_from)
            text = (
                style.from_import(item.module, sorted(item.names, key=member_key))
                if item.is_from
                else f"import {item.module}"
            )
            text += f"  # {item.comment}" if item.comment else ""
            same = [number for number, other in enumerate(keys) if other[0] == key[0]]
            later = [number for number in same if keys[number] > key]
            if later:
                place, kind = source.comment_start(lines[later[0]]), "within"
            elif same:
                place, kind = source.line_end(source.span(lines[same[-1]])[1]), "within"
            else:
                following = [n for n, other in enumerate(keys) if other[0] > key[0]]
                if following:
                    place, kind = source.comment_start(lines[following[0]]), "before"
                elif lines:
                    place, kind = source.line_end(source.span(lines[-1])[1]), "after"
                else:
                    place, kind = self._beginning()
            texts.setdefault((place, kind), []).append((key, text))
        for (place, kind), found in texts.items():
            joined = joined_sections(sorted(found))
            if kind in {"after", "docstring"}:
                joined = f"\n{joined}"
            elif kind == "before":
                joined = f"{joined}\n"
            elif kind == "top" and source.data[place:].strip():
                joined = f"{joined}\n\n"
            source.insert(place, joined)
        return {place for place, _ in texts}

    def _beginning(self) -> tuple[int, str]:
        source = self.source
        statements = source.statements
        if lines := source.import_lines():  # all of them are deleted
            return source.line_start(source.span(lines[0])[0]), "within"
        if statements and source.module.get_docstring() is not None:
            return source.line_end(source.span(statements[0])[1]), "docstring"
        place = 0
        while source.data[place:].startswith(b"#"):
            place = source.line_end(place)
        return place, "top"

    def _kept_lines(self, gone: Collection[int]) -> list[Any]:
        return [line for line in self.source.import_lines() if id(line.body[0]) not in gone]

    def _end(self, gone: Collection[int]) -> int:
        """Return where the imports that the module begins with end."""
        lines = self._kept_lines(gone)
        if not lines:
            return self._beginning()[0]
        return self.source.line_end(self.source.span(lines[-1])[1])

    def _typing_block(self) -> Any:
        """Return the module's ``if TYPE_CHECKING:``, if it has one."""
        for statement in self.source.statements:
            if isinstance(statement, cst.If) and self.source.is_for_typing(statement):
                return statement
        return None

    def _insert_typing(self, block: Any, gone: Collection[int]) -> None:
        source = self.source
        indented = "".join(f"    {line}\n" for line in sorted(self._typing))
        if block is not None:
            source.insert(source.line_end(source.span(block.body)[1]), indented)
            return
        source.insert(self._end(gone), f"\nif TYPE_CHECKING:\n{indented}")
