"""The schema of a new domain on a cluster: distributed before it has a table."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ..sessions.connection import execute, fetch_one, schema_exists
from .cluster import Cluster
from .reference_tables import create_missing_reference_tables

IS_EMPTY = """
SELECT NOT EXISTS (
    SELECT FROM pg_catalog.pg_class WHERE relnamespace = to_regnamespace(quote_ident(%s))
        AND relkind IN ('r', 'p', 'f', 'm', 'v', 'S'))
"""
BY_DEFAULT = "SELECT current_setting('citus.enable_schema_based_sharding', true) = 'on'"
BY_DEFAULT_HERE = sql.SQL("SET LOCAL citus.enable_schema_based_sharding TO {}")
DISTRIBUTE = "SELECT citus_schema_distribute(to_regnamespace(quote_ident(%s)))"


def create_schema(
    connection: BaseDatabaseWrapper,
    cluster: Cluster,
    schema: str,
    *,
    distributed: bool,
    report: Callable[[str], None],
) -> bool:
    """Create a domain's schema unless it exists; return whether it is distributed in the end.

    A distributed one is so from its creation on, and what it may refer to in core is on every
    node then: core's tables become reference tables in the same transaction. A schema that exists
    is distributed while it is empty only.

    Arguments:
        distributed: whether the domain is declared so; the database's own default may be it, too.
        report: called with a sentence before core's tables are locked and copied.
    """
    if cluster.is_distributed(schema):
        if cluster.schemas[schema] is None:  # Created with its role, and without a table yet.
            with transaction.atomic(using=connection.alias):
                create_missing_reference_tables(connection, report)
        return True
    exists = schema_exists(connection, schema)
    if exists and not (distributed and fetch_one(connection, IS_EMPTY, [schema])[0]):
        return False
    if not distributed:
        [distributed] = fetch_one(connection, BY_DEFAULT)
    with transaction.atomic(using=connection.alias):
        if distributed:
            create_missing_reference_tables(connection, report)
        if exists:
            execute(connection, DISTRIBUTE, [schema])
        else:
            execute(connection, BY_DEFAULT_HERE.format(sql.SQL("on" if distributed else "off")))
            execute(connection, sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    return distributed
