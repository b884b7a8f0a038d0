"""Objects in no schema: publications, event triggers, foreign servers, languages …"""

from __future__ import annotations

PUBLICATIONS = """
SELECT 'publication', quote_ident(p.pubname), NULL,
    ARRAY[
        CASE WHEN p.puballtables THEN 'for all tables' END,
        'publish ' || concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END,
            CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END,
            CASE WHEN p.pubtruncate THEN 'truncate' END),
        CASE WHEN p.pubviaroot THEN 'via partition root' END,
        'comment ' || quote_literal(obj_description(p.oid, 'pg_publication'))
    ]
    || ARRAY(SELECT 'schema ' || s.pnnspid::regnamespace FROM pg_publication_namespace s
             WHERE s.pnpubid = p.oid ORDER BY 1)
    || ARRAY(SELECT 'table ' || r.prrelid::regclass
                || coalesce(' (' || (SELECT string_agg(quote_ident(a.attname), ', '
                                                       ORDER BY a.attname COLLATE "C")
                    FROM pg_attribute a
                    WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)) || ')', '')
                || coalesce(' where ' || pg_get_expr(r.prqual, r.prrelid), '')
             FROM pg_publication_rel r WHERE r.prpubid = p.oid ORDER BY 1)
FROM pg_publication p
"""

EVENT_TRIGGERS = """
SELECT 'event trigger', quote_ident(e.evtname), NULL, ARRAY[
    'on ' || e.evtevent || ' by ' || e.evtfoid::regprocedure,
    'tags ' || array_to_string(e.evttags, ', '),
    CASE e.evtenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replica only'
        WHEN 'A' THEN 'always' END,
    'comment ' || quote_literal(obj_description(e.oid, 'pg_event_trigger'))
]
FROM pg_event_trigger e
WHERE NOT EXISTS (SELECT FROM member WHERE classid = e.tableoid AND objid = e.oid)
"""

FOREIGN_DATA = """
SELECT 'foreign data wrapper', quote_ident(w.fdwname), NULL, ARRAY[
    'handler ' || nullif(w.fdwhandler, 0)::regprocedure,
    'validator ' || nullif(w.fdwvalidator, 0)::regprocedure,
    'options ' || array_to_string(w.fdwoptions, ', ')
]
FROM pg_foreign_data_wrapper w
WHERE NOT EXISTS (SELECT FROM member WHERE classid = w.tableoid AND objid = w.oid)
UNION ALL
SELECT 'server', quote_ident(s.srvname), NULL, ARRAY[
    'of ' || quote_ident(w.fdwname),
    'type ' || quote_literal(s.srvtype), 'version ' || quote_literal(s.srvversion),
    'options ' || array_to_string(s.srvoptions, ', ')
] || ARRAY(SELECT 'user ' || u.usename FROM pg_user_mappings u WHERE u.srvid = s.oid ORDER BY 1)
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
"""

LANGUAGES_AND_ACCESS_METHODS = """
SELECT 'language', quote_ident(l.lanname), NULL,
    ARRAY['handler ' || nullif(l.lanplcallfoid, 0)::regprocedure]
FROM pg_language l
WHERE NOT EXISTS (SELECT FROM member WHERE classid = l.tableoid AND objid = l.oid)
UNION ALL
SELECT 'access method', quote_ident(m.amname), NULL, ARRAY['handler ' || m.amhandler]
FROM pg_am m
WHERE NOT EXISTS (SELECT FROM member WHERE classid = m.tableoid AND objid = m.oid)
"""

# Casts and transforms of a schema's own types are listed with that schema.
CASTS_AND_TRANSFORMS = """
SELECT 'cast', c.castsource::regtype || ' as ' || c.casttarget::regtype, NULL,
    ARRAY['by ' || nullif(c.castfunc, 0)::regprocedure]
FROM pg_cast c
JOIN pg_type s ON s.oid = c.castsource AND s.typnamespace = 'pg_catalog'::regnamespace
JOIN pg_type t ON t.oid = c.casttarget AND t.typnamespace = 'pg_catalog'::regnamespace
WHERE c.oid >= 16384 AND NOT EXISTS (
    SELECT FROM member WHERE classid = c.tableoid AND objid = c.oid)
UNION ALL
SELECT 'transform', 'for ' || f.trftype::regtype || ' language ' || quote_ident(l.lanname), NULL,
    ARRAY['by ' || nullif(f.trffromsql, 0)::regprocedure,
        'to sql by ' || nullif(f.trftosql, 0)::regprocedure]
FROM pg_transform f JOIN pg_language l ON l.oid = f.trflang
JOIN pg_type t ON t.oid = f.trftype AND t.typnamespace = 'pg_catalog'::regnamespace
WHERE NOT EXISTS (SELECT FROM member WHERE classid = f.tableoid AND objid = f.oid)
"""

DATABASE_QUERIES = (
    *(PUBLICATIONS, EVENT_TRIGGERS, FOREIGN_DATA, LANGUAGES_AND_ACCESS_METHODS),
    CASTS_AND_TRANSFORMS,
)
