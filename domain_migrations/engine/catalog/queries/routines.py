"""Functions, procedures, aggregates, operators, and operator classes and families."""

from __future__ import annotations

FUNCTIONS = """
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'w' THEN 'window function'
    ELSE 'function' END, p.oid::regprocedure::text, NULL,
ARRAY[
    pg_get_functiondef(p.oid),
    'comment ' || quote_literal(obj_description(p.oid, 'pg_proc'))
]
FROM routine p
WHERE p.prokind <> 'a'
"""

AGGREGATES = """
SELECT 'aggregate', p.oid::regprocedure::text, NULL, ARRAY[
    CASE g.aggkind WHEN 'o' THEN 'ordered-set' WHEN 'h' THEN 'hypothetical-set' END,
    'arguments ' || pg_get_function_arguments(p.oid),
    'direct arguments ' || nullif(g.aggnumdirectargs, 0),
    'returns ' || pg_get_function_result(p.oid),
    'state ' || g.aggtranstype::regtype || ' by ' || g.aggtransfn::regprocedure,
    'state size ' || nullif(g.aggtransspace, 0),
    'final ' || nullif(g.aggfinalfn, 0)::regprocedure
        || CASE WHEN g.aggfinalextra THEN ' extra' ELSE '' END
        || ' modify ' || g.aggfinalmodify::text,
    'combine ' || nullif(g.aggcombinefn, 0)::regprocedure,
    'serial ' || nullif(g.aggserialfn, 0)::regprocedure,
    'deserial ' || nullif(g.aggdeserialfn, 0)::regprocedure,
    'initial ' || quote_literal(g.agginitval),
    'moving state ' || nullif(g.aggmtranstype, 0)::regtype
        || ' by ' || g.aggmtransfn::regprocedure
        || ' back by ' || g.aggminvtransfn::regprocedure,
    'moving state size ' || nullif(g.aggmtransspace, 0),
    'moving final ' || nullif(g.aggmfinalfn, 0)::regprocedure
        || CASE WHEN g.aggmfinalextra THEN ' extra' ELSE '' END
        || ' modify ' || g.aggmfinalmodify::text,
    'moving initial ' || quote_literal(g.aggminitval),
    'sort by ' || nullif(g.aggsortop, 0)::regoperator,
    'parallel ' || p.proparallel::text,
    'comment ' || quote_literal(obj_description(p.oid, 'pg_proc'))
]
FROM routine p JOIN pg_aggregate g ON g.aggfnoid = p.oid
"""

OPERATORS = """
SELECT 'operator', o.oid::regoperator::text, NULL, ARRAY[
    'returns ' || o.oprresult::regtype || ' by ' || o.oprcode::oid::regprocedure,
    'commutator ' || nullif(o.oprcom, 0)::regoperator,
    'negator ' || nullif(o.oprnegate, 0)::regoperator,
    'restrict ' || nullif(o.oprrest::oid, 0)::regprocedure,
    'join ' || nullif(o.oprjoin::oid, 0)::regprocedure,
    CASE WHEN o.oprcanmerge THEN 'merges' END,
    CASE WHEN o.oprcanhash THEN 'hashes' END,
    'comment ' || quote_literal(obj_description(o.oid, 'pg_operator'))
]
FROM pg_operator o
WHERE o.oprnamespace IN (TABLE namespace)
    AND NOT EXISTS (SELECT FROM member WHERE classid = o.tableoid AND objid = o.oid)
"""

OPERATOR_FAMILIES = """
SELECT 'operator family', f.opfnamespace::regnamespace || '.' || quote_ident(f.opfname)
    || ' using ' || quote_ident(m.amname), NULL,
    ARRAY(
        SELECT 'operator ' || o.amopstrategy || ' ' || o.amopopr::regoperator
            || CASE o.amoppurpose WHEN 'o' THEN ' for order by' ELSE '' END
        FROM pg_amop o WHERE o.amopfamily = f.oid
        ORDER BY o.amopstrategy, o.amopopr::regoperator::text COLLATE "C")
    || ARRAY(
        SELECT 'function ' || p.amprocnum || ' (' || p.amproclefttype::regtype || ', '
            || p.amprocrighttype::regtype || ') ' || p.amproc::oid::regprocedure
        FROM pg_amproc p WHERE p.amprocfamily = f.oid
        ORDER BY p.amprocnum, p.amproc::oid::regprocedure::text COLLATE "C")
    || ('comment ' || quote_literal(obj_description(f.oid, 'pg_opfamily')))
FROM pg_opfamily f JOIN pg_am m ON m.oid = f.opfmethod
WHERE f.opfnamespace IN (TABLE namespace)
    AND NOT EXISTS (SELECT FROM member WHERE classid = f.tableoid AND objid = f.oid)
"""

OPERATOR_CLASSES = """
SELECT 'operator class', o.opcnamespace::regnamespace || '.' || quote_ident(o.opcname)
    || ' using ' || quote_ident(m.amname), NULL,
ARRAY[
    'for type ' || o.opcintype::regtype,
    CASE WHEN o.opcdefault THEN 'default' END,
    'family ' || f.opfnamespace::regnamespace || '.' || quote_ident(f.opfname),
    'storage ' || nullif(o.opckeytype, 0)::regtype,
    'comment ' || quote_literal(obj_description(o.oid, 'pg_opclass'))
]
FROM pg_opclass o
JOIN pg_am m ON m.oid = o.opcmethod
JOIN pg_opfamily f ON f.oid = o.opcfamily
WHERE o.opcnamespace IN (TABLE namespace)
    AND NOT EXISTS (SELECT FROM member WHERE classid = o.tableoid AND objid = o.oid)
"""

ROUTINE_QUERIES = (FUNCTIONS, AGGREGATES, OPERATORS, OPERATOR_FAMILIES, OPERATOR_CLASSES)
