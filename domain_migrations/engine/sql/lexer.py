"""The words of SQL and PL/pgSQL text: enough of a lexer to cut it and to see names in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
  | (?P<dollar>\$(?P<tag>[A-Za-z_]\w*)?\$(?P<body>.*?)\$(?(tag)(?P=tag))\$)
  | (?P<string>(?:[eE]'(?:[^'\\]|''|\\.)*')|(?:[uUbBxX]&?)?'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")+")
  | (?P<word>[^\W\d]\w*\$?)
  | (?P<other>::|:=|\.\.|<<|>>|\d+(?:\.\d+)?|.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text.

    Attributes:
        kind: ``word``, ``quoted`` (an identifier), ``string`` or ``other``.
        text: a word in lower case, a quoted identifier or string without its quotes.
        start, end: where it stands.
    """

    kind: str
    text: str
    start: int
    end: int

    @property
    def is_name(self) -> bool:
        return self.kind in ("word", "quoted")

    def is_operator(self, *signs: str) -> bool:
        return self.kind == "other" and self.text in signs

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text in words


def tokens(source: str) -> Iterator[Token]:
    """Yield the pieces of the text, without comments and white space."""
    for match in TOKEN.finditer(source):
        kind, text = str(match.lastgroup), match.group()
        if match["space"]:
            continue
        if match["dollar"]:
            kind, text = "string", match["body"]
        elif kind == "string":
            text = text[text.index("'") + 1 : -1].replace("''", "'")
        elif kind == "quoted":
            text = text[1:-1].replace('""', '"')
        elif kind == "word":
            text = text.lower()
        yield Token(kind, text, match.start(), match.end())


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, or the part of one that holds an expression, and its tokens."""

    source: str
    tokens: tuple[Token, ...]

    def text_after(self, count: int) -> str:
        """Return the text behind the first tokens."""
        if count >= len(self.tokens):
            return ""
        return self.source[self.tokens[count].start : self.tokens[-1].end]


BLOCK_WORDS = ("begin", "then", "else", "loop", "declare", "exception")


def statements(source: str, *, procedural: bool) -> Iterator[Statement]:
    """Cut the text at semicolons, and at the words of PL/pgSQL's blocks if it is that."""
    held: list[Token] = []
    cases = 0
    for token in tokens(source):
        cut = token.is_operator(";")
        if procedural and not cut:
            if token.is_word("case") and held and not held[-1].is_word("end"):
                cases += 1  # An expression: its words cut nothing.
            elif token.is_word("end") and cases:
                cases -= 1
            elif not cases and token.is_word(*BLOCK_WORDS):
                cut = True
        if not cut:
            held.append(token)
            continue
        if held:
            yield Statement(source, tuple(held))
        held, cases = [], 0
    if held:
        yield Statement(source, tuple(held))
