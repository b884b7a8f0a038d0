"""SQL text cut into its statements, as psql cuts it.

One statement for each ``execute``: semicolons in strings, dollar quotes, comments, parentheses
and in the body of a function that is written ``BEGIN ATOMIC … END`` end nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

TOKEN = re.compile(
    r"""
    (?P<comment> --[^\n]* )
  | (?P<block> /\* )
  | (?P<literal> \$(?P<tag>[^\W\d]\w*)?\$ .*? \$(?P=tag)\$ | \$\$ .*? \$\$
      | [Ee]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' )
  | (?P<quoted> "(?:[^"]|"")*" )
  | (?P<word> [^\W\d][\w$]* )
  | (?P<space> \s+ )
  | (?P<other> \d[\w.]* | . )
    """,
    re.VERBOSE | re.DOTALL,
)
UNCLOSED = re.compile(r"['\"]|\$(?:[^\W\d]\w*)?\$")
BLOCK_EDGE = re.compile(r"/\*|\*/")
BODY_HEADS = re.compile(r"CREATE (OR REPLACE )?(FUNCTION|PROCEDURE)\b")


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, text) of every token; joined, the texts are the text again.

    Kinds: ``comment``, ``literal``, ``quoted``, ``word``, ``space`` and ``other``.

    Raises:
        ValueError: a quote is never closed.
    """
    position = 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:  # pragma: no cover  (its last alternative matches anything)
            raise ValueError(f"No token at {position}.")
        end, kind = match.end(), str(match.lastgroup)
        if kind == "block":
            end, kind = _block_end(text, end), "comment"
        elif match["literal"] is not None:
            kind = "literal"
        elif UNCLOSED.match(text, position) and kind == "other":
            raise ValueError(f"A quote is never closed: {text[position : position + 60]}…")
        yield kind, text[position:end]
        position = end


def _block_end(text: str, position: int) -> int:
    """Return where a block comment ends; PostgreSQL's can be nested."""
    depth = 1
    while depth:
        edge = BLOCK_EDGE.search(text, position)
        if edge is None:
            return len(text)
        depth += 1 if edge[0] == "/*" else -1
        position = edge.end()
    return position


def split(text: str) -> list[str]:
    """Return the statements with their semicolons, without what stands between them.

    Comments inside of a statement stay; those before it go, and psql's commands too.

    Raises:
        ValueError: the text ends inside of a statement.
    """
    statements: list[str] = []
    current = _Statement()
    lines = iter(tokens(text))
    for kind, part in lines:
        if not current.parts and kind in ("space", "comment"):
            continue
        if not current.parts and part == "\\":  # \restrict and the like reach to the line's end
            for _, rest in lines:
                if "\n" in rest:
                    break
            continue
        if current.add(kind, part):
            if current.parts != [";"]:
                statements.append("".join(current.parts))
            current = _Statement()
    if current.parts:
        raise ValueError(f"It ends inside of a statement: {''.join(current.parts)[:60]}…")
    return statements


class _Statement:
    """A statement that is being read; the nesting is counted as psql's scanner counts it."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.head: list[str] = []
        self.parentheses = 0
        self.begins = 0

    def add(self, kind: str, part: str) -> bool:
        """Take the next token, and return whether it ends the statement."""
        self.parts.append(part)
        if kind == "word":
            self._word(part.upper())
        elif part == "(":
            self.parentheses += 1
        elif part == ")":
            self.parentheses = max(0, self.parentheses - 1)
        return part == ";" and not self.parentheses and not self.begins

    def _word(self, word: str) -> None:
        if len(self.head) < 4:
            self.head.append(word)
        if self.parentheses or not BODY_HEADS.match(" ".join(self.head)):
            return
        if word == "BEGIN" or (word == "CASE" and self.begins):
            self.begins += 1
        elif word == "END" and self.begins:
            self.begins -= 1
