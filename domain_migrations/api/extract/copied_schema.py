"""The schema in the target: made by the domain's own history, and proven equal to the source's."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...engine.catalog.fingerprint import compare, fingerprint
from ...engine.history.existing_tables import existing_tables
from ...engine.history.extractions import SchemaObject
from ...engine.history.seed_ledger import ensure_ledger
from ...engine.history.tables import applied_keys_in
from ...engine.messages import shortened
from ...engine.runner.options import MigrateOptions
from ...engine.runner.results import Reporter
from ...engine.sessions.connection import execute, fetch_all, fetch_one
from ...exceptions import ExtractionRefused
from ..migrate import migrate_domains, raise_if_stopped
from .fence import FENCE, Trigger, set_triggers, truncate_triggers
from .sides import Sides, Table, read_tables, stored

HAS_ROWS = "SELECT EXISTS (SELECT FROM ONLY {})"
OBJECTS = r"""
SELECT CASE o.type WHEN 'composite type' THEN 'TYPE' WHEN 'statistics object' THEN 'STATISTICS'
    ELSE upper(o.type) END, o.identity
FROM pg_catalog.pg_depend d
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) o
JOIN pg_catalog.pg_namespace n ON n.oid = d.refobjid
WHERE d.refclassid = 'pg_namespace'::regclass AND n.nspname = %s AND d.deptype = 'n'
    AND d.classid <> 'pg_default_acl'::regclass
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
        WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype IN ('e', 'i')
            AND e.refobjid <> d.objid)  -- A partitioned table is part of the columns of its key.
ORDER BY o.type <> 'table', 1, 2
"""
DROP_SCHEMA = "DROP SCHEMA IF EXISTS {} CASCADE"


def is_made(sides: Sides) -> bool:
    """Return whether the target has applied what the source has."""
    history = sides.domain.history_table
    target = sides.to_connection
    if not existing_tables(target, [history]):
        return False
    return applied_keys_in(target, history) == applied_keys_in(sides.from_connection, history)


def make_schema(sides: Sides, reporter: Reporter) -> None:
    """Migrate the domain in the target, and core as far as it needs it.

    Raises:
        DomainMigrationsError: the run failed; what it applied is kept.
    """
    options = MigrateOptions(
        database=sides.target, with_dependencies=True, interactive=False, verbosity=0
    )
    result = migrate_domains([sides.domain.name], options, reporter=reporter)
    raise_if_stopped(result.domains)
    for domain in result.domains:
        if domain.error is not None:
            raise ExtractionRefused(
                f'The schema could not be made in "{sides.target}": {domain.error.message}',
                hint=domain.error.hint,
                sqlstate=domain.error.sqlstate,
            )
    if existing_tables(sides.from_connection, [sides.domain.seed_table]):
        ensure_ledger(sides.to_connection, sides.domain)


def check_equal(sides: Sides, triggers: Sequence[Trigger] = ()) -> None:
    """Compare the fingerprints of the schemas, the engine's tables included.

    Arguments:
        triggers: those that are off in the target while it is filled.

    Raises:
        ExtractionRefused: they differ.
    """
    one, other = (
        without_fence(fingerprint(connection, sides.schema))
        for connection in (sides.from_connection, sides.to_connection)
    )
    off = tuple(f"trigger {sides.schema}.{table}.{name} differs" for table, name, _ in triggers)
    differences = [text for text in compare(one, other) if not off or not text.startswith(off)]
    if differences:
        raise ExtractionRefused(
            f'The schema "{sides.schema}" is not the same in "{sides.source}" and'
            f' "{sides.target}": {shortened(differences, 5)}.',
            hint=f"manage.py verify_domain {sides.domain.name} says which side differs from the"
            " migrations; what was changed by hand belongs into a migration.",
        )


def without_fence(text: str) -> str:
    """Return a fingerprint without the blocks of fences."""
    kept, skips = [], False
    for line in text.splitlines(keepends=True):
        if not line.startswith(" "):
            skips = line.rstrip("\n").rstrip("()").endswith(f".{FENCE}")
        if not skips:
            kept.append(line)
    return "".join(kept)


def tables_with_rows(connection: BaseDatabaseWrapper, tables: Sequence[Table]) -> list[Table]:
    """Return the tables that have rows."""
    return [
        table
        for table in stored(tables)
        if fetch_one(connection, sql.SQL(HAS_ROWS).format(table.identifier))[0]
    ]


def empty_tables(connection: BaseDatabaseWrapper, schema: str) -> None:
    """Empty the tables of a schema that the migrations have just made, before they are copied.

    Their rows are those of data migrations, and of the history and the journal. Triggers that
    refuse TRUNCATE, or write somewhere because of it, are for the domain's own rows.
    """
    tables = stored(read_tables(connection, schema))
    names = sql.SQL(", ").join(table.identifier for table in tables)
    triggers = truncate_triggers(connection, schema)
    set_triggers(connection, schema, triggers, "D")
    execute(connection, sql.SQL("TRUNCATE {}").format(names))
    set_triggers(connection, schema, triggers)


def schema_objects(connection: BaseDatabaseWrapper, schema: str) -> tuple[SchemaObject, ...]:
    """Return what is in a schema, the tables first."""
    return tuple(fetch_all(connection, OBJECTS, [schema]))


def drop_copy(
    connection: BaseDatabaseWrapper, schema: str, kept: Collection[SchemaObject] | None
) -> None:
    """Drop the copy of the schema.

    Arguments:
        kept: what was in the schema before, which stays, and the schema with it; None where the
            schema itself is part of the copy.
    """
    if kept is None:
        execute(connection, sql.SQL(DROP_SCHEMA).format(sql.Identifier(schema)))
        return
    with transaction.atomic(using=connection.alias):
        for kind, identity in schema_objects(connection, schema):
            if (kind, identity) not in kept:
                # What depends on others has gone with them.
                execute(connection, f"DROP {kind} IF EXISTS {identity} CASCADE")
