"""Constraints of NOT NULL in the statements of a dump, which have names since PostgreSQL 18."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from ..sessions.connection import fetch_all
from ..sql.lexer import Token, tokens

OF_18 = re.compile(
    r"\bCONSTRAINT (?:\"(?:[^\"]|\"\")*\"|[^\s\"])+ NOT NULL\b|^\s+NOT NULL ", re.MULTILINE
)
"""A constraint of NOT NULL as only a server of 18 or later writes it."""
CREATE_TABLE = re.compile(r"CREATE (?:UNLOGGED |FOREIGN )?TABLE ")
COMMENT_ON = re.compile(r"COMMENT ON CONSTRAINT ((?:\"(?:[^\"]|\"\")*\"|[^\s\"])+) ON ")


def for_older_server(statements: Sequence[str]) -> list[str]:
    """Return the statements as a server before 18 has to be sent them.

    It ignores the name in ``a int CONSTRAINT n NOT NULL``, but cannot parse the element
    ``CONSTRAINT n NOT NULL a``, which a dump has for an inherited column, and has no constraint to
    comment on.
    """
    names: set[str] = set()
    kept: list[str] = []
    for statement in statements:
        comment = COMMENT_ON.match(statement)
        if comment and (comment[1] in names or comment[1].strip('"').endswith("_not_null")):
            continue
        if CREATE_TABLE.match(statement) and OF_18.search(statement):
            kept += _rewritten(statement, names)
        else:
            kept.append(statement)
    return kept


def _rewritten(statement: str, names: set[str]) -> Iterator[str]:
    """Yield the CREATE TABLE without its elements of NOT NULL, and then a statement for each."""
    parts = list(tokens(statement))
    opening = next(i for i, part in enumerate(parts) if part.raw == "(")
    elements, closing = elements_of(parts, opening)
    table = "".join(part.raw for part in parts[:opening]).split("TABLE", 1)[1].strip()
    others: list[str] = []
    columns: list[str] = []
    for element in elements:
        words = [part.raw for part in element if not part.is_blank]
        for first, name, third, fourth in zip(words, words[1:], words[2:], words[3:], strict=False):
            if (first, third, fourth) == ("CONSTRAINT", "NOT", "NULL"):
                names.add(name)
        unnamed = words[2:] if words[:1] == ["CONSTRAINT"] else words
        if unnamed[:2] == ["NOT", "NULL"] and len(unnamed) == 3:
            columns.append(unnamed[2])
        else:
            others.append("".join(part.raw for part in element).strip())
    body = ",\n    ".join(others)
    before, after = (
        "".join(part.raw for part in some) for some in (parts[:opening], parts[closing:])
    )
    yield f"{before}(\n    {body}\n{after}" if columns else statement
    for column in columns:
        yield f"ALTER TABLE ONLY {table} ALTER COLUMN {column} SET NOT NULL;"


def elements_of(parts: Sequence[Token], opening: int) -> tuple[list[list[Token]], int]:
    """Return the elements in the parentheses that open there, and where those close."""
    elements: list[list[Token]] = [[]]
    depth = 0
    for i in range(opening, len(parts)):
        raw = parts[i].raw
        depth += (raw in ("(", "[")) - (raw in (")", "]"))
        if not depth:
            return elements, i
        if raw == "," and depth == 1:
            elements.append([])
        elif i > opening:
            elements[-1].append(parts[i])
    return elements, len(parts)


# A dump leaves out the names that PostgreSQL chooses; where another table has the same name,
# it would choose another one.
SELECT_SHARED_NAMES = """
SELECT c.relname, quote_ident(a.attname), quote_ident(k.conname)
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
WHERE n.nspname = %s AND k.contype = 'n' AND EXISTS (
    SELECT FROM pg_catalog.pg_constraint o
    WHERE o.connamespace = k.connamespace AND o.conname = k.conname AND o.oid <> k.oid)
"""


def name_shared_constraints(
    connection: BaseDatabaseWrapper, schema: str, tables: Mapping[str, str]
) -> dict[str, str]:
    """Return CREATE TABLE statements with the names that several constraints of NOT NULL share.

    Arguments:
        tables: unquoted name of each table → its statement, as a dump has it.
    """
    named = dict(tables)
    for table, column, constraint in fetch_all(connection, SELECT_SHARED_NAMES, [schema]):
        line = re.compile(rf"^    {re.escape(column)} .*(?= NOT NULL,?$)", re.MULTILINE)
        found = line.search(named.get(table, ""))
        if found is not None and not found[0].endswith(name := f" CONSTRAINT {constraint}"):
            statement = named[table]
            named[table] = f"{statement[: found.end()]}{name}{statement[found.end() :]}"
    return named
