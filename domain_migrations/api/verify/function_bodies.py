"""Cross-domain references in the text of functions.

PostgreSQL records no dependencies for function bodies that are kept as text. What cannot be read is
reported as unread: a function in another language, a statement that cannot be parsed, and SQL that
a function computes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ...engine.boundary.rule import depends_hint, may_depend_on, owner_clause
from ...engine.boundary.schema_owners import SchemaOwners
from ...engine.messages import Finding
from ...engine.sql.query import run_sql
from .textual_names import PATH, has_parser, may_reference, mentions, read_body

CrossDomainFinding = tuple[Finding, Domain | None]
"""A finding and the domain that is used, None where it is not known."""

# PostgreSQL records what BEGIN ATOMIC, views and defaults name, but not the texts in them.
SELECT_FUNCTIONS = r"""
SELECT n.oid, i.type, i.identity, l.lanname,
    CASE WHEN p.prosqlbody IS NULL THEN p.prosrc ELSE pg_get_function_sqlbody(p.oid) END,
    (SELECT regexp_replace(setting, '^search_path=', '') FROM unnest(p.proconfig) AS setting
        WHERE setting LIKE 'search\_path=%%'),
    coalesce(p.proargnames, '{}') || p.proname::text, p.prosqlbody IS NOT NULL
FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_language l ON l.oid = p.prolang
    CROSS JOIN LATERAL pg_identify_object('pg_proc'::regclass, p.oid, 0) i
WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%%'
    AND l.lanname NOT IN ('internal', 'c')
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
UNION ALL
SELECT n.oid, i.type, i.identity, 'sql', pg_get_viewdef(c.oid), NULL, '{}', true
FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, c.oid, 0) i
WHERE c.relkind IN ('v', 'm') AND n.nspname <> 'information_schema'
    AND n.nspname NOT LIKE 'pg\_%%'
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
UNION ALL
SELECT n.oid, 'default', format('%%I.%%I.%%I', n.nspname, c.relname, a.attname), 'sql',
    pg_get_expr(f.adbin, f.adrelid), NULL, '{}', true
FROM pg_attrdef f
    JOIN pg_class c ON c.oid = f.adrelid
    JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
    JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attislocal AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%%'
ORDER BY 3
"""

PARSED = ("sql", "plpgsql")
RUNS_TEXT = re.compile("execute|search_path", re.IGNORECASE)


def textual_references(
    connection: BaseDatabaseWrapper, owners: SchemaOwners
) -> Iterator[CrossDomainFinding]:
    """Yield each function that names another domain in its text, with that domain."""
    [rows] = run_sql(connection, SELECT_FUNCTIONS, {})
    for schema, kind, identity, language, body, search_path, variables, is_recorded in rows:
        user = owners.owner_or_core(schema)
        if user is None:
            continue
        foreign = {
            name: domain
            for name, domain in owners.domains.items()
            if not may_depend_on(user, domain)
        }
        path = {quoted or bare for quoted, bare in PATH.findall(search_path or "")}
        names: set[str] = set()
        is_read = language in PARSED and has_parser()
        is_suspect = mentions(body, foreign)
        is_unread = not is_read and not is_recorded and may_reference(body, foreign)
        unread = [_why_unread(language)] if is_unread else []
        if is_read and (is_suspect or RUNS_TEXT.search(body)):
            found = read_body(
                body,
                foreign,
                procedural=language == "plpgsql",
                variables=variables,
                is_recorded=is_recorded,
            )
            path |= found.search_path
            names = {".".join(filter(None, pair)) for pair in found.names}
            if found.unparsed:
                unread.append((f"a statement could not be parsed: {found.unparsed[0]}", CHECK))
            if found.is_computed:
                if is_suspect:
                    unread.append((COMPUTED, CHECK))
                else:
                    message = f"The {kind} {identity} runs SQL that it computes, which is not read."
                    yield Finding("U017", "boundary", user.name, identity, message, CHECK), user
        hint = f"{depends_hint(user)} Replace it, or drop it."
        for verb, name, place in [
            *(("has", name, "search_path") for name in sorted(path & foreign.keys())),
            *(("names", name, "text") for name in sorted(names)),
        ]:
            used = foreign[name.partition(".")[0]]
            message = (
                f"The {kind} {identity} {verb} {name}, {owner_clause(used)}, in its {place}"
                " (textual)."
            )
            yield Finding("B014", "boundary", user.name, identity, message, hint), used
        for why, advice in unread:
            message = f"The {kind} {identity} may name another domain's objects; {why}."
            yield Finding("B017", "boundary", user.name, identity, message, advice), None


CHECK = "Check what it uses; if it uses another domain's objects, replace or drop it."
COMPUTED = "it runs SQL that it computes, which is not read"


def _why_unread(language: str) -> tuple[str, str]:
    """Return why a text was not read, and what to do."""
    if language not in PARSED:
        return f"code in {language} is not analysed", CHECK
    return (
        "its text was not read, because sqlglot is not installed",
        "Install it and run the command again: pip install 'sqlglot>=30'",
    )
