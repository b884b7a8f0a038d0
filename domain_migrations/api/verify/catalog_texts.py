"""Texts in the catalog that may name objects: functions, views, and the expressions of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ...engine.sql.query import run_sql
from .name_constants import REG_TYPES, NameArguments

# PostgreSQL records what BEGIN ATOMIC, views and expressions name, but not the texts in them.
SELECT_TEXTS = r"""
WITH parts AS (
    SELECT 'constraint' AS kind, conrelid AS relation, conname AS name,
        pg_get_expr(conbin, conrelid) AS text
    FROM pg_constraint WHERE contype = 'c' AND conislocal AND conrelid <> 0
  UNION ALL
    SELECT CASE a.attgenerated WHEN '' THEN 'default' ELSE 'generated column' END, f.adrelid,
        a.attname, pg_get_expr(f.adbin, f.adrelid)
    FROM pg_attrdef f JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
    WHERE a.attislocal
  UNION ALL
    SELECT 'policy', polrelid, polname,
        concat_ws('; ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
    FROM pg_policy
  UNION ALL
    SELECT 'rule', ev_class, rulename, pg_get_ruledef(oid) FROM pg_rewrite
    WHERE rulename <> '_RETURN'
  UNION ALL
    SELECT 'trigger', tgrelid, tgname, pg_get_triggerdef(oid) FROM pg_trigger
    WHERE NOT tgisinternal AND tgparentid = 0
  UNION ALL
    SELECT 'index', i.indexrelid, NULL,
        concat_ws('; ', pg_get_expr(i.indexprs, i.indrelid), pg_get_expr(i.indpred, i.indrelid))
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE NOT c.relispartition AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
  UNION ALL
    SELECT CASE relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, oid, NULL,
        pg_get_viewdef(oid)
    FROM pg_class WHERE relkind IN ('v', 'm')
)
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
SELECT n.oid, i.type, i.identity, 'sql', pg_get_expr(p.proargdefaults, 0), NULL, '{}', true
FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
    CROSS JOIN LATERAL pg_identify_object('pg_proc'::regclass, p.oid, 0) i
WHERE p.proargdefaults IS NOT NULL
    AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%%'
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
UNION ALL
SELECT n.oid, parts.kind,
    format('%%I.%%I', n.nspname, c.relname) || coalesce('.' || quote_ident(parts.name), ''),
    'sql', parts.text, NULL, '{}', true
FROM parts
    JOIN pg_class c ON c.oid = parts.relation
    JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE parts.text LIKE '%%''%%'
    AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%%'
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
UNION ALL
SELECT n.oid, 'type', i.identity, 'sql',
    concat_ws('; ', pg_get_expr(t.typdefaultbin, 0), (SELECT string_agg(
        pg_get_expr(k.conbin, 0), '; ') FROM pg_constraint k WHERE k.contypid = t.oid)),
    NULL, '{}', true
FROM pg_type t
    JOIN pg_namespace n ON n.oid = t.typnamespace
    CROSS JOIN LATERAL pg_identify_object('pg_type'::regclass, t.oid, 0) i
WHERE t.typtype = 'd' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%%'
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')
ORDER BY 3
"""

# By the number of arguments, because to_tsvector('…') has a document and no configuration.
SELECT_NAME_ARGUMENTS = """
SELECT p.proname, n, a.ordinality - 1
FROM pg_proc p
    CROSS JOIN LATERAL unnest(p.proargtypes) WITH ORDINALITY AS a (type)
    CROSS JOIN LATERAL generate_series(
        greatest(p.pronargs - p.pronargdefaults, a.ordinality), p.pronargs) AS n
WHERE p.proargtypes::oid[] && %(types)s::regtype[]::oid[]
    AND a.type = ANY (%(types)s::regtype[]::oid[])
"""


class CatalogText(NamedTuple):
    """One text that an object keeps.

    Attributes:
        schema: the oid of the object's schema.
        search_path: what the object sets it to, if it does.
        variables: names that mean something else in the text, such as those of the arguments.
        is_recorded: whether PostgreSQL has recorded what it names, except within strings.
    """

    schema: int
    kind: str
    identity: str
    language: str
    text: str
    search_path: str | None
    variables: list[str]
    is_recorded: bool


def catalog_texts(connection: BaseDatabaseWrapper) -> Iterator[CatalogText]:
    """Yield the texts of every object that no extension brings along, by the objects' names."""
    [rows] = run_sql(connection, SELECT_TEXTS, {})
    yield from map(CatalogText._make, rows)


def name_arguments(connection: BaseDatabaseWrapper) -> NameArguments:
    """Return which arguments of the database's functions are names, such as ``regclass``."""
    [rows] = run_sql(connection, SELECT_NAME_ARGUMENTS, {"types": sorted(REG_TYPES)})
    found: dict[str, set[tuple[int, int]]] = {}
    for name, count, position in rows:
        found.setdefault(name, set()).add((count, position))
    return found
