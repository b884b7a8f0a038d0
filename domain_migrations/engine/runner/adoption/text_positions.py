"""Positions in the text of a function, and what a name means there.

The words of SQL and PL/pgSQL around a name say whether it is a relation's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...sql.lexer import Token

RELATION_WORDS = (
    "from", "join", "only", "using", "truncate", "lock", "copy", "references", "view", "analyze",
    "vacuum", "cluster", "sequence", "table",
)  # fmt: skip
"""Words after which a name is a relation's."""

EXPRESSION_WORDS = (
    "select", "where", "and", "or", "not", "on", "by", "when", "then", "else", "return", "in",
    "set", "is", "as", "returning", "distinct", "having", "case", "if", "elsif", "while",
    "perform", "all", "between", "like", "ilike", "values", "of", "any", "some", "limit",
    "offset", "into", "for", "exit", "raise", "default", "end", "filter", "over", "partition",
    "array", "row", "next",
)  # fmt: skip
"""Words after which a name is a column, an alias or a variable."""

CLAUSES = (
    "select", "from", "where", "group", "order", "having", "limit", "set", "values", "returning",
    "using", "update", "delete", "insert", "truncate", "table", "lock", "declare", "begin",
)  # fmt: skip
LISTS_OF_RELATIONS = ("from", "using", "truncate", "table", "lock")

NAME_FUNCTIONS = (
    "nextval", "currval", "setval", "pg_get_serial_sequence", "to_regclass", "to_regtype",
    "pg_relation_size", "pg_total_relation_size", "pg_table_size", "has_table_privilege",
    "has_sequence_privilege",
)  # fmt: skip
"""Functions that take a name as a string."""

REG_TYPES = ("regclass", "regtype", "regproc", "regprocedure")

ENDS_OF_RELATION = (
    "on", "join", "inner", "left", "right", "full", "cross", "natural", "union", "intersect",
    "except", "for", "offset", "fetch", "window", "loop", "tablesample", "when", "do", "end",
    "then", "into",
)  # fmt: skip
"""Words that may follow a relation, and are no alias of it."""


NOWHERE = Token("other", "", -1)


@dataclass(frozen=True)
class TextPositions:
    """The tokens of a text, and what a name means at each position of them.

    Attributes:
        tokens: without blanks.
    """

    tokens: Sequence[Token]

    def at(self, position: int) -> Token:
        return self.tokens[position] if 0 <= position < len(self.tokens) else NOWHERE

    def is_expression(self, at: int) -> bool | None:
        """Return False if a name is a column, an alias or a variable; None if it is not known."""
        before = self.at(at - 1)
        if before.kind in ("other", "string") and before is not NOWHERE and before.raw != ";":
            return False
        if before.is_word(*EXPRESSION_WORDS, "from"):
            return False  # IS DISTINCT FROM, and the arguments of extract() and the like.
        is_alias = before.is_name and not before.is_word(*RELATION_WORDS, "create", "drop")
        after = self.at(at + 1)
        return False if is_alias or after.is_operator(":=", "=") else None

    def is_relation(self, at: int) -> bool:
        """Return whether the name at a position is in that of a relation."""
        before, earlier = self.at(at - 1), self.at(at - 2)
        if before.is_word("from"):
            is_argument = self.call(at) in ("extract", "substring", "trim", "overlay", "position")
            return not (earlier.is_word("distinct") or is_argument)
        if before.is_word("into"):
            return earlier.is_word("insert", "merge")
        if before.is_word("update"):
            return not earlier.is_word("for", "do", "key", "on", "or", "after", "before")
        if before.is_word("table"):
            return not earlier.is_word("create", "temp", "temporary", "unlogged")
        if before.is_word("exists"):
            return earlier.is_word("if")
        if before.is_word("on"):
            return self._first_word(at).is_word("create", "drop", "grant", "revoke", "comment")
        if before.is_word(*RELATION_WORDS):
            return True
        return before.is_operator(",") and self._clause(at) in LISTS_OF_RELATIONS

    def _clause(self, at: int) -> str:
        """Return the word that begins the clause around a position."""
        depth = 0
        for position in range(at - 1, -1, -1):
            token = self.tokens[position]
            depth += token.is_operator(")") - token.is_operator("(")
            if depth < 0 or token.is_operator(";"):
                return ""
            if not depth and token.is_word(*CLAUSES):
                return token.text
        return ""

    def call(self, at: int) -> str:
        """Return the function whose arguments are around a position."""
        depth = 0
        for position in range(at - 1, -1, -1):
            token = self.tokens[position]
            depth += token.is_operator(")") - token.is_operator("(")
            if depth < 0:
                name = self.at(position - 1)
                return name.text if name.is_name else ""
            if token.is_operator(";"):
                return ""
        return ""

    def statement_start(self, at: int) -> int:
        start = at
        while start and not self.tokens[start - 1].is_operator(";"):
            start -= 1
        while start < at and self.tokens[start].is_word("begin", "declare", "then", "else", "loop"):
            start += 1
        return start

    def _first_word(self, at: int) -> Token:
        return self.at(self.statement_start(at))

    def declares(self, at: int) -> bool:
        """Return whether the name is the type in a declaration of PL/pgSQL."""
        start = self.statement_start(at)
        after = self.at(at + 1)
        ends = after.is_operator(";", ":=", "=", "[") or after.is_word("default", "not")
        words = self.tokens[start:at]
        is_constant = len(words) == 2 and words[1].is_word("constant")
        if not (words and words[0].is_name and ends and (len(words) == 1 or is_constant)):
            return False
        return self._clause_of_block(start)

    def _clause_of_block(self, start: int) -> bool:
        """Return whether a statement is among the declarations of a block."""
        for position in range(start - 1, -1, -1):
            if self.tokens[position].is_word("declare"):
                return True
            if self.tokens[position].is_word("begin", "then", "loop", "else"):
                return False
        return False
