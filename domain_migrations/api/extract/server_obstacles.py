"""Obstacles in the two servers: settings, free slots and workers, privileges, extensions."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import NotSupportedError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ...engine.messages import shortened
from ...engine.sessions.connection import fetch_all, fetch_one
from .sides import Sides, server_version

Row = tuple[str, str, str, str]
"""Side, object, message and remedy: an obstacle."""

SENDING = """
SELECT current_setting('wal_level'),
    current_setting('max_replication_slots')::int
        - (SELECT count(*) FROM pg_catalog.pg_replication_slots),
    current_setting('max_wal_senders')::int
        - (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'walsender'),
    current_setting('max_replication_slots'), current_setting('max_wal_senders'),
    current_setting('max_slot_wal_keep_size'),
    coalesce(current_setting('idle_replication_slot_timeout', true), '0')
"""
RECEIVING = """
SELECT current_setting('max_logical_replication_workers')::int
        - (SELECT count(*) FROM pg_catalog.pg_stat_activity
           WHERE backend_type LIKE 'logical replication%'
               AND backend_type <> 'logical replication launcher'),
    current_setting('max_logical_replication_workers'),
    current_setting('max_worker_processes')::int,
    coalesce(current_setting('max_active_replication_origins', true),
             current_setting('max_replication_slots'))::int
        - (SELECT count(*) FROM pg_catalog.pg_replication_origin),
    CASE WHEN current_setting('max_active_replication_origins', true) IS NULL
        THEN 'max_replication_slots' ELSE 'max_active_replication_origins' END
"""
ROLE = """
SELECT rolname, rolsuper, rolreplication, rolbypassrls,
    has_database_privilege(current_database(), 'CREATE'),
    EXISTS (SELECT FROM pg_catalog.pg_roles p WHERE p.rolname = 'pg_create_subscription'
        AND pg_has_role(p.oid, 'USAGE')),
    quote_ident(rolname), quote_ident(current_database())
FROM pg_catalog.pg_roles WHERE rolname = current_user
"""
ROW_SECURITY = """
SELECT format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'r' AND c.relrowsecurity ORDER BY 1
"""
NOT_OWNED = """
SELECT pg_get_userbyid(c.relowner)::text, quote_ident(pg_get_userbyid(c.relowner)),
    array_agg(format('%%I.%%I', n.nspname, c.relname) ORDER BY c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'm', 'S')
    AND NOT pg_has_role(c.relowner, 'USAGE')
GROUP BY c.relowner ORDER BY 1
"""
MAKES_NOTHING = """
SELECT n.nspname::text, quote_ident(n.nspname) FROM pg_catalog.pg_namespace n
WHERE NOT has_schema_privilege(n.oid, 'CREATE') AND (n.nspname = %s
    OR n.nspname = 'public' AND to_regclass('public.django_migrations') IS NULL) ORDER BY 1
"""
PREPARED = """
SELECT gid, owner::text FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()
ORDER BY prepared
"""
EXTENSIONS = """
SELECT DISTINCT e.extname, e.extversion
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    AND d.deptype = 'e'
JOIN pg_catalog.pg_depend u ON u.refclassid = d.classid AND u.refobjid = d.objid
    AND u.deptype = 'n'
JOIN pg_catalog.pg_class c ON c.oid = CASE u.classid
    WHEN 'pg_class'::regclass THEN u.objid
    WHEN 'pg_constraint'::regclass
        THEN (SELECT conrelid FROM pg_catalog.pg_constraint WHERE oid = u.objid)
    WHEN 'pg_attrdef'::regclass
        THEN (SELECT adrelid FROM pg_catalog.pg_attrdef WHERE oid = u.objid) END
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s ORDER BY 1
"""
XML_COLUMNS = """
SELECT format('%%I.%%I.%%I', n.nspname, c.relname, a.attname)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE n.nspname = %s AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    AND 'xml'::regtype IN (t.oid, t.typbasetype, t.typelem) ORDER BY 1
"""
AVAILABLE = """
SELECT a.name, a.installed_version, a.default_version
FROM pg_catalog.pg_available_extensions a
"""

SENDERS = 3
"""Slots and senders that a copy needs: for the changes, and for two tables at a time."""
WORKERS = 3


def server_obstacles(sides: Sides, is_begun: bool) -> Iterator[Row]:
    """Yield the obstacles in both servers; both send and receive, for the way back.

    Arguments:
        is_begun: the copy runs, and uses what it needs.
    """
    for alias, connection in (
        (sides.source, sides.from_connection),
        (sides.target, sides.to_connection),
    ):
        is_source = alias == sides.source
        yield from _sending(alias, connection, SENDERS if is_source else 2, is_begun)
        yield from _receiving(alias, connection, 1 if is_source else WORKERS, is_begun)
        yield from _role(alias, connection, sides.schema)
        yield from _ownership(alias, connection, sides.schema, makes_tables=not is_source)
        for gid, owner in fetch_all(connection, PREPARED):
            yield (
                alias,
                gid,
                f"The prepared transaction {gid!r} of {owner} keeps a replication slot from"
                " being made.",
                f"COMMIT PREPARED '{gid}'; or ROLLBACK PREPARED '{gid}';",
            )
    yield from _extensions(sides)
    yield from _xml(sides)


def _sending(
    alias: str, connection: BaseDatabaseWrapper, needed: int, is_begun: bool
) -> Iterator[Row]:
    level, slots, senders, max_slots, max_senders, kept, idle = fetch_one(connection, SENDING)
    if level != "logical":
        yield (
            alias,
            "wal_level",
            f"wal_level is {level}.",
            "ALTER SYSTEM SET wal_level = 'logical'; and restart the server.",
        )
    if is_begun:
        return
    for name, left, limit in (
        ("max_replication_slots", slots, max_slots),
        ("max_wal_senders", senders, max_senders),
    ):
        if left < needed:
            yield (
                alias,
                name,
                f"{name} is {limit}, of which {max(left, 0)} are left; the copy needs {needed}.",
                f"ALTER SYSTEM SET {name} = {int(limit) + needed - left}; and restart the server.",
            )
    for name, value in (("max_slot_wal_keep_size", kept), ("idle_replication_slot_timeout", idle)):
        if value not in ("-1", "0"):
            yield (
                alias,
                name,
                f"{name} is {value}: the server may give up the slot during the copy.",
                f"ALTER SYSTEM SET {name} = {'-1' if 'keep' in name else '0'};"
                " SELECT pg_reload_conf();",
            )


def _receiving(
    alias: str, connection: BaseDatabaseWrapper, needed: int, is_begun: bool
) -> Iterator[Row]:
    if is_begun:
        return
    workers, limit, processes, origins, setting = fetch_one(connection, RECEIVING)
    if workers < needed:
        yield (
            alias,
            "max_logical_replication_workers",
            f"max_logical_replication_workers is {limit}, of which {max(workers, 0)} are left; the"
            f" copy needs {needed}.",
            f"ALTER SYSTEM SET max_logical_replication_workers = {int(limit) + needed - workers};"
            " and restart the server.",
        )
    if processes <= needed:
        yield (
            alias,
            "max_worker_processes",
            f"max_worker_processes is {processes}; the copy needs {needed + 1}.",
            f"ALTER SYSTEM SET max_worker_processes = {needed + 5}; and restart the server.",
        )
    if origins < needed:
        yield (
            alias,
            setting,
            f"{setting} leaves {max(origins, 0)} replication origins; the copy needs {needed}.",
            f"ALTER SYSTEM SET {setting} = {needed + 10}; and restart the server.",
        )


def _role(alias: str, connection: BaseDatabaseWrapper, schema: str) -> Iterator[Row]:
    name, is_super, replicates, bypasses, creates, subscribes, quoted, database = fetch_one(
        connection, ROLE
    )
    if is_super:
        return
    if not replicates:
        yield (
            alias,
            name,
            f"The role {name} may not make replication slots.",
            f"ALTER ROLE {quoted} REPLICATION;",
        )
    if not creates:
        yield (
            alias,
            name,
            f"The role {name} may not create publications and subscriptions.",
            f"GRANT CREATE ON DATABASE {database} TO {quoted};",
        )
    if server_version(connection) < 16:
        yield (
            alias,
            name,
            f"Before PostgreSQL 16, only a superuser may create a subscription; {name} is none.",
            f"ALTER ROLE {quoted} SUPERUSER; and take it back when the move is finished.",
        )
    elif not subscribes:
        yield (
            alias,
            name,
            f"The role {name} may not create subscriptions.",
            f"GRANT pg_create_subscription TO {quoted};",
        )
    if not bypasses:
        for (table,) in fetch_all(connection, ROW_SECURITY, [schema]):
            yield (
                alias,
                table,
                f"{table} has row security, which silently leaves rows out of the first copy.",
                f"ALTER ROLE {quoted} BYPASSRLS;",
            )


def _ownership(
    alias: str, connection: BaseDatabaseWrapper, schema: str, *, makes_tables: bool
) -> Iterator[Row]:
    """Yield the tables that the role may neither publish nor close, and where it makes none."""
    name, *_, quoted, _ = fetch_one(connection, ROLE)
    for owner, quoted_owner, tables in fetch_all(connection, NOT_OWNED, [schema]):
        yield (
            alias,
            owner,
            f"The role {name} does not own {shortened(tables)}, and only the owner may publish"
            " tables and close them.",
            f"GRANT {quoted_owner} TO {quoted};",
        )
    for found, quoted_schema in fetch_all(connection, MAKES_NOTHING, [schema]):
        if makes_tables:
            yield (
                alias,
                found,
                f'The role {name} may not make tables in the schema "{found}", where migrations'
                " make them.",
                f"GRANT CREATE, USAGE ON SCHEMA {quoted_schema} TO {quoted};",
            )


def _extensions(sides: Sides) -> Iterator[Row]:
    wanted = fetch_all(sides.from_connection, EXTENSIONS, [sides.schema])
    if not wanted:
        return
    there = {name: rest for name, *rest in fetch_all(sides.to_connection, AVAILABLE)}
    for name, version in wanted:
        installed, default = there.get(name, (None, None))
        if default is None:
            yield (
                sides.target,
                name,
                f"The domain uses the extension {name}, which the target's server does not have.",
                f"Install the server's package of {name}.",
            )
        elif installed is None:
            yield (
                sides.target,
                name,
                f"The domain uses the extension {name} {version}, which the target lacks.",
                f'CREATE EXTENSION "{name}";',
            )
        elif installed != version and default != version and is_older(installed, version):
            yield (
                sides.target,
                name,
                f"The target has the extension {name} {installed}, older than the source's"
                f" {version}.",
                f'ALTER EXTENSION "{name}" UPDATE;',
            )


def is_older(one: str, other: str) -> bool:
    def key(version: str) -> list[int]:
        return [int(part) if part.isdigit() else 0 for part in version.split(".")]

    return key(one) < key(other)


def _xml(sides: Sides) -> Iterator[Row]:
    """Yield the columns of XML if the target is built without it, and would stop at a value."""
    columns = fetch_all(sides.from_connection, XML_COLUMNS, [sides.schema])
    if not columns:
        return
    try:
        with transaction.atomic(using=sides.target):
            fetch_one(sides.to_connection, "SELECT '<a/>'::xml")
    except NotSupportedError:
        for (column,) in columns:
            yield (
                sides.target,
                column,
                f"{column} is of type xml, and the target's server is built without it: the first"
                " value would stop the copy.",
                "Move to a server that is built with libxml.",
            )


def role_notes(sides: Sides) -> Iterator[str]:
    """Yield a sentence for a role by which one server cannot simply log in to the other."""
    for alias, connection in (
        (sides.source, sides.from_connection),
        (sides.target, sides.to_connection),
    ):
        name, is_super, *_ = fetch_one(connection, ROLE)
        if not is_super:
            yield (
                f'The role {name} in "{alias}" is not a superuser: its subscription needs a'
                " password that the other server really asks for; trust and certificates do not do."
            )
