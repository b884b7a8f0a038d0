"""One spelling for two expressions that PostgreSQL takes for the same.

Django writes ``"qty" >= 0 AND "code" IN ('a', 'b')`` and PostgreSQL keeps
``((qty >= 0) AND ((code)::text = ANY (ARRAY[…])))``. Both are given to its planner, which
prints what it understood, with constants folded. The expressions stand over a function that
returns rows of the table's columns, so no table is read, locked or needs to be readable, and
nothing is executed: it works in a read-only transaction and on a standby.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from .deparse import unquote_identifiers

EXPLAIN = "EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT {} FROM json_to_recordset('[]') AS {}"
NAME = re.compile(r'[a-z_]\w*|"(?:[^"]|"")*"')


class ExpressionNormalizer:
    """Spells expressions over the columns of one table.

    Arguments:
        columns: name → type of every column that an expression may name.
    """

    def __init__(self, connection: BaseDatabaseWrapper, columns: Mapping[str, str]) -> None:
        self.connection = connection
        self.columns = dict(columns)
        self.spellings: dict[str, str] = {}

    def prepare(self, expressions: Iterable[str]) -> None:
        """Ask for many expressions at once; one by one when some of them is not valid."""
        wanted = sorted({item for item in expressions if not NAME.fullmatch(item)})
        wanted = [item for item in wanted if item not in self.spellings]
        if not wanted or not self.columns:
            return
        answers = self._explain(wanted)
        if answers is not None:
            self.spellings.update(zip(wanted, answers, strict=True))
        elif len(wanted) == 1:
            self.spellings[wanted[0]] = unquote_identifiers(wanted[0])
        else:
            for expression in wanted:
                self.prepare([expression])

    def __call__(self, expression: str) -> str:
        """Return the spelling; of an expression that is not valid, what was given."""
        self.prepare([expression])
        return self.spellings.get(expression, unquote_identifiers(expression))

    def _explain(self, expressions: Sequence[str]) -> list[str] | None:
        source = sql.SQL("{} ({})").format(
            sql.Identifier("row"),
            sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(name), _given(kind))
                for name, kind in self.columns.items()
            ),
        )
        query = sql.SQL(EXPLAIN).format(sql.SQL(", ").join(map(_given, expressions)), source)
        self.connection.ensure_connection()
        try:
            with (
                self.connection.connection.transaction(force_rollback=True),
                self.connection.cursor() as cursor,
            ):
                cursor.execute(query, None)
                plan = cursor.fetchone()[0]
        except Error:
            return None
        plan = json.loads(plan) if isinstance(plan, str) else plan
        return [unquote_identifiers(item) for item in plan[0]["Plan"]["Output"]]


def _given(text: str) -> sql.SQL:
    """SQL that was made by Django or deparsed by PostgreSQL; braces in it are its own."""
    return sql.SQL(text)


def cast(expression: str, kind: str) -> str:
    """Return the expression as a column of that type would hold it."""
    return f"({expression})::{kind}"
