"""The text of a function, in which the names of moved objects are replaced where that is certain.

PostgreSQL looks such names up whenever the text runs. A word of a text is a relation, a type or a
function only in certain positions; anywhere else it is a column, an alias or a variable, which
keeps its name. Where the position is not known, the text is not changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ....domains import QualifiedName
from ...sql.lexer import Token, tokens
from .text_positions import (
    CLAUSES,
    ENDS_OF_RELATION,
    NAME_FUNCTIONS,
    REG_TYPES,
    TextPositions,
)

Kind = Literal["relation", "type", "function"]

EXECUTES = re.compile(
    r"\b(?:execute|dblink\w*|query_to_xml\w*|cursor_to_xml\w*|pg_background_\w+)\b", re.IGNORECASE
)
PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_$]*")


class Renamed(NamedTuple):
    """An object that texts may name, and its name afterwards."""

    kind: Kind
    old: QualifiedName
    new: QualifiedName


class Uncertain(NamedTuple):
    """A place in a text that may name an object, and may not.

    Attributes:
        line: its number, from 1.
        text: the line.
    """

    line: int
    text: str


@dataclass
class FunctionText:
    """A text, with the places where names are to be replaced.

    Arguments:
        body: the text.
        names: what is moved.
        finds_unqualified: whether a name without a schema means what is moved.
        runs_text: whether the function runs SQL that is in strings.
    """

    body: str
    names: Sequence[Renamed]
    finds_unqualified: bool
    runs_text: bool | None = None
    uncertain: list[Uncertain] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.by_name: Mapping[str, list[Renamed]] = {}
        for item in self.names:
            self.by_name = {
                **self.by_name,
                item.old.name: [*self.by_name.get(item.old.name, []), item],
            }
        if self.runs_text is None:
            self.runs_text = EXECUTES.search(self.body) is not None
        self.found = [token for token in tokens(self.body) if not token.is_blank]
        self.places = TextPositions(self.found)
        self._at = self.places.at
        self.edits: list[tuple[int, int, str]] = []

    def replaced(self) -> str:
        """Return the text with the new names; ``uncertain`` has the places that were left."""
        for at, token in enumerate(self.found):
            if token.kind == "string":
                self._read_string(at)
            elif token.is_name and token.text in self.by_name:
                self._read_name(at)
        text = self.body
        for start, end, new in sorted(self.edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def _read_name(self, at: int) -> None:
        token, before = self.found[at], self._at(at - 1)
        if before.is_operator("."):
            schema = self._at(at - 2)
            for item in self.by_name[token.text]:
                wanted = schema.is_name and schema.text == item.old.schema
                if wanted and not self._at(at - 3).is_operator(".") and self._is_kind(at, item):
                    self._replace(schema.start, token.end, at, item)
                    return
            return
        if not self.finds_unqualified:
            return
        for item in self.by_name[token.text]:
            certain = self._names(at, item)
            if certain:
                self._replace(token.start, token.end, at, item)
                return
            if certain is None:
                self._doubt(token)
                return

    def _is_kind(self, at: int, item: Renamed) -> bool:
        """Return whether a qualified name can be of the object's kind."""
        is_call = self._at(at + 1).is_operator("(") and not self.places.is_relation(at - 2)
        return is_call == (item.kind == "function")

    def _names(self, at: int, item: Renamed) -> bool | None:
        """Return whether a name without a schema is the object's; None if that is not known."""
        before, after = self._at(at - 1), self._at(at + 1)
        if item.kind == "function":
            return after.is_operator("(") and not self.places.is_relation(at)
        if before.is_operator("::") or self.places.declares(at):
            return True
        if before.is_word("as") and self.places.call(at) == "cast":
            return True
        if after.is_operator("%") and self._at(at + 2).is_word("rowtype"):
            return True
        if after.is_operator("."):
            # The name before a column is that of the relation in FROM, which is replaced there.
            return self._at(at + 3).is_operator("%") and self._at(at + 4).is_word("type")
        if item.kind == "type":
            # Its name may precede a string, as in mood 'happy'.
            return None if after.kind == "string" else self.places.is_expression(at)
        if before.is_word("with", "recursive", ",") and after.is_word("as"):
            return None
        if self.places.is_relation(at):
            return True
        if after.is_word("as") and before.is_operator(",") and self._at(at + 2).is_operator("("):
            return None  # A query of WITH.
        return self.places.is_expression(at)

    def _read_string(self, at: int) -> None:
        token = self.found[at]
        if not mentions(token.text, self.by_name):
            return
        if self._is_name_argument(at):
            self._replace_name_in_string(token)
        elif self._is_executed(at):
            inner = FunctionText(token.text, self.names, self.finds_unqualified, runs_text=False)
            text = inner.replaced()
            if inner.uncertain or text == token.text:
                self._doubt(token)
            else:
                self.edits.append((token.start, token.end, _as_string(token, text)))
        elif self._is_renamed(token.text) or (self.runs_text and not self._compares_table_name(at)):
            self._doubt(token)

    def _is_renamed(self, text: str) -> bool:
        return any(item.new.name != item.old.name for item in self.by_name.get(text, ()))

    def _compares_table_name(self, at: int) -> bool:
        start = self.places.statement_start(at)
        return any(token.is_word("tg_table_name", "tg_relname") for token in self.found[start:at])

    def _is_name_argument(self, at: int) -> bool:
        is_name = self.places.call(at) in NAME_FUNCTIONS
        after = at + 1
        while self._at(after).is_operator("::", ")"):
            if self._at(after).is_operator("::"):
                return self._at(after + 1).is_word(*REG_TYPES) or is_name
            after += 1
        return self._at(at - 1).is_word(*REG_TYPES) or is_name

    def _is_executed(self, at: int) -> bool:
        """Return whether the string is in the SQL of an EXECUTE, not among its arguments."""
        start = self.places.statement_start(at)
        executed = False
        for token in self.found[start:at]:
            executed = executed or token.is_word("execute")
            if executed and token.is_word("using"):
                return False
        return executed

    def _replace_name_in_string(self, token: Token) -> None:
        words = [item for item in tokens(token.text) if not item.is_blank]
        parts = [item.text for item in words if item.is_name]
        dots = [item for item in words if item.is_operator(".")]
        if len(words) != len(parts) + len(dots) or len(parts) not in (1, 2):
            self._doubt(token)
            return
        for item in self.by_name.get(parts[-1], ()):
            if len(parts) == 2 and parts[0] != item.old.schema:
                continue
            if len(parts) == 1 and not self.finds_unqualified:
                continue
            self.edits.append((token.start, token.end, _as_string(token, written(item.new))))
            return

    def _replace(self, start: int, end: int, at: int, item: Renamed) -> None:
        text = written(item.new)
        if item.kind == "relation" and item.new.name != item.old.name and self._needs_alias(at):
            text = f"{text} AS {identifier(item.old.name)}"
        self.edits.append((start, end, text))

    def _needs_alias(self, at: int) -> bool:
        """Return whether columns of a renamed relation may be named by its old name."""
        first = at - 2 if self._at(at - 1).is_operator(".") else at
        before, after = self._at(first - 1), self._at(at + 1)
        reads = before.is_word("from", "join", "update", "using") or before.is_operator(",")
        is_alias = after.is_word("as") or (
            after.is_name and not after.is_word(*CLAUSES, *ENDS_OF_RELATION)
        )
        return reads and not is_alias and not after.is_operator(".", "%", "(")

    def _doubt(self, token: Token) -> None:
        line = self.body.count("\n", 0, token.start) + 1
        self.uncertain.append(Uncertain(line, self.body.splitlines()[line - 1].strip()))


def mentions(text: str, names: Mapping[str, object]) -> bool:
    """Return whether a text has one of the names as a word, in any case."""
    return bool(names) and re.search(_pattern(tuple(names)), text) is not None


def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    words = "|".join(map(re.escape, names))
    return re.compile(rf"(?<![\w$])(?:{words})(?![\w$])", re.IGNORECASE)


def uncertain_lines(body: str, names: Mapping[str, object]) -> Iterator[Uncertain]:
    """Yield the lines of a text in another language that have one of the names."""
    for number, line in enumerate(body.splitlines(), 1):
        if mentions(line, names):
            yield Uncertain(number, line.strip())


def written(name: QualifiedName) -> str:
    """Return a name as people write it, quoted only where it has to be."""
    return f"{identifier(name.schema)}.{identifier(name.name)}"


def identifier(name: str) -> str:
    return name if PLAIN_NAME.fullmatch(name) else '"{}"'.format(name.replace('"', '""'))


def _as_string(token: Token, text: str) -> str:
    """Return a string that is written as the token is."""
    if token.raw.startswith("$"):
        tag = token.raw[: token.raw.index("$", 1) + 1]
        return f"{tag}{text}{tag}"
    quote = token.raw.index("'")
    return token.raw[: quote + 1] + text.replace("'", "''") + "'"
