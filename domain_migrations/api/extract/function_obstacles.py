"""Obstacles in functions: the domain's own, and those that its tables use, read what stays."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ...domains import CORE_SCHEMA, QualifiedName
from ...engine.messages import shortened
from ...engine.runner.adoption.function_text import (
    FunctionText,
    Renamed,
    mentions,
    uncertain_lines,
)
from ...engine.sessions.connection import fetch_all
from .sides import Sides

Row = tuple[str, str, str, str]
"""Side, object, message and remedy: an obstacle."""

# What is written BEGIN ATOMIC is recorded by oid; of other functions, only the text is there.
FUNCTIONS = r"""
WITH used AS (
    SELECT p.oid FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = %(schema)s
  UNION
    SELECT d.refobjid FROM pg_catalog.pg_depend d
    LEFT JOIN pg_catalog.pg_trigger g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
    LEFT JOIN pg_catalog.pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
    LEFT JOIN pg_catalog.pg_constraint k
        ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
    JOIN pg_catalog.pg_class c ON c.oid = coalesce(g.tgrelid, f.adrelid, k.conrelid)
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE d.refclassid = 'pg_proc'::regclass AND n.nspname = %(schema)s
)
SELECT i.identity, l.lanname::text, p.prosrc,
    (SELECT regexp_replace(s, '^search_path=', '') FROM unnest(p.proconfig) s
        WHERE s LIKE 'search\_path=%%'),
    (SELECT array_agg(DISTINCT format('%%s.%%s', rn.nspname, r.relname))
        FROM pg_catalog.pg_depend u
        JOIN pg_catalog.pg_class r ON u.refclassid = 'pg_class'::regclass AND r.oid = u.refobjid
        JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
        WHERE u.classid = 'pg_proc'::regclass AND u.objid = p.oid AND rn.nspname = %(core)s)
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
CROSS JOIN LATERAL pg_catalog.pg_identify_object('pg_proc'::regclass, p.oid, 0) i
WHERE p.oid IN (SELECT oid FROM used) AND n.nspname <> 'information_schema'
    AND n.nspname NOT LIKE 'pg\_%%' AND l.lanname NOT IN ('internal', 'c') AND p.prokind <> 'a'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
        WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
ORDER BY 1
"""
RELATIONS = """
SELECT c.relname::text FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
"""
PARSED = ("sql", "plpgsql")
AWAY = "away"
"""A schema that names would be moved to: where that changes a text, it names them."""


def function_obstacles(sides: Sides, core_tables: Collection[str]) -> Iterator[Row]:
    """Yield the functions that read what stays, certainly or perhaps.

    Arguments:
        core_tables: core's tables that go, too.
    """
    source = sides.from_connection
    staying, own = (
        {name for (name,) in fetch_all(source, RELATIONS, [schema])}
        for schema in (CORE_SCHEMA, sides.schema)
    )
    staying -= set(core_tables)
    params = {"schema": sides.schema, "core": CORE_SCHEMA}
    for function, language, text, path, recorded in fetch_all(source, FUNCTIONS, params):
        lowered = text.lower()
        possible = (name for name in staying if name.lower() in lowered)
        by_name = {name: name for name in possible if mentions(text, {name: name})}
        lines = [str(line.text) for line in uncertain_lines(text, by_name)]
        named = {name for name in staying if f"{CORE_SCHEMA}.{name}" in (recorded or ())}
        if language in PARSED:
            found, lines = _read(text, set(by_name), _seen(path, sides.schema, set(by_name), own))
            named |= found
        if named:
            tables = shortened(sorted(f"{CORE_SCHEMA}.{name}" for name in named))
            yield (
                sides.source,
                function,
                f"The function {function} names {tables}, which will be on another server.",
                f"CREATE OR REPLACE FUNCTION {function} … without it, in a migration.",
            )
        elif lines:
            yield (
                sides.source,
                function,
                f"The function {function} may read what will be on another server:"
                f" {shortened(lines)}.",
                "Read it. If it does, write it without that in a migration; if it does not, write"
                " the name with its schema or as an alias.",
            )


def _seen(path: str | None, schema: str, names: set[str], own: set[str]) -> set[str]:
    """Return the names that mean core's relations without a schema.

    Arguments:
        path: the function's own search path; without one, core's schema is the first.
        own: the relations of the domain, which are found instead where its schema is before core's.
    """
    if path is None:
        return names
    for part in path.split(","):
        found = part.strip().strip('"')
        if found == CORE_SCHEMA:
            return names
        if found == schema:
            names = names - own
    return set()


def _read(text: str, names: set[str], unqualified: set[str]) -> tuple[set[str], list[str]]:
    """Return the relations that a text names, and the lines that perhaps do."""
    found: set[str] = set()
    lines: list[str] = []
    for name in sorted(names):
        table = Renamed("relation", QualifiedName(CORE_SCHEMA, name), QualifiedName(AWAY, name))
        body = FunctionText(text, [table], name in unqualified)
        body.replaced()
        if body.edits:
            found.add(name)
        lines += [line.text for line in body.uncertain if line.text not in lines]
    return found, lines
