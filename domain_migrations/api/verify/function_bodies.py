"""Cross-domain references in the text of functions.

PostgreSQL records no dependencies for function bodies that are kept as text. They are parsed with
sqlglot, which is optional; where it cannot parse a statement, only names in unambiguous positions
count. Statements that a function builds at run time are not seen.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator
from importlib.util import find_spec
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ...engine.boundary.rule import depends_hint, may_depend_on, owner_clause
from ...engine.boundary.schema_owners import SchemaOwners
from ...engine.messages import Finding
from ...engine.sql.lexer import Statement, Token, statements
from ...engine.sql.query import run_sql

CrossDomainFinding = tuple[Finding, Domain | None]
"""A finding and the domain that is used, None where it is not known."""

SELECT_FUNCTIONS = r"""
SELECT n.oid, i.type, i.identity, l.lanname, p.prosrc,
    (SELECT regexp_replace(setting, '^search_path=', '') FROM unnest(p.proconfig) AS setting
        WHERE setting LIKE 'search\_path=%%')
FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_language l ON l.oid = p.prolang
    CROSS JOIN LATERAL pg_identify_object('pg_proc'::regclass, p.oid, 0) i
WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%%'
    AND p.prosqlbody IS NULL AND l.lanname NOT IN ('internal', 'c')
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
ORDER BY 3
"""

PARSED = ("sql", "plpgsql")
PATH = re.compile(r'"([^"]+)"|([^\s,"]+)')


def textual_references(
    connection: BaseDatabaseWrapper, owners: SchemaOwners
) -> Iterator[CrossDomainFinding]:
    """Yield each function that names another domain in its text, with that domain."""
    [rows] = run_sql(connection, SELECT_FUNCTIONS, {})
    for schema, kind, identity, language, body, search_path in rows:
        user = owners.owner_or_core(schema)
        if user is None:
            continue
        foreign = {
            name: domain
            for name, domain in owners.domains.items()
            if not may_depend_on(user, domain)
        }
        path = [quoted or bare for quoted, bare in PATH.findall(search_path or "")]
        named = [("has", name, "search_path", foreign[name]) for name in path if name in foreign]
        is_suspect = may_reference(body, foreign)
        is_parsed = language in PARSED and has_parser()
        if is_suspect and is_parsed:
            found = referenced_names(body, foreign, procedural=language == "plpgsql")
            named += [
                ("names", ".".join(names), "text", foreign[names[0]]) for names in sorted(found)
            ]
        for verb, name, place, used in named:
            message = (
                f"The {kind} {identity} {verb} {name}, {owner_clause(used)}, in its {place}"
                " (textual)."
            )
            hint = f"{depends_hint(user)} Replace it, or drop it."
            yield Finding("B014", "boundary", user.name, identity, message, hint), used
        if is_suspect and not is_parsed:
            yield _unparsed(user, kind, identity, language), None


def _unparsed(user: Domain, kind: str, identity: str, language: str) -> Finding:
    if language in PARSED:
        why = "its text was not read, because sqlglot is not installed"
        hint = (
            "Install it and run the command again: pip install 'django-domain-migrations[verify]'"
        )
    else:
        why = f"code in {language} is not analysed"
        hint = "Check what it uses; if it uses another domain's objects, replace or drop it."
    message = f"The {kind} {identity} may name another domain's objects; {why}."
    return Finding("B017", "boundary", user.name, identity, message, hint)


Name = tuple[str, str]
"""A schema and the name of something in it."""

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

NAME_ARGUMENT_FUNCTIONS = (
    "nextval", "currval", "setval", "to_regclass", "to_regproc", "to_regtype",
)  # fmt: skip
"""Functions that take a name as a string."""

QUALIFIED = re.compile(r'\s*("?)(?P<schema>[^".]+)\1\s*\.\s*("?)(?P<name>[^".(]+)\3.*', re.DOTALL)
PLACEHOLDER = re.compile(r"%(?:\d+\$)?-?\d*[ILs]")
NO_TOKEN = Token("other", "", 0)
DEPTH = 3
"""The depth to which strings of SQL within SQL are parsed."""


def has_parser() -> bool:
    """Return whether sqlglot is installed."""
    return find_spec("sqlglot") is not None


def may_reference(body: str, schemas: Collection[str]) -> bool:
    """Return whether the text, including its comments, may name an object of the schemas."""
    names = "|".join(map(re.escape, schemas))
    return bool(names) and bool(re.search(rf'(?<!\w)"?(?:{names})"?\s*\.', body, re.IGNORECASE))


def referenced_names(
    body: str, schemas: Collection[str], *, procedural: bool, depth: int = DEPTH
) -> set[Name]:
    """Return the objects of the schemas that a text names: PL/pgSQL if ``procedural``, or SQL."""
    found: set[Name] = set()
    for fragment in statements(body, procedural=procedural):
        text = _statement(fragment) if procedural else fragment.text_after(0)
        parsed = _parsed(text, procedural=procedural) if text else None
        found |= set(_unambiguous_names(fragment.tokens)) if parsed is None else parsed
        found |= set(_names_in_literals(fragment.tokens))
        if depth and any(token.is_word("execute") for token in fragment.tokens):
            for token in fragment.tokens:
                if token.kind == "string":
                    inner = PLACEHOLDER.sub("placeholder", token.text)
                    found |= referenced_names(inner, schemas, procedural=False, depth=depth - 1)
    return {(schema, name) for schema, name in found if schema in schemas}


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
            or (before.is_word(*RELATION_KEYWORDS) and _is_relation_position(found, index))
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


def _names_in_literals(found: tuple[Token, ...]) -> Iterator[Name]:
    """Yield the names in strings that are passed to nextval and the like, or cast to regclass."""
    for index, token in enumerate(found):
        if token.kind != "string" or not (match := QUALIFIED.fullmatch(token.text)):
            continue
        after = found[index + 1 : index + 3]
        cast = len(after) == 2 and after[0].is_operator("::") and after[1].text.startswith("reg")
        if cast or (index > 1 and found[index - 2].is_word(*NAME_ARGUMENT_FUNCTIONS)):
            yield match["schema"].strip(), match["name"].strip()
