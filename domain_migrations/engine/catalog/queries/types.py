"""Types, collations, conversions, casts and text search objects."""

from __future__ import annotations

ENUMS_DOMAINS_RANGES = """
SELECT 'type', t.oid::regtype::text, NULL,
    ARRAY[
        CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain over '
            || format_type(t.typbasetype, t.typtypmod) WHEN 'r' THEN 'range' END,
        'collate ' || CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation
            THEN t.typcollation::regcollation::text END,
        CASE WHEN t.typnotnull THEN 'not null' END,
        'default ' || coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault)),
        'subtype ' || r.rngsubtype::regtype,
        'multirange ' || nullif(r.rngmultitypid, 0)::regtype,
        'collate ' || CASE WHEN r.rngcollation <> s.typcollation
            THEN r.rngcollation::regcollation::text END,
        (SELECT 'operator class ' || o.opcnamespace::regnamespace || '.' || quote_ident(o.opcname)
         FROM pg_opclass o WHERE o.oid = r.rngsubopc AND NOT o.opcdefault),
        'canonical ' || nullif(r.rngcanonical::oid, 0)::regprocedure,
        'difference ' || nullif(r.rngsubdiff::oid, 0)::regprocedure,
        'comment ' || quote_literal(obj_description(t.oid, 'pg_type'))
    ]
    || ARRAY(SELECT 'label ' || quote_literal(l.enumlabel)
             FROM pg_enum l WHERE l.enumtypid = t.oid ORDER BY l.enumsortorder)
    || ARRAY(SELECT 'constraint ' || quote_ident(k.conname) || ' '
                || pg_get_constraintdef(k.oid) || coalesce(
                    ' comment ' || quote_literal(obj_description(k.oid, 'pg_constraint')), '')
             FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype <> 'n'
             ORDER BY k.conname COLLATE "C")
FROM type t
LEFT JOIN pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_type s ON s.oid = r.rngsubtype
WHERE t.typtype IN ('e', 'd', 'r')
"""

# The order of a composite type's attributes matters, because values are written by position.
COMPOSITES = """
SELECT 'type', t.oid::regtype::text, NULL,
    ARRAY['composite', 'comment ' || quote_literal(obj_description(t.oid, 'pg_type'))]
    || ARRAY(
        SELECT 'attribute ' || quote_ident(a.attname) || ' '
            || format_type(a.atttypid, a.atttypmod)
            || CASE WHEN a.attcollation <> b.typcollation
                THEN ' collate ' || a.attcollation::regcollation ELSE '' END
            || coalesce(' comment ' || quote_literal(col_description(c.oid, a.attnum)), '')
        FROM pg_attribute a JOIN pg_type b ON b.oid = a.atttypid
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum)
FROM type t
JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
"""

BASE_TYPES = """
SELECT 'type', t.oid::regtype::text, NULL, ARRAY[
    CASE WHEN t.typisdefined THEN 'base' ELSE 'shell' END,
    'input ' || nullif(t.typinput::oid, 0)::regprocedure,
    'output ' || nullif(t.typoutput::oid, 0)::regprocedure,
    'receive ' || nullif(t.typreceive::oid, 0)::regprocedure,
    'send ' || nullif(t.typsend::oid, 0)::regprocedure,
    'modifier input ' || nullif(t.typmodin::oid, 0)::regprocedure,
    'modifier output ' || nullif(t.typmodout::oid, 0)::regprocedure,
    'analyze ' || nullif(t.typanalyze::oid, 0)::regprocedure,
    'subscript ' || nullif(t.typsubscript::oid, 0)::regprocedure,
    'length ' || t.typlen || ' alignment ' || t.typalign::text
        || ' storage ' || t.typstorage::text || ' category ' || t.typcategory::text
        || ' delimiter ' || t.typdelim::text,
    CASE WHEN t.typbyval THEN 'by value' END,
    CASE WHEN t.typispreferred THEN 'preferred' END,
    CASE WHEN t.typcollation <> 0 THEN 'collatable' END,
    'element ' || nullif(t.typelem, 0)::regtype,
    'default ' || quote_literal(t.typdefault),
    'comment ' || quote_literal(obj_description(t.oid, 'pg_type'))
]
FROM type t
WHERE t.typtype IN ('b', 'p')
    AND NOT EXISTS (SELECT FROM pg_type x WHERE x.oid = t.typelem AND x.typarray = t.oid)
"""

# 15 and 16 name the ICU locale differently from 17. A collation's version depends on the server.
COLLATIONS = """
SELECT 'collation', c.oid::regcollation::text, NULL, ARRAY[
    'provider ' || CASE c.collprovider WHEN 'i' THEN 'icu' WHEN 'c' THEN 'libc'
        WHEN 'b' THEN 'builtin' ELSE 'default' END,
    'collate ' || quote_literal(c.collcollate) || ' ctype ' || quote_literal(c.collctype),
    'locale ' || quote_literal(coalesce(to_jsonb(c) ->> 'colllocale',
                                        to_jsonb(c) ->> 'colliculocale')),
    'rules ' || quote_literal(to_jsonb(c) ->> 'collicurules'),
    CASE WHEN NOT c.collisdeterministic THEN 'not deterministic' END,
    'comment ' || quote_literal(obj_description(c.oid, 'pg_collation'))
]
FROM pg_collation c
WHERE c.collnamespace IN (TABLE namespace)
    AND NOT EXISTS (SELECT FROM member WHERE classid = c.tableoid AND objid = c.oid)
"""

CONVERSIONS = """
SELECT 'conversion', c.connamespace::regnamespace || '.' || quote_ident(c.conname), NULL, ARRAY[
    pg_encoding_to_char(c.conforencoding) || ' to ' || pg_encoding_to_char(c.contoencoding)
        || ' by ' || c.conproc::oid::regprocedure,
    CASE WHEN c.condefault THEN 'default' END,
    'comment ' || quote_literal(obj_description(c.oid, 'pg_conversion'))
]
FROM pg_conversion c
WHERE c.connamespace IN (TABLE namespace)
    AND NOT EXISTS (SELECT FROM member WHERE classid = c.tableoid AND objid = c.oid)
"""

# A cast is not in a schema, so it is listed with each of its types. Casts from a range to its
# multirange are part of the range.
CASTS = """
SELECT 'cast', c.castsource::regtype || ' as ' || c.casttarget::regtype, NULL, ARRAY[
    CASE c.castmethod WHEN 'f' THEN 'by ' || c.castfunc::regprocedure
        WHEN 'i' THEN 'by input and output' ELSE 'binary' END,
    CASE c.castcontext WHEN 'a' THEN 'in assignments' WHEN 'i' THEN 'implicit' END,
    'comment ' || quote_literal(obj_description(c.oid, 'pg_cast'))
]
FROM pg_cast c
JOIN pg_type s ON s.oid = c.castsource
JOIN pg_type t ON t.oid = c.casttarget
WHERE (TABLE namespace) IN (s.typnamespace, t.typnamespace)
    AND NOT (s.typtype = 'r' AND t.typtype = 'm')
    AND NOT EXISTS (SELECT FROM member WHERE classid = c.tableoid AND objid = c.oid)
"""

TRANSFORMS = """
SELECT 'transform', 'for ' || f.trftype::regtype || ' language ' || quote_ident(l.lanname), NULL,
ARRAY[
    'from sql by ' || nullif(f.trffromsql, 0)::regprocedure,
    'to sql by ' || nullif(f.trftosql, 0)::regprocedure,
    'comment ' || quote_literal(obj_description(f.oid, 'pg_transform'))
]
FROM pg_transform f JOIN pg_type t ON t.oid = f.trftype JOIN pg_language l ON l.oid = f.trflang
WHERE t.typnamespace IN (TABLE namespace)
    AND NOT EXISTS (SELECT FROM member WHERE classid = f.tableoid AND objid = f.oid)
"""

CONFIGURATIONS = """
SELECT 'text search configuration', c.oid::regconfig::text, NULL,
    ARRAY[
        'parser ' || p.prsnamespace::regnamespace || '.' || quote_ident(p.prsname),
        'comment ' || quote_literal(obj_description(c.oid, 'pg_ts_config'))
    ]
    || ARRAY(
        SELECT 'mapping ' || quote_ident(k.alias) || ': '
            || string_agg(m.mapdict::regdictionary::text, ', ' ORDER BY m.mapseqno)
        FROM pg_ts_config_map m JOIN ts_token_type(c.cfgparser) k ON k.tokid = m.maptokentype
        WHERE m.mapcfg = c.oid
        GROUP BY k.alias ORDER BY k.alias COLLATE "C")
FROM pg_ts_config c JOIN pg_ts_parser p ON p.oid = c.cfgparser
WHERE c.cfgnamespace IN (TABLE namespace)
    AND NOT EXISTS (SELECT FROM member WHERE classid = c.tableoid AND objid = c.oid)
"""

DICTIONARIES = """
SELECT 'text search dictionary', d.oid::regdictionary::text, NULL, ARRAY[
    'template ' || t.tmplnamespace::regnamespace || '.' || quote_ident(t.tmplname),
    'options ' || d.dictinitoption,
    'comment ' || quote_literal(obj_description(d.oid, 'pg_ts_dict'))
]
FROM pg_ts_dict d JOIN pg_ts_template t ON t.oid = d.dicttemplate
WHERE d.dictnamespace IN (TABLE namespace)
    AND NOT EXISTS (SELECT FROM member WHERE classid = d.tableoid AND objid = d.oid)
"""

PARSERS = """
SELECT 'text search parser',
    p.prsnamespace::regnamespace || '.' || quote_ident(p.prsname), NULL, ARRAY[
    'start ' || p.prsstart::oid::regprocedure,
    'token ' || p.prstoken::oid::regprocedure,
    'end ' || p.prsend::oid::regprocedure,
    'types ' || p.prslextype::oid::regprocedure,
    'headline ' || nullif(p.prsheadline::oid, 0)::regprocedure,
    'comment ' || quote_literal(obj_description(p.oid, 'pg_ts_parser'))
]
FROM pg_ts_parser p
WHERE p.prsnamespace IN (TABLE namespace)
    AND NOT EXISTS (SELECT FROM member WHERE classid = p.tableoid AND objid = p.oid)
"""

TEMPLATES = """
SELECT 'text search template',
    t.tmplnamespace::regnamespace || '.' || quote_ident(t.tmplname), NULL, ARRAY[
    'lexize ' || t.tmpllexize::oid::regprocedure,
    'init ' || nullif(t.tmplinit::oid, 0)::regprocedure,
    'comment ' || quote_literal(obj_description(t.oid, 'pg_ts_template'))
]
FROM pg_ts_template t
WHERE t.tmplnamespace IN (TABLE namespace)
    AND NOT EXISTS (SELECT FROM member WHERE classid = t.tableoid AND objid = t.oid)
"""

TYPE_QUERIES = (
    *(ENUMS_DOMAINS_RANGES, COMPOSITES, BASE_TYPES, COLLATIONS, CONVERSIONS, CASTS),
    *(TRANSFORMS, CONFIGURATIONS, DICTIONARIES, PARSERS, TEMPLATES),
)
