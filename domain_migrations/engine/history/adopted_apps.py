"""Apps that the code has in core, and the database in a domain that the code does not know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import CORE, QualifiedName, get_domain, get_domains
from ..sessions.connection import fetch_all
from ..sources.files import MigrationKey
from .tables import applied_keys_in

UNKNOWN_HISTORIES = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relname LIKE %s
    AND (n.nspname, c.relname) NOT IN (SELECT * FROM unnest(%s::text[], %s::text[]))
    AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
    AND 3 = (
        SELECT count(*) FROM pg_catalog.pg_attribute
        WHERE attrelid = c.oid AND attname IN ('app', 'name', 'applied') AND NOT attisdropped
    )
ORDER BY 1, 2
"""


class AdoptedApps(NamedTuple):
    """Rows of core's apps in the history of a domain that is not in the code.

    Attributes:
        history: the table.
        rows: the pending migrations that it records, sorted.
    """

    history: QualifiedName
    rows: tuple[MigrationKey, ...]


def find_adopted_apps(
    connection: BaseDatabaseWrapper,
    applied: Iterable[MigrationKey],
    pending: Iterable[MigrationKey],
) -> AdoptedApps | None:
    """Return the rows of apps none of whose migrations core's history records.

    Arguments:
        applied: the keys in core's history.
        pending: the keys that core would apply.
    """
    begun = {key.app for key in applied}
    missing = {key for key in pending if key.app not in begun}
    if not missing:
        return None
    known = [domain.history_table for domain in get_domains()]
    pattern = get_domain(CORE).history_table.name.replace("_", r"\_") + r"\_%"
    params = [pattern, [table.schema for table in known], [table.name for table in known]]
    for row in fetch_all(connection, UNKNOWN_HISTORIES, params):
        history = QualifiedName(*row)
        if rows := missing & applied_keys_in(connection, history):
            return AdoptedApps(history, tuple(sorted(rows)))
    return None
