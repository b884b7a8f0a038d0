"""Functions whose body is kept as text, of which PostgreSQL records nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ...engine.boundary.rule import CORE_DEPENDS, DOMAIN_DEPENDS
from ...engine.boundary.schema_owners import Owners
from ...engine.sql.query import run_sql
from .finding import Crossing, Finding
from .function_bodies import has_parser, may_reference, referenced_names

SELECT_FUNCTIONS = r"""
SELECT n.nspname, i.type, i.identity, l.lanname, p.prosrc,
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


def textual_references(connection: BaseDatabaseWrapper, owners: Owners) -> Iterator[Crossing]:
    """Yield every function that names another domain in its text, with that domain."""
    [rows] = run_sql(connection, SELECT_FUNCTIONS, {})
    for schema, kind, identity, language, body, search_path in rows:
        user = owners.owner_of(schema)
        foreign = owners.domain_names - {schema}
        if user is None or not foreign:
            continue
        for name in _path(search_path or ""):
            if name in foreign:
                yield _named_finding(
                    user, kind, identity, "has {}, in its search_path", name, owners, name
                )
        if not may_reference(body, foreign):
            continue
        if language not in PARSED or not has_parser():
            yield _unparsed(user, kind, identity, language)
            continue
        for used, name in sorted(referenced_names(body, foreign, procedural=language == "plpgsql")):
            yield _named_finding(
                user, kind, identity, "names {}, in its text", f"{used}.{name}", owners, used
            )


def _path(setting: str) -> list[str]:
    return [quoted or bare for quoted, bare in re.findall(r'"([^"]+)"|([^\s,"]+)', setting)]


def _named_finding(
    user: Domain, kind: str, identity: str, does: str, name: str, owners: Owners, schema: str
) -> Crossing:
    used = owners.owner_of(schema)
    whose = f'{name}, which belongs to the domain "{used.name if used else schema}"'
    message = f"The {kind} {identity} {does.format(whose)} (textual)."
    hint = f"{CORE_DEPENDS if user.is_core else DOMAIN_DEPENDS} Replace it, or drop it."
    return Finding("B014", "boundary", user.name, identity, message, hint), used


def _unparsed(user: Domain, kind: str, identity: str, language: str) -> Crossing:
    if language in PARSED:
        why = "its text was not read, because sqlglot is not installed"
        hint = "Install it and look again: pip install 'django-domain-migrations[verify]'"
    else:
        why = f"nothing here reads {language}"
        hint = "See what it uses and, if that is another domain's, replace or drop it."
    message = f"The {kind} {identity} may name another domain's objects; {why}."
    return Finding("B017", "boundary", user.name, identity, message, hint), None
