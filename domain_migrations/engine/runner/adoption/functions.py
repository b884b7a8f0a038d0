"""Functions that name moved objects in their text, which PostgreSQL does not follow."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.db.backends.base.base import BaseDatabaseWrapper

from ....domains import CORE_SCHEMA, Domain, QualifiedName
from ....exceptions import InvalidConfiguration
from ...messages import shortened
from ...sessions.connection import execute, fetch_all
from ...sql.lexer import tokens
from .function_text import FunctionText, Kind, Renamed, Uncertain, uncertain_lines
from .moves import Move
from .objects import MovedObject

# What is written BEGIN ATOMIC is recorded by oid.
SELECT_FUNCTIONS = r"""
SELECT p.oid, i.identity, l.lanname, p.prosrc,
    (SELECT regexp_replace(s, '^search_path=', '') FROM unnest(p.proconfig) s
        WHERE s LIKE 'search\_path=%%')
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
CROSS JOIN LATERAL pg_identify_object('pg_proc'::regclass, p.oid, 0) i
WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> 'information_schema'
    AND l.lanname NOT IN ('internal', 'c') AND p.prokind <> 'a' AND p.prosqlbody IS NULL
    AND p.prosrc ~* %(words)s
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
ORDER BY 2
"""

DEFINITIONS = """
SELECT p.oid, i.identity, pg_get_functiondef(p.oid)
FROM pg_proc p CROSS JOIN LATERAL pg_identify_object('pg_proc'::regclass, p.oid, 0) i
WHERE p.oid = ANY(%s)
"""

OWNED_SEQUENCES = """
SELECT s.relname FROM pg_class s JOIN pg_depend d ON d.classid = 'pg_class'::regclass
    AND d.objid = s.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
WHERE s.relkind = 'S' AND d.refobjid = ANY(%s) ORDER BY 1
"""

# A text is looked up when the default is computed; a regclass is a number.
TEXT_DEFAULTS = r"""
SELECT c.oid::regclass || '.' || quote_ident(a.attname), pg_get_expr(f.adbin, f.adrelid)
FROM pg_attrdef f
JOIN pg_class c ON c.oid = f.adrelid
JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
WHERE pg_get_expr(f.adbin, f.adrelid) ~ '(nextval|currval)\(\(?''[^'']*''::text'
ORDER BY 1
"""

NAMES_BY_SCHEMA = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = ANY(%s) AND n.nspname <> %s
"""

PARSED = ("sql", "plpgsql")
MOST_SHOWN = 5


@dataclass(frozen=True)
class ChangedFunction:
    """A function that is created again with the new names.

    Attributes:
        oid: stays the same.
        identity: its name and arguments before the move.
        lines: the lines of its text that name what is moved.
        source: its text before.
        new_source: its text afterwards.
    """

    oid: int
    identity: str
    lines: tuple[Uncertain, ...]
    source: str
    new_source: str

    @property
    def diff(self) -> str:
        """The change of its text, as a unified diff without a heading."""
        before, after = self.source.splitlines(), self.new_source.splitlines()
        return "\n".join(list(difflib.unified_diff(before, after, lineterm="", n=1))[2:])


@dataclass(frozen=True)
class UnchangedFunction:
    """A function whose text may name what is moved, but not certainly."""

    identity: str
    lines: tuple[Uncertain, ...]

    def __str__(self) -> str:
        lines = "; ".join(f"line {line}: {text}" for line, text in self.lines[:MOST_SHOWN])
        return f"{self.identity}, {lines}"


@dataclass(frozen=True)
class FunctionTexts:
    """The functions whose texts name what is moved."""

    changed: tuple[ChangedFunction, ...]
    uncertain: tuple[UnchangedFunction, ...]
    text_defaults: tuple[str, ...]

    def check(self, move: Move) -> None:
        """Refuse the move if a text would fail afterwards.

        Raises:
            InvalidConfiguration: with the functions and their lines.
        """
        if self.uncertain:
            raise InvalidConfiguration(
                f"{move} cannot begin: the text of {shortened(self.uncertain)} may name what is"
                " moved, and is not certain.",
                hint=f"Write the name with its schema after FROM, JOIN, INTO or UPDATE"
                f" ({move.source.schema}.…), or drop the function and create it again afterwards."
                " Nothing was changed.",
            )
        if self.text_defaults:
            raise InvalidConfiguration(
                f"{move} cannot begin: the default of {shortened(self.text_defaults)} names a"
                " sequence as a text, which is not found in its new schema.",
                hint="ALTER TABLE … ALTER COLUMN … SET DEFAULT nextval('…'::regclass), and run the"
                " command again. Nothing was changed.",
            )


class SchemaMove(Protocol):
    """What moves objects from the schema of one domain to that of another one."""

    @property
    def source(self) -> Domain: ...

    @property
    def target(self) -> Domain: ...


def find_function_texts(
    connection: BaseDatabaseWrapper,
    move: SchemaMove,
    objects: Sequence[MovedObject],
    originals: Mapping[str, Sequence[str]] | None = None,
) -> FunctionTexts:
    """Return the functions that name the objects in their text, and how they are mended.

    Arguments:
        originals: identity of a function → the text that an adoption wrote, and the text before
            it; where it has not been changed since, that is what it gets again.
    """
    names = renamed_objects(connection, move, objects)
    by_name: dict[str, Renamed] = {item.old.name: item for item in names}
    if not by_name:
        return FunctionTexts((), (), ())
    others = _schemas_with(connection, move, list(by_name))
    changed, uncertain = [], []
    params = {"words": "|".join(map(_escaped, by_name))}
    for oid, identity, language, source, path in fetch_all(connection, SELECT_FUNCTIONS, params):
        lines = tuple(uncertain_lines(source, by_name))
        if not lines:
            continue
        written, original = (originals or {}).get(identity, ("", ""))
        if written == source:
            changed.append(ChangedFunction(oid, identity, lines, source, original))
            continue
        if language not in PARSED:
            uncertain.append(UnchangedFunction(identity, lines))
            continue
        text = FunctionText(source, names, _finds_unqualified(move, path, others))
        new = text.replaced()
        if text.uncertain:
            uncertain.append(UnchangedFunction(identity, tuple(text.uncertain)))
        elif new != source:
            changed.append(ChangedFunction(oid, identity, lines, source, new))
    defaults = tuple(text_defaults(connection, names))
    return FunctionTexts(tuple(changed), tuple(uncertain), defaults)


def text_defaults(connection: BaseDatabaseWrapper, names: Sequence[Renamed]) -> dict[str, str]:
    """Return the defaults that name one of the sequences as a text: column → expression."""
    return {
        column: expression
        for column, expression in fetch_all(connection, TEXT_DEFAULTS)
        if any(_names_any(text, names) for text in _texts(expression))
    }


def _texts(expression: str) -> Iterator[str]:
    return (token.text for token in tokens(expression) if token.kind == "string")


def _names_any(text: str, names: Sequence[Renamed]) -> bool:
    """Return whether a text is the name of one of the objects, with its schema or without one."""
    parts = [token.text for token in tokens(text) if token.is_name]
    wanted = [(item.old.schema, item.old.name) for item in names]
    return tuple(parts[-2:]) in wanted or (
        len(parts) == 1 and parts[0] in [name for _, name in wanted]
    )


def renamed_objects(
    connection: BaseDatabaseWrapper, move: SchemaMove, objects: Sequence[MovedObject]
) -> list[Renamed]:
    """Return what texts may name, and its name afterwards."""
    tables = [item.oid for item in objects if item.kind == "TABLE"]
    sequences = [name for (name,) in fetch_all(connection, OWNED_SEQUENCES, [tables])]
    source, target = move.source.schema, move.target.schema
    return [
        *(Renamed(kind, item.old, item.new) for item in objects if (kind := _kind(item))),
        *(
            Renamed("relation", QualifiedName(source, name), QualifiedName(target, name))
            for name in sequences
        ),
    ]


def _kind(item: MovedObject) -> Kind | None:
    if item.is_relation:
        return "relation"
    kinds: dict[str, Kind] = {
        "TYPE": "type",
        "DOMAIN": "type",
        "FUNCTION": "function",
        "PROCEDURE": "function",
    }
    return kinds.get(item.kind)


def _escaped(name: str) -> str:
    """Return a name as a regular expression of PostgreSQL."""
    return "".join(char if char.isalnum() or char == "_" else f"\\{char}" for char in name)


def _schemas_with(
    connection: BaseDatabaseWrapper, move: SchemaMove, names: list[str]
) -> dict[str, set[str]]:
    """Return schema → which of the names a relation of it has, the old schema left out."""
    found: dict[str, set[str]] = {}
    for schema, name in fetch_all(connection, NAMES_BY_SCHEMA, [names, move.source.schema]):
        found.setdefault(schema, set()).add(name)
    return found


def _finds_unqualified(
    move: SchemaMove, path: str | None, others: Mapping[str, Iterable[str]]
) -> bool:
    """Return whether names without a schema are looked up where the objects have been."""
    if path is None:
        return move.source.schema == CORE_SCHEMA
    for part in path.split(","):
        schema = part.strip().strip('"')
        if schema == move.source.schema:
            return True
        if schema in others:
            return False
    return False


def redefinitions(
    connection: BaseDatabaseWrapper, functions: Sequence[ChangedFunction]
) -> Iterator[tuple[ChangedFunction, str, str]]:
    """Yield each function with its identity, and the statement that gives it its new text."""
    found = {function.oid: function for function in functions}
    for oid, identity, definition in fetch_all(connection, DEFINITIONS, [list(found)]):
        function = found[oid]
        head, _, tail = definition.rpartition(function.source)
        yield function, identity, head + function.new_source + tail


def redefine(
    connection: BaseDatabaseWrapper, functions: Sequence[ChangedFunction]
) -> dict[str, tuple[str, str]]:
    """Create the functions again with their new texts, after everything has moved.

    Returns:
        The identity of each → its text now, and the text before.
    """
    texts = {}
    # The definition names the types of arguments where they are now.
    for function, identity, statement in redefinitions(connection, functions):
        execute(connection, statement)
        texts[identity] = function.new_source, function.source
    return texts
