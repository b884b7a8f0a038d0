"""The catalog's contents of a schema, comparable with those of another schema."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

# Everything of one schema. Names of schemas in definitions are taken out afterwards.
CATALOG = """
WITH relation AS (
    SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s
)
SELECT 'relation', relname, relname, concat_ws(
    ' ', relkind, relpersistence, reloptions, obj_description(oid, 'pg_class')
)
FROM relation WHERE relkind <> 't'
UNION ALL
SELECT 'column', r.relname, a.attname, concat_ws(
    ' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
    nullif(a.attidentity, ''), nullif(a.attgenerated, ''), l.collname,
    col_description(r.oid, a.attnum)
)
FROM relation r
JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE r.relkind IN ('r', 'p', 'v', 'm')
UNION ALL
SELECT 'constraint', r.relname, c.conname, concat_ws(
    ' ', pg_get_constraintdef(c.oid), c.convalidated, c.condeferrable, c.condeferred,
    obj_description(c.oid, 'pg_constraint')
)
FROM relation r JOIN pg_constraint c ON c.conrelid = r.oid
UNION ALL
SELECT 'index', t.relname, r.relname, concat_ws(' ', pg_get_indexdef(r.oid), i.indisvalid)
FROM relation r JOIN pg_index i ON i.indexrelid = r.oid JOIN pg_class t ON t.oid = i.indrelid
UNION ALL
SELECT 'sequence', owner.relname, r.relname, concat_ws(
    ' ', a.attname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, d.deptype
)
FROM relation r
JOIN pg_sequence s ON s.seqrelid = r.oid
LEFT JOIN pg_depend d ON d.objid = r.oid AND d.refobjsubid > 0
    AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
LEFT JOIN pg_class owner ON owner.oid = d.refobjid
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
UNION ALL
SELECT 'trigger', r.relname, t.tgname, pg_get_triggerdef(t.oid)
FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
ORDER BY 1, 2, 3, 4
"""

Catalog = list[tuple[str, str, str, str]]


def catalog(connection: BaseDatabaseWrapper, schema: str) -> Catalog:
    """Everything in the schema: (kind, its table, its name, its definition)."""
    with connection.cursor() as cursor:
        cursor.execute(CATALOG, {"schema": schema})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        cursor.execute("SELECT quote_ident(%s)", [schema])
        ((identifier,),) = cursor.fetchall()
    prefix = f"{identifier}."
    return [(kind, table, name, text.replace(prefix, "")) for kind, table, name, text in rows]


def oids(connection: BaseDatabaseWrapper, schema: str) -> dict[str, int]:
    """The identity of everything in the schema: what was dropped and made again has another."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, oid::bigint FROM pg_class WHERE relnamespace = %s::regnamespace"
            " AND relkind <> 't' UNION ALL SELECT concat(conrelid::regclass, ' ', conname),"
            " oid::bigint FROM pg_constraint WHERE connamespace = %s::regnamespace",
            [f'"{schema}"', f'"{schema}"'],
        )
        return dict(cursor.fetchall())
