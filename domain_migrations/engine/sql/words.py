"""The words of an SQL statement, read from left to right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from ...domains import CORE_SCHEMA, QualifiedName
from .lexer import Token, tokens


class Words:
    """The tokens of a statement, read from left to right."""

    def __init__(self, source: str, tokens: Sequence[Token]) -> None:
        self.source, self.tokens, self.at = source, tokens, 0

    @classmethod
    def of(cls, statement: str) -> Words:
        """Read a statement, without the semicolon at its end."""
        found = [token for token in tokens(statement) if not token.is_blank]
        if found and found[-1].is_operator(";"):
            found.pop()
        return cls(statement, found)

    @property
    def rest(self) -> Sequence[Token]:
        return self.tokens[self.at :]

    def has(self, *words: str) -> bool:
        """Return whether the words come one after the other in the rest."""
        return any(self._match(at, words) for at in range(self.at, len(self.tokens)))

    def skip(self, *words: str) -> None:
        """Skip any of the words that come next, in any order."""
        while self.at < len(self.tokens) and self.tokens[self.at].is_word(*words):
            self.at += 1

    def skip_group(self) -> tuple[Token, ...]:
        """Skip what is in parentheses, if they come next, and return it."""
        depth, start = 0, self.at
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            depth += token.is_operator("(") - token.is_operator(")")
            if not depth and self.at == start:
                return ()
            self.at += 1
            if not depth:
                break
        return tuple(self.tokens[start + 1 : self.at - 1])

    def take(self, *words: str) -> bool:
        """Skip the words and return True if they come next."""
        if not self._match(self.at, words):
            return False
        self.at += len(words)
        return True

    def _match(self, at: int, words: Sequence[str]) -> bool:
        ahead = self.tokens[at : at + len(words)]
        return len(ahead) == len(words) and all(map(Token.is_word, ahead, words))

    def sign(self, sign: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at].is_operator(sign):
            self.at += 1
            return True
        return False

    def identifier(self) -> str:
        if self.at < len(self.tokens) and self.tokens[self.at].is_name:
            self.at += 1
            return self.tokens[self.at - 1].text
        return ""

    def name(self) -> QualifiedName | None:
        """Read a table's name, qualified or not."""
        first = self.identifier()
        if not first:
            return None
        if self.sign("."):
            return QualifiedName(first, self.identifier())
        return QualifiedName(CORE_SCHEMA, first)

    def altered_table(self) -> QualifiedName | None:
        """Read the table that ``ALTER TABLE`` names, up to its first action."""
        self.take("if", "exists")
        self.take("only")
        table = self.name()
        self.sign("*")
        return table

    def names(self) -> Iterator[QualifiedName]:
        """Read a list of names."""
        while name := self.name():
            yield name
            self.sign("*")
            if not self.sign(","):
                return

    def parts(self) -> Iterator[Words]:
        """Split the rest at the commas outside of parentheses."""
        depth, start = 0, self.at
        for index in range(self.at, len(self.tokens)):
            token = self.tokens[index]
            depth += token.is_operator("(", "[") - token.is_operator(")", "]")
            if depth < 0 or (not depth and token.is_operator(",")):
                yield Words(self.source, self.tokens[start:index])
                start = index + 1
            if depth < 0:
                return
        yield Words(self.source, self.tokens[start:])

    def text(self) -> str:
        """Return the text of the rest, up to a word that ends a type."""
        return self.text_before("using", "collate")

    def text_before(self, *words: str) -> str:
        """Return the text of the rest, up to the first of the words."""
        kept = list(takewhile(lambda token: not token.is_word(*words), self.rest))
        return self.source[kept[0].start : kept[-1].end] if kept else ""
