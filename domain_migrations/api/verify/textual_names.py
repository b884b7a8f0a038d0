"""Names of schemas' objects in the text of functions, also in SQL that is within strings.

A name with a schema is what it seems, unless the same word is also an alias or a variable in that
text; then sqlglot, which is optional, tells whether it is a table or a column.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

from ...engine.sql.lexer import Statement, Token, statements, tokens
from .executed_texts import executed_texts, is_execute
from .name_constants import Name, NameArguments, named_in_constants, named_search_path
from .text_values import NO_TOKEN

SQL_WORDS = (
    "select", "with", "insert", "update", "delete", "merge", "truncate", "create", "table",
    "values", "copy",
)  # fmt: skip
EXPRESSION_WORDS = ("if", "elsif", "elseif", "while", "when", "case", "return", "perform")
NO_VARIABLES = (*SQL_WORDS, *EXPRESSION_WORDS, "raise", "exit", "get", "close", "fetch", "open")
RELATION_KEYWORDS = (
    "from", "join", "into", "update", "table", "only", "using", "call", "view", "like",
    "exists", "sequence", "type", "references",
)  # fmt: skip
"""Words after which a qualified name is a relation or a procedure."""

DEPTH = 3
"""The depth to which strings of SQL within SQL are parsed."""


def has_parser() -> bool:
    """Return whether sqlglot is installed."""
    return find_spec("sqlglot") is not None


def may_reference(body: str, schemas: Collection[str]) -> bool:
    """Return whether the text, including its comments, may name an object of the schemas."""
    names = "|".join(map(re.escape, schemas))
    return bool(names) and bool(re.search(rf'(?<!\w)"?(?:{names})"?\s*\.', body, re.IGNORECASE))


def mentions(body: str, schemas: Collection[str]) -> bool:
    """Return whether the text, without its comments, has the name of one of the schemas."""
    names = "|".join(map(re.escape, schemas))
    text = "".join(token.text for token in tokens(body) if token.kind != "comment")
    return bool(names) and bool(re.search(rf"\b(?:{names})\b", text, re.IGNORECASE))


@dataclass
class TextualNames:
    """What a text names of some schemas.

    Attributes:
        names: the objects.
        search_path: the schemas that it puts into the search path.
        unparsed: statements with a name that may be that of an object, and cannot be parsed.
        is_computed: whether it runs SQL, or sets a search path, that it computes.
    """

    names: set[Name] = field(default_factory=set)
    search_path: set[str] = field(default_factory=set)
    unparsed: list[str] = field(default_factory=list)
    is_computed: bool = False

    def add(self, other: TextualNames) -> None:
        self.names |= other.names
        self.search_path |= other.search_path
        self.unparsed += other.unparsed
        self.is_computed |= other.is_computed


def referenced_names(body: str, schemas: Collection[str], *, procedural: bool) -> set[Name]:
    """Return the objects of the schemas that a text names: PL/pgSQL if ``procedural``, or SQL."""
    return read_body(body, schemas, procedural=procedural).names


def read_body(
    body: str,
    schemas: Collection[str],
    *,
    procedural: bool,
    variables: Collection[str] = (),
    is_recorded: bool = False,
    arguments: NameArguments = MappingProxyType({}),
    depth: int = DEPTH,
) -> TextualNames:
    """Return what a text names of the schemas.

    Arguments:
        procedural: whether it is PL/pgSQL; otherwise SQL.
        variables: names that mean something else in it, such as those of the arguments.
        is_recorded: whether PostgreSQL has recorded what it names, except within strings.
        arguments: the arguments of functions that are names, as the database says.
    """
    fragments = list(statements(body, procedural=procedural))
    taken = {name for part in fragments for name in _bare_names(part.tokens)} | set(variables)
    runs_text = any(
        is_execute(part.tokens, i) for part in fragments for i in range(len(part.tokens))
    )
    found = TextualNames()
    for part in fragments:
        pairs = set() if is_recorded else _pairs(part.tokens, schemas)
        doubtful = {pair for pair in pairs if pair[0] in taken}
        found.names |= pairs - doubtful
        if not is_recorded:
            doubtful |= _pairs_after_database(part.tokens, schemas)
        if doubtful:
            _read_doubtful(part, doubtful, found, procedural=procedural)
        named = {(name, "") for name in _schemas_named(part.tokens)}
        if any(token.kind == "string" for token in part.tokens):
            named.update(named_in_constants(part.tokens, arguments, is_recorded=is_recorded))
        found.names |= {pair for pair in named if pair[0] in schemas}
        path, is_computed = named_search_path(part.tokens)
        found.search_path |= path & set(schemas)
        found.is_computed |= is_computed
        for inner in executed_texts(part.tokens, runs_text=runs_text):
            found.is_computed |= inner.is_computed
            if depth:
                inner_names = read_body(
                    inner.text,
                    schemas,
                    procedural=inner.is_procedural,
                    arguments=arguments,
                    depth=depth - 1,
                )
                found.add(inner_names)
    return found


def _read_doubtful(
    part: Statement, doubtful: set[Name], found: TextualNames, *, procedural: bool
) -> None:
    """Read names whose first word is an alias or a variable somewhere in the text."""
    text = _statement(part) if procedural else part.text_after(0)
    parsed = _parsed(text, procedural=procedural) if text and has_parser() else None
    certain = doubtful & (set(_unambiguous_names(part.tokens)) if parsed is None else parsed)
    found.names |= certain
    if parsed is None and text and doubtful - certain:
        found.unparsed.append(part.text_after(0))


def _bare_names(found: tuple[Token, ...]) -> Iterator[str]:
    """Yield the words that are not followed by a dot: aliases, variables, columns, keywords."""
    for before, token, after in zip(
        (NO_TOKEN, *found), found, (*found[1:], NO_TOKEN), strict=False
    ):
        if token.is_name and not after.is_operator(".") and not _is_schema_position(before):
            yield token.text


def _pairs(found: tuple[Token, ...], schemas: Collection[str]) -> set[Name]:
    """Return every name that has one of the schemas and a dot before it."""
    padded = (NO_TOKEN, *found)
    return {
        (schema.text, "" if name.is_operator("*") else name.text)
        for i, (before, schema, dot, name) in enumerate(
            zip(padded, found, found[1:], found[2:], strict=False)
        )
        if schema.is_name and schema.text in schemas and dot.is_operator(".")
        if not before.is_operator(".")
        if name.is_name or name.is_operator("*") or _is_operator_position(found, i)
    }


def _pairs_after_database(found: tuple[Token, ...], schemas: Collection[str]) -> set[Name]:
    """Return the names such as ``hr.employees`` in FROM shop.hr.employees, or of a field."""
    return {
        (found[i + 3].text, found[i + 5].text)
        for i in range(len(found) - 5)
        if found[i].is_word(*RELATION_KEYWORDS)
        if found[i + 3].text in schemas
        if all(found[i + at].is_name for at in (1, 3, 5))
        if all(found[i + at].is_operator(".") for at in (2, 4))
    }


def _is_operator_position(found: tuple[Token, ...], i: int) -> bool:
    """Return whether a schema is that of an operator, as in OPERATOR(hr.+)."""
    return i > 1 and found[i - 1].is_operator("(") and found[i - 2].is_word("operator")


def _is_schema_position(before: Token) -> bool:
    return before.is_word("schema", "search_path", "authorization")


def _schemas_named(found: tuple[Token, ...]) -> Iterator[str]:
    """Yield the names after SCHEMA, as in DROP SCHEMA IF EXISTS and GRANT … IN SCHEMA."""
    for i, token in enumerate(found):
        if token.is_word("schema"):
            after = [item for item in found[i + 1 :] if not item.is_word("if", "exists", "not")]
            while after and after[0].is_name:
                yield after[0].text
                after = after[2:] if len(after) > 1 and after[1].is_operator(",") else []


def _statement(fragment: Statement) -> str:
    """Return a fragment of PL/pgSQL as a statement of SQL; "" if it has none."""
    first, *rest = fragment.tokens
    second = rest[0] if rest else first
    if first.is_word("return") and second.is_word("query"):
        return "" if len(rest) > 1 and rest[1].is_word("execute") else fragment.text_after(2)
    if first.is_word(*EXPRESSION_WORDS):
        text = fragment.text_after(2 if first.is_word("return") and second.is_word("next") else 1)
        return f"SELECT {text}" if text else ""
    if first.is_word("for"):
        at = next((i for i, token in enumerate(fragment.tokens) if token.is_word("in")), 0)
        text = fragment.text_after(at + 1)
        return text if text.lower().startswith(("select", "with", "(")) else ""
    if first.is_word(*SQL_WORDS):
        return re.sub(r"\bINTO\s+STRICT\b", "INTO", fragment.text_after(0), flags=re.IGNORECASE)
    for index, token in enumerate(fragment.tokens):
        if token.text == ":=" and token.kind == "other":
            text = fragment.text_after(index + 1)
            # The type of a declaration comes before the operator.
            return "" if _declared(fragment.tokens) else f"SELECT {text}"
    return ""


def _parsed(text: str, *, procedural: bool) -> set[Name] | None:
    """Return the names in a statement, or None if it cannot be parsed."""
    import sqlglot
    from sqlglot import errors, exp

    # It logs a warning for every unsupported statement.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        trees = [tree for tree in sqlglot.parse(text, dialect="postgres") if tree is not None]
    except (errors.SqlglotError, RecursionError):
        return None
    found: set[Name] = set()
    for tree in trees:
        if isinstance(tree, exp.Command):
            return None
        for table in tree.find_all(exp.Table):
            # SELECT … INTO a field of a record does not name a table.
            if table.args.get("db") and not (procedural and table.find_ancestor(exp.Into)):
                found.add((_folded(table.args["db"]), _folded(table.this)))
        for dot in tree.find_all(exp.Dot):
            used = dot.expression
            of_type = isinstance(used, exp.Identifier) and dot.find_ancestor(exp.DataType)
            if isinstance(dot.this, exp.Identifier) and (of_type or isinstance(used, exp.Func)):
                found.add((_folded(dot.this), _folded(used)))
    return found


def _folded(node: Any) -> str:
    name = str(node.name or node.key)
    return name if node.args.get("quoted") else name.lower()


def _unambiguous_names(found: tuple[Token, ...]) -> Iterator[Name]:
    """Yield the names in positions that only a relation, function or type can have."""
    executes = any(is_execute(found, i) for i in range(len(found)))
    keywords = [word for word in RELATION_KEYWORDS if not (executes and word in ("using", "into"))]
    padded = (NO_TOKEN, *found, NO_TOKEN)
    windows = zip(padded, padded[1:], padded[2:], padded[3:], padded[4:], strict=False)
    for index, (before, schema, dot, name, following) in enumerate(windows):
        if not (schema.is_name and dot.is_operator(".") and name.is_name):
            continue
        if before.is_operator("."):
            continue
        if (
            following.is_operator("(", "%")
            or before.is_operator("::")
            or (before.is_word(*keywords) and _is_relation_position(found, index))
        ):
            yield schema.text, name.text
    if _declared(found):
        at = 2 if found[1].is_word("constant") else 1
        yield found[at].text, found[at + 2].text


def _is_relation_position(found: tuple[Token, ...], index: int) -> bool:
    """Return whether it is a relation after FROM, not IS DISTINCT FROM, an alias or a variable."""
    if index > 1 and found[index - 2].is_word("distinct"):
        return False
    name = found[index].text
    return not any(
        token.is_name and token.text == name and not after.is_operator(".")
        for token, after in zip(found, (*found[1:], NO_TOKEN), strict=True)
    )


def _declared(found: tuple[Token, ...]) -> bool:
    """Return whether the fragment declares a variable of a qualified type."""
    if not found or not found[0].is_name or found[0].is_word(*NO_VARIABLES):
        return False
    at = 2 if len(found) > 1 and found[1].is_word("constant") else 1
    part = found[at : at + 3]
    return len(part) == 3 and part[0].is_name and part[1].is_operator(".") and part[2].is_name
