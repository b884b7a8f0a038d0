"""Names that SQL can use and that do not follow from the rest of a schema.

PostgreSQL 18 has constraints for NOT NULL, and 17 for that of a domain; their names are those of
the tables and columns at the time. They are read only on request, because an older server has
none and the text of a schema is the same on every version.
"""

from __future__ import annotations

NOT_NULL = """
SELECT 'constraint', n.name || '.' || quote_ident(k.conname), n.relation, ARRAY[
    pg_get_constraintdef(k.oid),
    CASE WHEN k.coninhcount > 0 THEN
        CASE WHEN k.conislocal THEN 'inherited and local' ELSE 'inherited' END END,
    'comment ' || quote_literal(obj_description(k.oid, 'pg_constraint'))
]
FROM pg_constraint k JOIN (
    SELECT c.oid, 0, c.name, c.relname FROM relation c
    UNION ALL SELECT 0, t.oid, t.oid::regtype::text, NULL FROM type t
) AS n (relid, typid, name, relation) ON (k.conrelid, k.contypid) = (n.relid, n.typid)
WHERE k.contype = 'n'
"""

# An array's type is named after its element's, with as many underscores as it takes.
ARRAYS = r"""
SELECT 'array type', a.typnamespace::regnamespace || '.' || quote_ident(a.typname), NULL,
    ARRAY['of ' || t.oid::regtype]
FROM pg_type a JOIN type t ON t.typarray = a.oid
WHERE a.typname <> '_' || t.typname AND octet_length(t.typname) < 63
"""

NAME_QUERIES = (NOT_NULL, ARRAYS)
