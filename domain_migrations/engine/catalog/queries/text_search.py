"""Text search configurations, dictionaries, parsers and templates."""

from __future__ import annotations

CONFIGURATIONS = """
SELECT 'text search configuration', c.oid::regconfig::text, NULL,
    array_remove(
        ARRAY[
            'parser ' || quote_ident(pn.nspname) || '.' || quote_ident(p.prsname),
            'comment ' || quote_literal(obj_description(c.oid, 'pg_ts_config'))
        ]
        || ARRAY(
            SELECT 'mapping ' || quote_ident(k.alias) || ': '
                || string_agg(m.mapdict::regdictionary::text, ', ' ORDER BY m.mapseqno)
            FROM pg_ts_config_map m JOIN ts_token_type(c.cfgparser) k ON k.tokid = m.maptokentype
            WHERE m.mapcfg = c.oid
            GROUP BY k.alias ORDER BY k.alias COLLATE "C"),
        NULL)
FROM pg_ts_config c
JOIN pg_namespace n ON n.oid = c.cfgnamespace
JOIN pg_ts_parser p ON p.oid = c.cfgparser
JOIN pg_namespace pn ON pn.oid = p.prsnamespace
WHERE n.nspname = %(schema)s
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = c.tableoid AND e.objid = c.oid AND e.deptype = 'e')
"""

DICTIONARIES = """
SELECT 'text search dictionary', d.oid::regdictionary::text, NULL,
    array_remove(ARRAY[
        'template ' || quote_ident(tn.nspname) || '.' || quote_ident(t.tmplname),
        'options ' || d.dictinitoption,
        'comment ' || quote_literal(obj_description(d.oid, 'pg_ts_dict'))
    ], NULL)
FROM pg_ts_dict d
JOIN pg_namespace n ON n.oid = d.dictnamespace
JOIN pg_ts_template t ON t.oid = d.dicttemplate
JOIN pg_namespace tn ON tn.oid = t.tmplnamespace
WHERE n.nspname = %(schema)s
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = d.tableoid AND e.objid = d.oid AND e.deptype = 'e')
"""

PARSERS = """
SELECT 'text search parser', quote_ident(n.nspname) || '.' || quote_ident(p.prsname), NULL,
    array_remove(ARRAY[
        'start ' || p.prsstart::oid::regprocedure,
        'token ' || p.prstoken::oid::regprocedure,
        'end ' || p.prsend::oid::regprocedure,
        'types ' || p.prslextype::oid::regprocedure,
        'headline ' || nullif(p.prsheadline::oid, 0)::regprocedure,
        'comment ' || quote_literal(obj_description(p.oid, 'pg_ts_parser'))
    ], NULL)
FROM pg_ts_parser p
JOIN pg_namespace n ON n.oid = p.prsnamespace
WHERE n.nspname = %(schema)s
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = p.tableoid AND e.objid = p.oid AND e.deptype = 'e')
"""

TEMPLATES = """
SELECT 'text search template', quote_ident(n.nspname) || '.' || quote_ident(t.tmplname), NULL,
    array_remove(ARRAY[
        'lexize ' || t.tmpllexize::oid::regprocedure,
        'init ' || nullif(t.tmplinit::oid, 0)::regprocedure,
        'comment ' || quote_literal(obj_description(t.oid, 'pg_ts_template'))
    ], NULL)
FROM pg_ts_template t
JOIN pg_namespace n ON n.oid = t.tmplnamespace
WHERE n.nspname = %(schema)s
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = t.tableoid AND e.objid = t.oid AND e.deptype = 'e')
"""

SEARCH_QUERIES = (CONFIGURATIONS, DICTIONARIES, PARSERS, TEMPLATES)
