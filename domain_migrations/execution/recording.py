"""The SQL that migrations run, as it goes to the server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ..boundary.live.words import Token, fragments
from ..exceptions import MigrationFailed

MOST_STATEMENTS = 1000
"""Of one migration: one that changes data row by row can run any number."""

_LOOK = re.compile(r"\s*(?:SELECT|WITH)\b.*\bpg_[a-z_]+", re.IGNORECASE | re.DOTALL)
_SAVEPOINT = re.compile(r"(?:RELEASE |ROLLBACK TO )?SAVEPOINT ")
_MAY_END = re.compile(r"\b(?:commit|rollback|end|abort|prepare)\b", re.IGNORECASE)


class Recorder:
    """Keeps the statements of a migration that will be rolled back.

    Arguments:
        connection: the one that the migration runs on.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self._statements: list[str] = []
        self._more = 0

    @contextmanager
    def recording(self, migration: object) -> Iterator[None]:
        """Keep what runs while the body does.

        What Django asks the catalogs, and the savepoints that it makes, are left out. Values
        that a data migration gives to a statement stay placeholders: they may be of rows.

        Raises:
            MigrationFailed: a statement would end the transaction, and what was done would stay.
        """
        self._statements, self._more = [], 0

        def keep(
            execute: Callable[..., Any], statement: Any, params: Any, many: bool, context: Any
        ) -> Any:
            text = self._text(statement)
            if ends := _ends_transaction(text):
                raise MigrationFailed(
                    f"Migration {migration} cannot be rehearsed: it ends its transaction itself,"
                    f" with {ends}.",
                    hint="Take that out, or set atomic = False; then it is not rehearsed.",
                )
            self._keep(text)
            return execute(statement, params, many, context)

        with self.connection.execute_wrapper(keep):
            yield

    @property
    def statements(self) -> tuple[str, ...]:
        """The statements of the latest recording, in order."""
        more = (f"-- and {self._more} more statements",) if self._more else ()
        return (*self._statements, *more)

    def _keep(self, text: str) -> None:
        if _SAVEPOINT.match(text) or _LOOK.match(text):
            return
        if len(self._statements) < MOST_STATEMENTS:
            text = text.strip()
            self._statements.append(text if text.endswith(";") else f"{text};")
        else:
            self._more += 1

    def _text(self, statement: Any) -> str:
        if isinstance(statement, sql.Composable):
            return statement.as_string(self.connection.connection)
        return str(statement)


def _ends_transaction(text: str) -> str:
    """Return the word that would end the transaction; empty if there is none."""
    if not _MAY_END.search(text):
        return ""
    parts = [part.tokens for part in fragments(text, procedural=False)]
    body = any(_follow(part, "begin", "atomic") for part in parts)  # of a function, with its END
    for part in parts:
        first, rest = part[0], part[1:]
        if first.is_word("commit", "abort") or (first.is_word("end") and not body):
            return first.text.upper()
        if first.is_word("rollback") and not any(token.is_word("to") for token in rest[:2]):
            return "ROLLBACK"
        if _follow(part[:2], "prepare", "transaction"):
            return "PREPARE TRANSACTION"
    return ""


def _follow(part: tuple[Token, ...], first: str, second: str) -> bool:
    return any(one.is_word(first) and two.is_word(second) for one, two in pairwise(part))
