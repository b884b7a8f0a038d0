"""Rules on queries and changes of rows that Citus refuses, in functions' bodies too."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from ....domains import CORE_SCHEMA, get_domains
from ....engine.sql.lexer import Token
from ....engine.sql.query import run_sql
from ....engine.sql.words import Words
from ..script import LintFinding, MigrationScript
from .statement_texts import Text, calls, qualified_names, row_changes, texts

VOLATILE_FUNCTION = "citus-volatile-function"
ACROSS_DOMAINS = "citus-query-across-domains"
CORE_BY_DOMAIN = "citus-core-rows-by-domain"
LOCKED_SELECT = "citus-locked-select"
SEQUENCE_VALUE = "citus-sequence-value"

COMPUTE_FIRST = (
    "Compute the value first: by a SELECT of its own, in a variable of the function, or in the"
    " application."
)
VOLATILITY = """
SELECT proname, pg_catalog.bool_and(provolatile = 'v'), pg_catalog.bool_or(provolatile <> 'i')
FROM pg_catalog.pg_proc WHERE proname = ANY (%(names)s) GROUP BY 1
"""
CURRENT = ("current_timestamp", "current_date", "current_time", "localtimestamp", "localtime")
"""Functions that PostgreSQL's grammar knows without parentheses; they are stable."""
NO_COLUMN = (
    "interval",
    "date",
    "timestamp",
    "timestamptz",
    "null",
    "true",
    "false",
    "from",
    *CURRENT,
)


def volatile_functions(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the functions that Citus does not run where it changes rows."""
    created = dict(_created_functions(script))
    for text in texts(script):
        tokens = text.words.tokens
        at = next((n for n, token in enumerate(tokens) if _changes_rows(tokens, n)), None)
        if at is None:
            continue
        names = {name for name, _ in calls(tokens[at:])}
        [rows] = run_sql(script.existing.connection, VOLATILITY, {"names": sorted(names)})
        known = {name: (always, varies) for name, always, varies in rows} | created
        for what in sorted(set(_refused_calls(tokens[at:], known))):
            yield script.finding(VOLATILE_FUNCTION, what, COMPUTE_FIRST, text.place)


def _changes_rows(tokens: Sequence[Token], at: int) -> bool:
    """Return whether the part from there on is one in which functions are restricted."""
    if tokens[at].is_word("update"):
        before = tokens[at - 1] if at else None
        return not (before and before.is_word("for", "or", "before", "after", "on", "key", "of"))
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    return following is not None and (
        (tokens[at].is_word("delete") and following.is_word("from"))
        or (tokens[at].is_word("merge") and following.is_word("into"))
    )


def _refused_calls(tokens: Sequence[Token], known: dict[str, tuple[bool, bool]]) -> Iterator[str]:
    starts = Words("", tokens)
    is_conflict = tokens[0].is_word("update") and len(tokens) > 1 and tokens[1].is_word("set")
    is_merge = starts.take("merge")
    for name, arguments in calls(tokens):
        always, varies = known.get(name, (False, False))
        if always or (varies and (is_conflict or is_merge)):
            where = "DO UPDATE" if is_conflict else "MERGE" if is_merge else "UPDATE and DELETE"
            kind = "is volatile" if always else "is not immutable"
            yield f"{name}() {kind}, and Citus refuses it in {where}."
        elif varies and any(map(_is_column, arguments)):
            yield f"{name}() is not immutable, and Citus refuses it in UPDATE if it gets a column."
    if is_conflict:
        for token in tokens:
            if token.is_word(*CURRENT):
                yield f"{token.text} is not immutable, and Citus refuses it in DO UPDATE."


def _is_column(token: Token) -> bool:
    return token.is_name and not token.is_word(*NO_COLUMN)


def _created_functions(script: MigrationScript) -> Iterator[tuple[str, tuple[bool, bool]]]:
    for statement in script.statements:
        words = Words.of(statement.sql)
        words.take("create")
        words.take("or", "replace")
        if words.take("function") and (name := words.name()):
            stable, immutable = words.has("stable"), words.has("immutable")
            yield name.name, (not (stable or immutable), not immutable)


def queries_across_domains(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield statements that join tables of two distributed schemas, views and functions too."""
    owners = {domain.schema: domain.name for domain in get_domains() if not domain.is_core}
    for text in texts(script):
        if text.in_body and Words.of(text.place.sql).has("returns", "trigger"):
            yield from _in_triggers(script, text, owners)
            continue
        mentioned = [
            (n, name) for n, name in qualified_names(text.words.tokens) if name.schema in owners
        ]
        schemas = list(dict.fromkeys(name.schema for _, name in mentioned))
        if len(schemas) < 2 or text.words.has("as", "materialized"):
            continue
        if not _joins(text.words.tokens, [at for at, _ in mentioned]):
            continue
        first, second = schemas[:2]
        yield script.finding(
            ACROSS_DOMAINS,
            f"Citus refuses to join the tables of {first} and {second}, which are on different"
            " nodes.",
            "Read one side first: WITH … AS MATERIALIZED, or in the application.",
            text.place,
        )


def _in_triggers(
    script: MigrationScript, text: Text, owners: Mapping[str, str]
) -> Iterator[LintFinding]:
    names = (name for _, name in qualified_names(text.words.tokens))
    other = next(
        (n for n in names if n.schema in owners and n.schema != script.domain.schema), None
    )
    if other and not script.domain.is_core:
        yield script.finding(
            ACROSS_DOMAINS,
            f"The trigger uses {other} on a node, where the guard does not see it, and Citus"
            f" refuses it once {owners[other.schema]} is on another node.",
            "Do it in the application.",
            text.place,
        )


def _joins(tokens: Sequence[Token], mentions: Sequence[int]) -> bool:
    for at, token in enumerate(tokens):
        if token.is_word("join", "using", "lateral"):
            return True
        following = [one.raw.lower() for one in tokens[at + 1 : at + 3]]
        if token.is_word("in", "exists", "any") and following == ["(", "select"]:
            return True
    for first, second in itertools.pairwise(mentions):
        between = tokens[first + 3 : second]
        if any(token.is_operator(",") for token in between) and len(between) <= 3:
            return True
    return False


def core_rows_by_domain(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield changes of core's rows that depend on rows of a domain."""
    owned = {domain.schema for domain in get_domains() if not domain.is_core}
    for text in texts(script):
        for kind, table, _ in row_changes(text.words):
            others = [
                name for _, name in qualified_names(text.words.tokens) if name.schema in owned
            ]
            if kind != "insert" and table.schema == CORE_SCHEMA and others:
                yield script.finding(
                    CORE_BY_DOMAIN,
                    f"Citus refuses to change {table} of core by the rows of {others[0]}.",
                    "Read the rows first, and change core's by the values.",
                    text.place,
                )


def locked_selects(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield queries that lock rows and are part of a statement that writes."""
    for text in texts(script):
        words = text.words
        writes = any(True for _ in row_changes(words))
        if writes and (words.has("for", "update") or words.has("for", "share")):
            message = "Citus refuses to lock rows in a part of a statement that writes."
            hint = "Lock the rows by a SELECT … FOR UPDATE of its own first."
            yield script.finding(LOCKED_SELECT, message, hint, text.place)


def sequence_values(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield ``setval`` in a query of a table, which a worker runs on its own sequence."""
    for text in texts(script):
        words = text.words
        if any(name == "setval" for name, _ in calls(words.tokens)) and words.has("from"):
            yield script.finding(
                SEQUENCE_VALUE,
                "setval() in a query of a distributed table runs on the worker, whose sequence has"
                " a range of its own.",
                "SELECT the value first, and call setval() without a table.",
                text.place,
            )
