"""The guard's rules for objects that are in no schema: of the whole database or its cluster."""

# ruff: noqa: S608  -- the parts of the statements are constants of this package
from __future__ import annotations

import re
from collections.abc import Iterator
from typing import LiteralString

from ..messages import shortened
from ..sql.query import run_sql
from .catalog_before import (
    FIRST_NORMAL_OID,
    IN_DATABASE,
    MEMBERS,
    PG_NAMESPACE,
    PG_PUBLICATION,
    PG_PUBLICATION_REL,
)
from .held_locks import DDL_MODES, HeldLock
from .transaction import CLUSTER_CATALOGS, WRITTEN_HERE, TransactionView
from .violations import WHOLE_DATABASE, Priority, Violation

CREATED: dict[str, LiteralString] = {
    catalog: (
        "SELECT '" + label + "', " + name + ", x.oid, " + schema + "::oid, "
        + (MEMBERS if catalog == "pg_publication" else "''")
        + ", EXISTS (SELECT FROM pg_depend WHERE classid = '" + catalog + "'::regclass"
        " AND objid = x.oid AND deptype = 'e') FROM " + catalog + " x WHERE " + WRITTEN_HERE
    )
    for catalog, label, name, schema in IN_DATABASE
}  # fmt: skip
"""A query for each catalog: the objects whose rows were written."""


VIEW_KINDS = frozenset("vm")
"""The kinds of relations that are views, in ``pg_class.relkind``."""

SELECT_PUBLICATION = "SELECT FROM pg_publication WHERE oid = %(oid)s"

SELECT_PUBLISHED = """
SELECT FROM pg_class c JOIN pg_publication p ON p.pubname = %(publication)s
WHERE c.oid = %(table)s AND (
    EXISTS (SELECT FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = c.oid)
    OR EXISTS (SELECT FROM pg_publication_namespace s
        WHERE s.pnpubid = p.oid AND s.pnnspid = c.relnamespace))
"""

CLUSTER_STATEMENT = re.compile(
    r"\s*(?:CREATE|ALTER|DROP)\s+(?:DATABASE|TABLESPACE|SYSTEM|SUBSCRIPTION)\b", re.IGNORECASE
)
"""Statements that PostgreSQL does not run in a transaction, so that they leave nothing to undo."""

CLUSTER_VIOLATION = Violation(
    Priority.WRITTEN,
    "would change the database's cluster",
    WHOLE_DATABASE,
    frozenset(),
)


def alters_cluster(statement: str) -> bool:
    """Return whether a statement, which runs outside of a transaction, changes the cluster."""
    return CLUSTER_STATEMENT.match(statement) is not None


def find_database_changes(view: TransactionView) -> Iterator[Violation]:
    """Judge objects of the whole database, and of the cluster that it is in.

    Core may change them, but not those that concern the domains' tables.
    """
    if view.alters_database:
        return
    yield from _dropped(view)
    yield from _written(view)
    if not view.domain.is_core:
        yield from _changed_cluster(view)


def _changed_cluster(view: TransactionView) -> Iterator[Violation]:
    for number, (catalog, what) in enumerate(CLUSTER_CATALOGS.items(), start=1):
        if any(view.count(kind, catalog) for kind in ("inserted", "updated", "deleted")):
            action = f"created, altered or dropped {what}, which concerns the whole cluster"
            yield Violation(Priority.WRITTEN + number, action, WHOLE_DATABASE, frozenset())


def _dropped(view: TransactionView) -> Iterator[Violation]:
    for lock in view.locks:
        if lock.is_relation or lock.mode not in DDL_MODES or _is_taken_by_citus(lock):
            continue
        of_server = lock.catalog != PG_NAMESPACE and lock.oid < FIRST_NORMAL_OID
        if of_server and not view.domain.is_core:
            action = f"took {lock.mode} on an object that came with the server"
            yield Violation(Priority.OBJECT_LOCK, action, WHOLE_DATABASE, frozenset())
        was = view.previous(lock)
        if was is None or was.schema or not _is_of_others(view, was.label, was.row, is_new=False):
            continue
        if lock.catalog == PG_PUBLICATION and lock.mode == "AccessExclusiveLock":
            [rows] = run_sql(view.connection, SELECT_PUBLICATION, {"oid": lock.oid})
            if rows:
                continue  # What it publishes has changed, which is judged for itself.
        yield _violation("dropped or altered", was.label, was.name)


def _is_taken_by_citus(lock: HeldLock) -> bool:
    """Return whether Citus has locked what another object depends on, to make it on workers.

    PostgreSQL itself takes this mode on no object that is not a relation.
    """
    return lock.mode == "ExclusiveLock"


def _written(view: TransactionView) -> Iterator[Violation]:
    queries = [
        query
        for catalog, query in CREATED.items()
        if view.inserted(catalog) or view.updated(catalog)
    ]
    if not queries:
        return
    [rows] = run_sql(view.connection, " UNION ALL ".join(queries), view.params)
    for label, name, oid, schema, members, of_extension in rows:
        if schema or (of_extension and view.is_new(oid)):
            continue  # Judged as an object of the type's schema, or with the extension.
        if _is_of_others(view, label, members, is_new=True):
            yield _violation("created or altered", label, name)


def _is_of_others(view: TransactionView, label: str, members: str, *, is_new: bool) -> bool:
    """Return whether more than the domain has to do with an object in no schema.

    Arguments:
        members: the schemas of a publication's tables.
    """
    if label == "publication":
        schemas = [int(schema) for schema in members.split(",") if schema]
        return not all(map(view.owners.is_own, schemas)) if schemas else not is_new
    return label == "event trigger" or not view.domain.is_core


def _violation(verb: str, label: str, name: str) -> Violation:
    action = f"{verb} {label} {name}, which concerns the whole database"
    return Violation(Priority.WRITTEN, action, WHOLE_DATABASE, frozenset((name,)))


def find_unpublished_tables(view: TransactionView) -> Iterator[str]:
    """Yield a sentence for each table that was taken out of a publication, and still exists.

    PostgreSQL does that without a word when CASCADE drops a column that the publication names. A
    table that returns to a schema that is published as a whole is still published with it.
    """
    present = {lock.oid for lock in view.locks if lock.is_relation and lock.schema is not None}
    for lock in view.locks:
        was = view.previous(lock) if lock.catalog == PG_PUBLICATION_REL else None
        if was is not None and lock.mode in DDL_MODES and was.target in present:
            params = {"publication": was.name, "table": was.target}
            [published] = run_sql(view.connection, SELECT_PUBLISHED, params)
            if published:
                continue
            table = f"{view.owners.names[was.schema]}.{was.table}"
            yield (
                f"{table} is no longer in the publication {was.name}: what subscribes to it"
                " receives no more changes of the table."
            )


def find_dropped_views(view: TransactionView) -> Iterator[str]:
    """Yield a sentence about views that were dropped by Django's CASCADE with a table."""
    if view.custom_sql:
        return
    gone = [lock for lock in view.locks if lock.is_relation and lock.schema is None]
    past = {was for lock in gone if (was := view.previous(lock)) and was.kind in VIEW_KINDS}
    if names := sorted(f"{view.owners.names[was.schema]}.{was.name}" for was in past):
        yield f"Dropped together with a table that they use, by CASCADE: {shortened(names)}."
