"""Functions on the nodes: the coordinator makes them there only if Citus knew of them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from ..sessions.connection import execute, fetch_all

# Those that a trigger or a default runs come with the table; what they call does not. Functions in
# other languages may need libraries that a node does not have.
UNKNOWN = """
SELECT p.oid
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE n.nspname = ANY(%s) AND p.prokind IN ('f', 'p') AND l.lanname IN ('plpgsql', 'sql')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_dist_object o
        WHERE o.classid = p.tableoid AND o.objid = p.oid)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = p.tableoid AND d.objid = p.oid AND d.deptype = 'e')
ORDER BY p.oid
"""

CREATE = "SELECT pg_catalog.create_distributed_function(%s::oid::regprocedure)"


def create_unknown_functions(connection: BaseDatabaseWrapper, schemas: Sequence[str]) -> int:
    """Create on every node the functions that were there before the extension; return how many.

    What they read has to be there already: the node checks the text of those in SQL.
    """
    functions = [oid for (oid,) in fetch_all(connection, UNKNOWN, [list(schemas)])]
    for oid in functions:
        execute(connection, CREATE, [oid])
    return len(functions)
