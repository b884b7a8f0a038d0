"""Functions, procedures, aggregates, operators, and operator classes and families."""

from __future__ import annotations

# The constructors of a range type depend on it internally and are part of it.
FUNCTIONS = """
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'w' THEN 'window function'
        ELSE 'function' END,
    p.oid::regprocedure::text, NULL,
    array_remove(ARRAY[
        pg_get_functiondef(p.oid),
        'comment ' || quote_literal(obj_description(p.oid, 'pg_proc'))
    ], NULL)
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = %(schema)s AND p.prokind <> 'a'
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = p.tableoid AND e.objid = p.oid AND e.deptype IN ('e', 'i'))
"""

AGGREGATES = """
SELECT 'aggregate', p.oid::regprocedure::text, NULL,
    array_remove(ARRAY[
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
    ], NULL)
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_aggregate g ON g.aggfnoid = p.oid
WHERE n.nspname = %(schema)s
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = p.tableoid AND e.objid = p.oid AND e.deptype = 'e')
"""

OPERATORS = """
SELECT 'operator', o.oid::regoperator::text, NULL,
    array_remove(ARRAY[
        'returns ' || o.oprresult::regtype || ' by ' || o.oprcode::oid::regprocedure,
        'commutator ' || nullif(o.oprcom, 0)::regoperator,
        'negator ' || nullif(o.oprnegate, 0)::regoperator,
        'restrict ' || nullif(o.oprrest::oid, 0)::regprocedure,
        'join ' || nullif(o.oprjoin::oid, 0)::regprocedure,
        CASE WHEN o.oprcanmerge THEN 'merges' END,
        CASE WHEN o.oprcanhash THEN 'hashes' END,
        'comment ' || quote_literal(obj_description(o.oid, 'pg_operator'))
    ], NULL)
FROM pg_operator o
JOIN pg_namespace n ON n.oid = o.oprnamespace
WHERE n.nspname = %(schema)s
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = o.tableoid AND e.objid = o.oid AND e.deptype = 'e')
"""

OPERATOR_FAMILIES = """
SELECT 'operator family',
    quote_ident(n.nspname) || '.' || quote_ident(f.opfname) || ' using ' || quote_ident(m.amname),
    NULL,
    array_remove(
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
        || ('comment ' || quote_literal(obj_description(f.oid, 'pg_opfamily'))),
        NULL)
FROM pg_opfamily f
JOIN pg_namespace n ON n.oid = f.opfnamespace
JOIN pg_am m ON m.oid = f.opfmethod
WHERE n.nspname = %(schema)s
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = f.tableoid AND e.objid = f.oid AND e.deptype = 'e')
"""

OPERATOR_CLASSES = """
SELECT 'operator class',
    quote_ident(n.nspname) || '.' || quote_ident(o.opcname) || ' using ' || quote_ident(m.amname),
    NULL,
    array_remove(ARRAY[
        'for type ' || o.opcintype::regtype,
        CASE WHEN o.opcdefault THEN 'default' END,
        'family ' || quote_ident(fn.nspname) || '.' || quote_ident(f.opfname),
        'storage ' || nullif(o.opckeytype, 0)::regtype,
        'comment ' || quote_literal(obj_description(o.oid, 'pg_opclass'))
    ], NULL)
FROM pg_opclass o
JOIN pg_namespace n ON n.oid = o.opcnamespace
JOIN pg_am m ON m.oid = o.opcmethod
JOIN pg_opfamily f ON f.oid = o.opcfamily
JOIN pg_namespace fn ON fn.oid = f.opfnamespace
WHERE n.nspname = %(schema)s
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = o.tableoid AND e.objid = o.oid AND e.deptype = 'e')
"""

ROUTINE_QUERIES = (FUNCTIONS, AGGREGATES, OPERATORS, OPERATOR_FAMILIES, OPERATOR_CLASSES)
