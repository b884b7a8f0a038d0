"""Obstacles in the domain's schema: tables, keys, views and functions, object by object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from ...engine.catalog.compat_views import read_compat_views
from ...engine.messages import shortened
from ...engine.sessions.connection import fetch_all, fetch_one
from .function_obstacles import function_obstacles
from .sides import Sides, server_version

Row = tuple[str, str, str, str]

IDENTITIES = """
SELECT format('%%I.%%I', n.nspname, c.relname), c.relreplident::text,
    EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary
        AND i.indimmediate),
    EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisreplident),
    c.relpersistence::text,
    (SELECT string_agg(format('%%I', a.attname), ', ') FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        AND a.atttypid IN ('json'::regtype, 'xml'::regtype, 'point'::regtype, 'box'::regtype,
            'polygon'::regtype, 'path'::regtype, 'line'::regtype)),
    (SELECT format('%%I', k.conname) FROM pg_catalog.pg_constraint k
     WHERE k.conrelid = c.oid AND k.contype = 'p' AND k.condeferrable),
    (SELECT string_agg(format('%%I', a.attname), ', ' ORDER BY a.attnum)
     FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = c.oid AND a.attgenerated <> '' AND NOT a.attisdropped),
    (SELECT string_agg(format('%%I', a.attname), ', ' ORDER BY a.attnum)
     FROM pg_catalog.pg_index i
     JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
     WHERE i.indrelid = c.oid AND a.attgenerated <> ''
        AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END),
    format('%%I', left(c.relname, 53) || '_row_number')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'r' ORDER BY 1
"""
FOREIGN_KEYS = """
SELECT format('%%I.%%I', n.nspname, c.relname), k.conname::text, quote_ident(k.conname),
    format('%%I.%%I', fn.nspname, fc.relname), n.nspname = %(schema)s
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class fc ON fc.oid = k.confrelid
JOIN pg_catalog.pg_namespace fn ON fn.oid = fc.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0
    AND (n.nspname = %(schema)s) <> (fn.nspname = %(schema)s)
ORDER BY 1, 2
"""
VIEWS = """
SELECT DISTINCT format('%%I.%%I', n.nspname, c.relname), c.relkind::text,
    format('%%I.%%I', rn.nspname, r.relname), c.oid
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
JOIN pg_catalog.pg_class c ON c.oid = w.ev_class
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class r ON d.refclassid = 'pg_class'::regclass AND r.oid = d.refobjid
JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
WHERE c.relkind IN ('v', 'm') AND (n.nspname = %(schema)s) <> (rn.nspname = %(schema)s)
    AND rn.nspname !~ '^pg_' AND rn.nspname <> 'information_schema'
ORDER BY 1, 3
"""
SEQUENCES_ELSEWHERE = """
SELECT format('%%I.%%I', n.nspname, c.relname), quote_ident(a.attname),
    format('%%I.%%I', n.nspname, c.relname || '_' || a.attname || '_seq'),
    format('%%I.%%I', sn.nspname, s.relname)
FROM pg_catalog.pg_attrdef f
JOIN pg_catalog.pg_class c ON c.oid = f.adrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.adnum
JOIN pg_catalog.pg_depend d ON d.classid = f.tableoid AND d.objid = f.oid
    AND d.refclassid = c.tableoid
JOIN pg_catalog.pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
WHERE n.nspname = %s AND sn.oid <> n.oid ORDER BY 1, 2, 4
"""
OTHER_RELATIONS = """
SELECT format('%%I.%%I', n.nspname, c.relname), c.relkind::text, c.relispopulated
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('m', 'f') ORDER BY 1
"""
SUBSCRIBED = """
SELECT format('%%I.%%I', n.nspname, c.relname), quote_ident(s.subname)
FROM pg_catalog.pg_subscription_rel r
JOIN pg_catalog.pg_class c ON c.oid = r.srrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_subscription s ON s.oid = r.srsubid
WHERE n.nspname = %s ORDER BY 1
"""
PUBLISHED = """
SELECT pubname, count(*) FROM pg_catalog.pg_publication_tables WHERE schemaname = %s
GROUP BY 1 ORDER BY 1
"""
LARGE_OBJECTS = """
SELECT format('%%I.%%I', n.nspname, c.relname), quote_ident(a.attname)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE n.nspname = %s AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    AND (t.oid = 'oid'::regtype OR t.typname = 'lo')
    AND EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata) ORDER BY 1, 2
"""
GRANTED = """
SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) a
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'S') AND a.grantee <> c.relowner
ORDER BY 1
"""
HANDLED = """
SELECT (SELECT count(*) FROM pg_catalog.pg_class c
     WHERE c.relnamespace = n.oid AND c.relkind = 'S'),
    (SELECT count(*) FROM pg_catalog.pg_attribute a
     JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
     WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p') AND a.attgenerated <> ''
        AND NOT a.attisdropped),
    (SELECT count(*) FROM pg_catalog.pg_constraint k WHERE k.connamespace = n.oid
     AND k.contype IN ('u', 'x') AND k.condeferrable),
    (SELECT count(*) FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
     WHERE c.relnamespace = n.oid AND NOT g.tgisinternal)
FROM pg_catalog.pg_namespace n WHERE n.nspname = %s
"""


def table_obstacles(
    sides: Sides, core_tables: set[str], is_begun: bool
) -> tuple[list[Row], list[str]]:
    """Return the obstacles in the source's schema, and sentences about what is handled."""
    source, schema = sides.from_connection, sides.schema
    found = [
        *_identities(sides),
        *_foreign_keys(source, sides.source, schema),
        *_views(source, sides.source, schema, core_tables),
        *_sequences_elsewhere(source, sides.source, schema),
        *function_obstacles(sides, core_tables),
        *_large_objects(source, sides.source, schema),
        *([] if is_begun else _subscribed(sides)),
    ]
    return found, list(_notes(source, schema))


def _identities(sides: Sides) -> Iterator[Row]:
    # What a server of 18 publishes, on either side: changes flow back after the cut-over.
    has_18 = max(map(server_version, (sides.from_connection, sides.to_connection))) >= 18
    for row in fetch_all(sides.from_connection, IDENTITIES, [sides.schema]):
        table, identity, has_key, has_index, persistence, *columns = row
        awkward, deferrable, generated, generated_key, number = columns
        new_key = f"ALTER TABLE {table} ADD COLUMN id bigint GENERATED BY DEFAULT AS IDENTITY"
        new_key += " PRIMARY KEY;"
        by_number = (
            f"ALTER TABLE {table} ADD COLUMN row_number bigint GENERATED BY DEFAULT AS IDENTITY"
            f" CONSTRAINT {number} UNIQUE;"
            f" ALTER TABLE {table} REPLICA IDENTITY USING INDEX {number};"
        )
        full = f"ALTER TABLE {table} REPLICA IDENTITY FULL;"
        not_sent = f"{generated} is generated and does not travel" if has_18 and generated else ""
        not_full = f"{awkward} cannot be compared" if awkward else not_sent
        problem = remedy = ""
        if persistence == "u":
            yield (
                sides.source,
                table,
                f"{table} is unlogged: its rows do not travel.",
                f"ALTER TABLE {table} SET LOGGED;",
            )
        if generated_key:
            problem = (
                f"{table} identifies rows by {generated_key}, which is generated and does not"
                " travel: UPDATE and DELETE would be refused, or stop the copy."
            )
            remedy = by_number
        elif identity == "d" and deferrable:
            problem = (
                f"The primary key {deferrable} of {table} is deferrable, so it does not identify"
                " rows: UPDATE and DELETE would be refused."
            )
            remedy = by_number if not_full else full
        elif identity == "d" and not has_key:
            problem = f"{table} has no primary key: UPDATE and DELETE would be refused" + (
                f", and {not_full}." if not_full else "."
            )
            remedy = new_key if not_full else full
        elif identity == "n" or (identity == "i" and not has_index):
            why = "NOTHING" if identity == "n" else "an index that was dropped"
            problem = (
                f"The replica identity of {table} is {why}: UPDATE and DELETE would be refused."
            )
            remedy = f"ALTER TABLE {table} REPLICA IDENTITY {'DEFAULT' if has_key else 'FULL'};"
        elif identity == "f" and awkward and not has_key:
            problem = (
                f"{table} has the replica identity FULL, but {awkward} cannot be compared: the"
                " first UPDATE would stop the copy."
            )
            remedy = new_key
        elif identity == "f" and not_sent:
            problem = (
                f"{table} has the replica identity FULL, but {not_sent}: UPDATE and DELETE would be"
                " refused."
            )
            remedy = ("" if has_key else f"{new_key} ") + (
                f"ALTER TABLE {table} REPLICA IDENTITY DEFAULT;"
            )
        if problem:
            yield sides.source, table, problem, remedy


def _foreign_keys(connection: BaseDatabaseWrapper, side: str, schema: str) -> Iterator[Row]:
    for table, name, quoted, target, leaves in fetch_all(
        connection, FOREIGN_KEYS, {"schema": schema}
    ):
        where = f"refers to {target}, which stays" if leaves else f"refers to {target}, which goes"
        yield (
            side,
            f"{table}.{name}",
            f"The foreign key {name} of {table} {where}: a constraint cannot reach another server.",
            "db_constraint=False in the model, and makemigrations; which will run:"
            f" ALTER TABLE {table} DROP CONSTRAINT {quoted};",
        )


def _views(
    connection: BaseDatabaseWrapper, side: str, schema: str, core_tables: set[str]
) -> Iterator[Row]:
    left = {view.oid: view for view in read_compat_views(connection) if view.model}
    for view, kind, relation, oid in fetch_all(connection, VIEWS, {"schema": schema}):
        if oid in left:
            yield (
                side,
                view,
                f"The view {view} stands in for {relation}, which will be on another server.",
                f"When no old code runs any more, {left[oid].removal}.",
            )
            continue
        if relation in {f"public.{name}" for name in core_tables}:
            continue
        word = "MATERIALIZED VIEW" if kind == "m" else "VIEW"
        yield (
            side,
            view,
            f"The view {view} reads {relation}, which will be on another server.",
            f"DROP {word} {view}; in a migration, or write it without {relation}.",
        )


def _sequences_elsewhere(connection: BaseDatabaseWrapper, side: str, schema: str) -> Iterator[Row]:
    for table, column, own, sequence in fetch_all(connection, SEQUENCES_ELSEWHERE, [schema]):
        yield (
            side,
            f"{table}.{column}",
            f"The default of {table}.{column} draws from {sequence}, which stays: the target would"
            " begin again with its first value.",
            f"In a migration: CREATE SEQUENCE {own}; SELECT setval('{own}', nextval('{sequence}'));"
            f" ALTER TABLE {table} ALTER {column} SET DEFAULT nextval('{own}');",
        )


def _large_objects(connection: BaseDatabaseWrapper, side: str, schema: str) -> Iterator[Row]:
    for table, column in fetch_all(connection, LARGE_OBJECTS, [schema]):
        yield (
            side,
            f"{table}.{column}",
            f"{table}.{column} may name large objects, which do not travel.",
            f"In a migration: ALTER TABLE {table} ALTER {column} TYPE bytea USING"
            f" lo_get({column});",
        )


def _subscribed(sides: Sides) -> Iterator[Row]:
    for alias, connection in (
        (sides.source, sides.from_connection),
        (sides.target, sides.to_connection),
    ):
        for table, subscription in fetch_all(connection, SUBSCRIBED, [sides.schema]):
            yield (
                alias,
                table,
                f"{table} is filled by the subscription {subscription} already.",
                f"DROP SUBSCRIPTION {subscription};",
            )


def _notes(connection: BaseDatabaseWrapper, schema: str) -> Iterator[str]:
    handled: Any = fetch_one(connection, HANDLED, [schema])
    for number, one, many, what in zip(
        handled or (0, 0, 0, 0),
        ("sequence", "generated column", "deferrable constraint", "trigger"),
        ("sequences", "generated columns", "deferrable constraints", "triggers"),
        (
            "set in the target at the cut-over, with a margin",
            "computed by the target",
            "not checked while rows are copied; nothing else writes there",
            "not run for copied rows",
        ),
        strict=True,
    ):
        if number:
            yield f"{number} {one if number == 1 else many}: {what}."
    for name, kind, _ in fetch_all(connection, OTHER_RELATIONS, [schema]):
        if kind == "m":
            yield f"The materialized view {name} is refreshed in the target after the cut-over."
        else:
            yield f"The foreign table {name} needs its server in the target, too."
    if roles := [role for (role,) in fetch_all(connection, GRANTED, [schema])]:
        yield (
            f"{shortened(roles)} {'has' if len(roles) == 1 else 'have'} privileges on its tables,"
            " which do not travel: where no migration grants them, grant them in the target."
        )
    for publication, number in fetch_all(connection, PUBLISHED, [schema]):
        yield (
            f"The publication {publication} lists {number} of the tables: its subscribers get"
            " nothing more after the cut-over."
        )
