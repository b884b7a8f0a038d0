"""A lexer of SQL and PL/pgSQL: tokens with their positions, and the statements they form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .literals import constant_value, identifier_value

# A constant continues in quotes on a later line.
CONTINUED = r"(?:[^\S\n\r]*(?:--[^\n\r]*)?[\n\r])+[^\S\n\r]*"
PLAIN = rf"'(?:[^']|'')*'(?:{CONTINUED}'(?:[^']|'')*')*"
ESCAPED = rf"'(?:[^'\\]|''|\\.)*'(?:{CONTINUED}'(?:[^'\\]|''|\\.)*')*"
UESCAPE = r"(?:\s*[uU][eE][sS][cC][aA][pP][eE]\s*'.')?"
TOKEN = re.compile(
    rf"""
    (?P<space>\s+)
  | (?P<comment>--[^\n\r]*|/\*)
  | (?P<string>\$(?P<tag>[^\W\d]\w*)?\$.*?\$(?(tag)(?P=tag))\$
      | [eE]{ESCAPED} | [uU]&{PLAIN}{UESCAPE} | [bBxXnN]?{PLAIN})
  | (?P<quoted>"(?:[^"]|"")*" | [uU]&"(?:[^"]|"")*"{UESCAPE})
  | (?P<word>[^\W\d][\w$]*)
  | (?P<other>\d\w*(?:\.\d\w*)?|::|:=|\.\.|(?:(?!--|/\*)[-+*/<>=~!@\#%^&|`?])+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
COMMENT_EDGE = re.compile(r"/\*|\*/")
QUOTES = ("'", '"', "$")
UNCLOSED = re.compile(r"['\"]|\$(?:[^\W\d]\w*)?\$")
CREATE_ROUTINE = re.compile(r"CREATE (OR REPLACE )?(FUNCTION|PROCEDURE)\b")
BLOCK_WORDS = ("begin", "then", "else", "loop", "declare", "exception")


class Token(NamedTuple):
    """A piece of a text.

    Attributes:
        kind: ``word``, ``quoted`` (an identifier), ``string`` (all parts of a constant),
            ``space``, ``comment`` or ``other`` (numbers, operators and punctuation).
        raw: as it is written.
        start: its position in the text.
    """

    kind: str
    raw: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.raw)

    @property
    def text(self) -> str:
        """A word in lower case, the name or the text that a quoted one stands for."""
        if self.kind == "word":
            return self.raw.lower()
        if self.kind == "quoted":
            return identifier_value(self.raw)
        if self.kind == "string":
            return constant_value(self.raw)
        return self.raw

    @property
    def is_blank(self) -> bool:
        return self.kind in ("space", "comment")

    @property
    def is_name(self) -> bool:
        return self.kind in ("word", "quoted")

    def is_operator(self, *signs: str) -> bool:
        return self.kind == "other" and self.raw in signs

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.raw.lower() in words


def tokens(text: str) -> Iterator[Token]:
    """Yield all tokens; joined, their ``raw`` is the text again.

    A quote that is never closed is a token of one character.
    """
    position = 0
    while match := TOKEN.match(text, position):
        end, kind = match.end(), str(match.lastgroup)
        if kind == "comment" and match[0] == "/*":
            end = _comment_end(text, end)
        yield Token(kind, text[position:end], position)
        position = end


def _comment_end(text: str, position: int) -> int:
    """Return where a block comment ends; PostgreSQL's can be nested."""
    depth = 1
    while depth:
        edge = COMMENT_EDGE.search(text, position)
        if edge is None:
            return len(text)
        depth += 1 if edge[0] == "/*" else -1
        position = edge.end()
    return position


class Statement(NamedTuple):
    """A statement, or the part of one that holds an expression, and its tokens without blanks."""

    source: str
    tokens: tuple[Token, ...]

    def text_after(self, count: int) -> str:
        """Return the text after the first tokens."""
        if count >= len(self.tokens):
            return ""
        return self.source[self.tokens[count].start : self.tokens[-1].end]


def statements(source: str, *, procedural: bool) -> Iterator[Statement]:
    """Split a text at each semicolon, and at the words of PL/pgSQL's blocks if it is that."""
    held: list[Token] = []
    cases = 0
    for token in tokens(source):
        if token.is_blank:
            continue
        cut = token.is_operator(";")
        if procedural and not cut:
            if token.is_word("case") and held and not held[-1].is_word("end"):
                cases += 1  # The words of an expression split nothing.
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


def split_statements(text: str) -> list[str]:
    """Return the statements with their semicolons, as psql splits them for the server.

    Semicolons in strings, comments, parentheses and in the body of a function that is written
    ``BEGIN ATOMIC … END`` end nothing. Comments inside a statement stay; those before it are
    removed, and psql's own commands too.

    Raises:
        ValueError: the text ends inside a statement or a quote.
    """
    found: list[str] = []
    current: _StatementReader | None = None
    remaining = tokens(text)
    for token in remaining:
        if current is None:
            if token.is_blank:
                continue
            if token.raw == "\\":  # \restrict and the like extend to the end of the line.
                while "\n" not in token.raw and (following := next(remaining, None)):
                    token = following
                continue
            current = _StatementReader(token.start)
        if token.raw in QUOTES and UNCLOSED.match(text, token.start):
            raise ValueError(f"A quote is never closed: {text[token.start : token.start + 60]}…")
        if current.ends_with(token):
            if current.start != token.start:
                found.append(text[current.start : token.end])
            current = None
    if current is not None:
        raise ValueError(f"It ends inside of a statement: {text[current.start :][:60]}…")
    return found


def split_string(text: str) -> list[str]:
    """Return the statements of a string, as the server splits what it is sent.

    The text after the last semicolon, and what is never closed, is a statement too. Comments
    between two statements are removed.
    """
    found: list[str] = []
    current: _StatementReader | None = None
    for token in tokens(text):
        if current is None:
            if token.is_blank:
                continue
            current = _StatementReader(token.start)
        if token.raw in QUOTES and UNCLOSED.match(text, token.start):
            break
        if current.ends_with(token):
            if current.start != token.start:
                found.append(text[current.start : token.end])
            current = None
    return found if current is None else [*found, text[current.start :]]


class _StatementReader:
    """The nesting of a statement that is being read, counted as psql's scanner counts it."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.head: list[str] = []
        self.parentheses = 0
        self.begins = 0

    def ends_with(self, token: Token) -> bool:
        """Take the next token, and return whether it ends the statement."""
        if token.kind == "word":
            self._count_blocks(token.raw.upper())
        elif token.raw == "(":
            self.parentheses += 1
        elif token.raw == ")":
            self.parentheses = max(0, self.parentheses - 1)
        return token.raw == ";" and not self.parentheses and not self.begins

    def _count_blocks(self, word: str) -> None:
        if len(self.head) < 4:
            self.head.append(word)
        if self.parentheses or not CREATE_ROUTINE.match(" ".join(self.head)):
            return
        if word == "BEGIN" or (word == "CASE" and self.begins):
            self.begins += 1
        elif word == "END" and self.begins:
            self.begins -= 1
