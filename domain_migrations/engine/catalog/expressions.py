"""Expressions and deparsed definitions in one spelling.

PostgreSQL 15 to 18 deparse differently:

- Whether an identifier is quoted depends on the keywords of the version: ``json`` is one since
  17. Every identifier that is legal without quotes loses them.
- Only 15 qualifies the columns of a view of one table (``SELECT drugs.id FROM drugs``). The
  qualification is removed.

``EXTRACT('YEAR' FROM …)`` is deparsed as ``EXTRACT(YEAR FROM …)``, which is read as ``year``: the
field is written in lower case.

``'x'``, in a part of a query whose columns have no names, such as ``IN (SELECT 'x')``, is deparsed
as ``'x'::text``, which is read as a column named ``text``: that name is left out.

String literals and function bodies are left as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ..sql.lexer import Token, tokens
from ..sql.query import run_sql

TYPE_SIGNS = frozenset({".", ",", "(", ")", "[", "]"})
PLAIN = re.compile(r'"[a-z_][a-z0-9_]*"')
SET_OPERATIONS = frozenset({"UNION", "INTERSECT", "EXCEPT"})
AFTER_FROM = frozenset(
    {"WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "OFFSET", "LIMIT", "FETCH", "FOR"}
)


def unquote_identifiers(text: str) -> str:
    """Return the text without the quotes that only some versions need."""
    if '"' not in text:
        return text
    return "".join(
        token.text if PLAIN.fullmatch(token.raw) else token.raw for token in tokens(text)
    )


def lower_extracted_fields(text: str) -> str:
    """Return the text with the fields of EXTRACT in lower case."""
    if "EXTRACT(" not in text:
        return text
    found = list(tokens(text))
    starts = {i + 2 for i, token in enumerate(found[:-1]) if token.raw == "EXTRACT"}
    return "".join(
        token.raw.lower() if i in starts and token.kind == "word" else token.raw
        for i, token in enumerate(found)
    )


COLUMN_NAMES = {
    "bigint": "int8",
    "bit varying": "varbit",
    "boolean": "bool",
    "character": "bpchar",
    "character varying": "varchar",
    "double precision": "float8",
    "integer": "int4",
    "real": "float4",
    "smallint": "int2",
    "time with time zone": "timetz",
    "timestamp with time zone": "timestamptz",
}
"""Type → the name that PostgreSQL gives a column of it, where that is not the type's own."""
MODIFIERS = re.compile(r"\([^)]*\)|\[\]| without time zone")


def without_implied_names(text: str) -> str:
    """Return the text without the names of columns that constants get from their types."""
    if "::" not in text or " AS " not in text:
        return text
    found = list(tokens(text))
    dropped: set[int] = set()
    for i, token in enumerate(found):
        is_constant = token.kind == "string" or token.raw == "NULL"
        if is_constant and [item.raw for item in found[i + 1 : i + 2]] == ["::"]:
            dropped.update(_implied_name(found, i + 2))
    return "".join(token.raw for i, token in enumerate(found) if i not in dropped)


def _implied_name(found: Sequence[Token], start: int) -> range:
    """Return the places of ``AS text`` after a type that begins at ``start``, if it is there."""
    for i in range(start, len(found)):
        token = found[i]
        if token.raw == "AS":
            kind = MODIFIERS.sub("", "".join(item.raw for item in found[start : i - 1]))
            implied = COLUMN_NAMES.get(kind) or list(tokens(kind))[-1].text
            is_implied = [item.text for item in found[i + 2 : i + 3]] == [implied]
            return range(i - 1, i + 3) if is_implied else range(0)
        is_of_type = token.is_name or token.raw.isspace() or token.raw in TYPE_SIGNS
        if not is_of_type and not token.raw.isdigit():
            break
    return range(0)


def as_read_back(text: str) -> str:
    """Return deparsed text as PostgreSQL deparses it again after it has read it."""
    return without_implied_names(lower_extracted_fields(text))


def without_double_parentheses(text: str) -> str:
    """Return the text with one pair of parentheses where one follows the other directly.

    Those of a call stay: ``f((a, b))`` has one argument.
    """
    found = list(tokens(text))
    opened: list[int] = []
    closing: dict[int, int] = {}
    for i, token in enumerate(found):
        if token.raw == "(":
            opened.append(i)
        elif token.raw == ")" and opened:
            closing[opened.pop()] = i
    dropped: set[int] = set()
    for i, end in closing.items():
        is_call = i > 0 and found[i - 1].kind in ("word", "quoted")
        if not is_call and closing.get(i + 1) == end - 1:
            dropped |= {i, end}
    return "".join(token.raw for i, token in enumerate(found) if i not in dropped)


def unqualify_single_source(definition: str) -> str:
    """Return a view's definition without the qualification that only 15 writes.

    It is removed from the outermost query if that has one source and no set operation. Every
    version qualifies columns in subqueries.
    """
    parts = [token.raw for token in tokens(definition)]
    depths, outermost = _depths(parts)
    top = [i for i, depth in enumerate(depths) if depth == 0 and not parts[i].isspace()]
    source = _single_source(parts, top)
    if source is None:
        return definition
    dropped: set[int] = set()
    for i, part in enumerate(parts):
        if (
            outermost[i]
            and part == source
            and parts[i + 1 : i + 2] == ["."]
            and parts[i + 2 : i + 3] != ["*"]
            and parts[i - 1 : i] != ["."]
        ):
            dropped.update((i, i + 1))
    return "".join(part for i, part in enumerate(parts) if i not in dropped)


def _depths(parts: list[str]) -> tuple[list[int], list[bool]]:
    """Return each part's depth in parentheses, and whether it is in the outermost query."""
    depths: list[int] = []
    outermost: list[bool] = []
    nested: list[bool] = []
    for i, part in enumerate(parts):
        if part == ")" and nested:
            nested.pop()
        depths.append(len(nested))
        outermost.append(not any(nested))
        if part == "(":
            first = next((word for word in parts[i + 1 :] if not word.isspace()), "")
            nested.append(first in ("SELECT", "WITH", "VALUES"))
    return depths, outermost


def _single_source(parts: list[str], top: list[int]) -> str | None:
    """Return the name of the outermost query's source, if it has only one."""
    words = [parts[i] for i in top]
    if "FROM" not in words or SET_OPERATIONS & set(words):
        return None
    clause: list[str] = []
    for word in words[words.index("FROM") + 1 :]:
        if word in AFTER_FROM or word in (";", "TABLESAMPLE"):
            break
        clause.append(word)
    if "," in clause or "JOIN" in clause:
        return None
    names = [word for word in clause if word[0] == '"' or word[0].isalpha() or word[0] == "_"]
    return names[-1] if names else None


EXPLAIN = "EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT {} FROM json_to_recordset('[]') AS {}"
NAME = re.compile(r'[a-z_]\w*|"(?:[^"]|"")*"')


class ExpressionNormalizer:
    """The planner's spelling of expressions over the columns of one table.

    Django writes ``"qty" >= 0 AND "code" IN ('a', 'b')`` and PostgreSQL keeps
    ``((qty >= 0) AND ((code)::text = ANY (ARRAY[…])))``. The planner prints both alike, with
    constants folded. It plans them over a function that returns rows with the table's columns, so
    no table is read or locked and nothing is executed: it works in a read-only transaction, on a
    standby and without privileges on the table.

    Arguments:
        columns: name → type of every column that an expression may name.
    """

    def __init__(self, connection: BaseDatabaseWrapper, columns: Mapping[str, str]) -> None:
        self.connection = connection
        self.columns = dict(columns)
        self.spellings: dict[str, str] = {}

    def prepare(self, expressions: Iterable[str]) -> None:
        """Plan many expressions in one query; one by one when one of them is invalid."""
        wanted = self.missing(expressions)
        if not wanted:
            return
        planned = _explain(self.connection, [(self, wanted)])
        if planned is not None:
            self.spellings.update(zip(wanted, planned[0], strict=True))
        elif len(wanted) == 1:
            self.spellings[wanted[0]] = _respelled(wanted[0])
        else:
            for expression in wanted:
                self.prepare([expression])

    def missing(self, expressions: Iterable[str]) -> list[str]:
        """Return the expressions that have to be planned and are not yet."""
        if not self.columns:
            return []
        wanted = sorted({item for item in expressions if not NAME.fullmatch(item)})
        return [item for item in wanted if item not in self.spellings]

    def __call__(self, expression: str) -> str:
        """Return the planner's spelling, or nearly the same expression where it has none.

        It has none for an invalid one, and for one that calls a function in SQL whose body names
        something without its schema.
        """
        self.prepare([expression])
        return self.spellings.get(expression) or _respelled(expression)

    def query(self, expressions: Sequence[str]) -> sql.Composed:
        """Return the query that plans the expressions."""
        source = sql.SQL("{} ({})").format(
            sql.Identifier("row"),
            sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(name), _as_sql(kind))
                for name, kind in self.columns.items()
            ),
        )
        return sql.SQL(EXPLAIN).format(sql.SQL(", ").join(map(_as_sql, expressions)), source)


def prepare_all(wanted: Iterable[tuple[ExpressionNormalizer, Iterable[str]]]) -> None:
    """Plan the expressions of several tables of one database with one message.

    If one of them is invalid, all are left to :meth:`ExpressionNormalizer.prepare`.
    """
    parts = [(normalizer, normalizer.missing(items)) for normalizer, items in wanted]
    parts = [(normalizer, items) for normalizer, items in parts if items]
    if not parts:
        return
    for (normalizer, items), planned in zip(
        parts, _explain(parts[0][0].connection, parts) or (), strict=False
    ):
        normalizer.spellings.update(zip(items, planned, strict=True))


def _explain(
    connection: BaseDatabaseWrapper, parts: Sequence[tuple[ExpressionNormalizer, Sequence[str]]]
) -> list[list[str]] | None:
    """Return the planner's spellings of each table's expressions; None if one is invalid."""
    query = sql.SQL("; ").join(normalizer.query(items) for normalizer, items in parts)
    connection.ensure_connection()
    try:
        with connection.connection.transaction(force_rollback=True):
            plans = [plan for [(plan,)] in run_sql(connection, query)]
    except Error:
        return None
    found = (json.loads(plan) if isinstance(plan, str) else plan for plan in plans)
    return [[unquote_identifiers(item) for item in plan[0]["Plan"]["Output"]] for plan in found]


def _respelled(expression: str) -> str:
    return without_double_parentheses(unquote_identifiers(expression))


def _as_sql(text: str) -> sql.SQL:
    """Wrap SQL that Django made or PostgreSQL deparsed."""
    return sql.SQL(text)


def cast(expression: str, kind: str) -> str:
    """Return the expression, cast to a column's type."""
    return f"({expression})::{kind}"


LISTED = re.compile(r'((?:"(?:[^"]|"")*"|[^",])+)(?:, )?')


def split_names(text: str) -> list[str]:
    """Return the names in a list of them, which may contain commas in quotes."""
    return LISTED.findall(text)
