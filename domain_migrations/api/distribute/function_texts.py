"""The text of a function, and what in it works on one server and not on shards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from ...engine.sql.lexer import Token, statements

SHARD_NAMES = ("tg_table_name", "tg_relname", "tg_relid", "tg_name")
"""Variables of a trigger that have the number of a shard in them."""

CHANGES = ("update", "delete", "merge")
TIME_WORDS = (
    "current_timestamp", "current_date", "current_time", "localtimestamp", "localtime",
    "current_user", "session_user", "current_role",
)  # fmt: skip
"""Functions that are called without parentheses; none is immutable."""


class FunctionText:
    """The text of a function, PL/pgSQL or SQL, statement by statement."""

    def __init__(self, body: str, *, procedural: bool) -> None:
        self.statements = [part.tokens for part in statements(body, procedural=procedural)]

    def shard_names(self) -> list[str]:
        """Return the variables with the name of a shard that more than a message depends on."""
        found = {
            token.text
            for part in self.statements
            if not part[0].is_word("raise")
            for token in part
            if token.is_word(*SHARD_NAMES)
        }
        return sorted(name.upper() for name in found)

    def called(self) -> set[str]:
        """Return the names, without schemas, of what is called anywhere."""
        return {name for part in self.statements for name in _calls(part)}

    def called_in_changes(self) -> set[str]:
        """Return what UPDATE, DELETE and MERGE call, in which Citus refuses volatile functions."""
        return {
            name
            for part in self.statements
            for at in _verbs(part, *CHANGES)
            for name in _calls(part[at:])
        }

    def called_on_conflict(self) -> set[str]:
        """Return what DO UPDATE calls, in which Citus takes immutable functions only."""
        found: set[str] = set()
        for part in self.statements:
            for at in range(len(part) - 1):
                if part[at].is_word("do") and part[at + 1].is_word("update"):
                    found.update(_calls(part[at:]))
                    found.update(token.text for token in part[at:] if token.is_word(*TIME_WORDS))
        return found

    def written(self) -> set[tuple[str, str]]:
        """Return the (schema, table) of each table that a statement writes; schema "" if bare."""
        return {
            table
            for part in self.statements
            for at in _verbs(part, "insert", *CHANGES)
            if (table := _target(part[at + 1 :]))
        }

    def inserted_into(self) -> set[tuple[str, str]]:
        """Return the (schema, table) of each table that rows are inserted into."""
        return {
            table
            for part in self.statements
            for at in _verbs(part, "insert")
            if (table := _target(part[at + 1 :]))
        }

    def strings(self) -> set[str]:
        """Return the constants, such as the name in ``nextval('…')``."""
        return {token.text for part in self.statements for token in part if token.kind == "string"}


def _calls(part: Sequence[Token]) -> Iterator[str]:
    for token, following in pairwise(part):
        if token.is_name and following.is_operator("("):
            yield token.text


def _verbs(part: Sequence[Token], *words: str) -> Iterator[int]:
    """Yield where a statement begins: at the start, or in parentheses or after them in WITH."""
    for at, token in enumerate(part):
        if token.is_word(*words) and (at == 0 or part[at - 1].is_operator("(", ")")):
            yield at


def _target(rest: Sequence[Token]) -> tuple[str, str] | None:
    found = [token for token in rest[:5] if not token.is_word("into", "from", "only")]
    if not found or not found[0].is_name:
        return None
    if len(found) > 2 and found[1].is_operator(".") and found[2].is_name:
        return found[0].text, found[2].text
    return "", found[0].text
