"""Keys of core on a Citus cluster, which keeps the type of a column that a sequence fills."""

from __future__ import annotations

from typing import LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import QualifiedName
from ...exceptions import InvalidConfiguration
from ..cluster.cluster import EXTENSION
from ..sessions.connection import fetch_one

FILLED_BY_A_SEQUENCE: LiteralString = """
SELECT pg_catalog.format_type(a.atttypid, a.atttypmod)
FROM pg_catalog.pg_dist_partition p
JOIN pg_catalog.pg_attribute a ON a.attrelid = p.logicalrelid AND a.attname = %(column)s
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE p.logicalrelid = pg_catalog.to_regclass(%(table)s)
    AND (a.attidentity <> '' OR d.adbin::text
        LIKE '%%:funcid ' || 'nextval(regclass)'::regprocedure::oid || ' %%')
"""

HINT = (
    "Remove the migration. The change works before core is distributed, and in a dump of the"
    " coordinator that was restored into plain PostgreSQL. On the cluster, create a model with a"
    " key of that type, and copy the rows and the references to it."
)


def check_key_keeps_type(
    connection: BaseDatabaseWrapper, what: str, table: QualifiedName, column: str, kind: str
) -> None:
    """Refuse another type of a column that a sequence fills, if its table is on the nodes.

    Arguments:
        what: the migration and its operation, as the beginning of a sentence.
        kind: the type that the operation gives to the column.

    Raises:
        InvalidConfiguration: Citus would refuse the operation when earlier ones have run.
    """
    if fetch_one(connection, EXTENSION) is None:
        return
    names = {"table": table.db_table, "column": column}
    if found := fetch_one(connection, FILLED_BY_A_SEQUENCE, names):
        raise InvalidConfiguration(
            f"{what} changes {table}.{column}, which a sequence fills, from {found[0]} to {kind}."
            " Citus changes the type of no such column of a table that is on its nodes.",
            hint=HINT,
        )
