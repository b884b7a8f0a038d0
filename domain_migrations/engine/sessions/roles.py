"""Database roles of domains, with which the server itself enforces the boundary.

A role owns its domain's schema and everything in it. It may reference every table of core, and
read those without secrets; it has no other privileges. It cannot log in: the login role becomes
a member, keeps its access to the domain's tables, and switches to it for the migrations of a
run. It prevents accidents only, since SQL in a migration could ``RESET ROLE``; against malice,
give each domain a login of its own.

Every statement can be repeated safely.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import LiteralString

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql
from psycopg.pq import TransactionStatus

from ...conf import get_settings
from ...domains import CORE_SCHEMA, Domain, get_domain
from ...exceptions import InvalidConfiguration
from .connection import is_alive

MAX_NAME_BYTES = 63
SECRET_FIELDS = frozenset({"password"})
"""Columns that a domain's role cannot read unless the settings name their table."""
SECRET_APPS = frozenset({"sessions"})

OWNED = """
SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
           WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
       c.oid::regclass::text
FROM pg_catalog.pg_class c
WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  AND c.relowner <> %(role)s::regrole
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND d.deptype IN ('a', 'i', 'e') AND (c.relkind = 'S' OR d.deptype = 'e'))
UNION ALL
SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END,
       p.oid::regprocedure::text
FROM pg_catalog.pg_proc p
WHERE p.pronamespace = %(schema)s::regnamespace AND p.proowner <> %(role)s::regrole
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.oid::regtype::text
FROM pg_catalog.pg_type t
WHERE t.typnamespace = %(schema)s::regnamespace AND t.typowner <> %(role)s::regrole
  AND t.typtype IN ('e', 'd', 'r', 'c')
  AND (t.typrelid = 0 OR (SELECT relkind FROM pg_catalog.pg_class WHERE oid = t.typrelid) = 'c')
ORDER BY 1, 2
"""
"""The objects of a schema that its role does not own yet; names are quoted."""

ROLE_EXISTS = "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = %s"
SCHEMA_EXISTS = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s"
OWNER_OF_SCHEMA = """
SELECT r.rolname FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
WHERE n.nspname = %s AND r.rolname = %s AND r.rolname <> current_user
"""


def role_name(connection: BaseDatabaseWrapper, domain: Domain) -> str:
    """Return the name of a domain's role, made of the database's name and the domain's.

    Roles belong to the server, so two databases with the same domains need different names. A
    name longer than PostgreSQL's 63 bytes is truncated and ends in a hash.
    """
    database = connection.settings_dict["NAME"] or "postgres"
    name = f"{database}_{domain.name}_domain"
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    kept = name.encode()[: MAX_NAME_BYTES - 9].decode(errors="ignore")
    return f"{kept}_{digest}"


def domain_role(connection: BaseDatabaseWrapper, domain: Domain) -> str | None:
    """Return the role that runs the domain's migrations, None if it has none."""
    if domain.is_core:
        return None
    with connection.cursor() as cursor:
        cursor.execute(OWNER_OF_SCHEMA, [domain.schema, role_name(connection, domain)])
        row = cursor.fetchone()
    return row[0] if row else None


def grant_statements(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[str]:
    """Yield the statements that create or update the domain's role.

    Raises:
        InvalidConfiguration: core has no role.
    """
    _refuse_core(domain)
    name = role_name(connection, domain)
    role, schema = sql.Identifier(name), sql.Identifier(domain.schema)
    public = sql.Identifier(CORE_SCHEMA)
    exists = _exists(connection, ROLE_EXISTS, name)
    if not exists:
        yield _text(connection, "CREATE ROLE {} NOLOGIN", role)
    yield _text(connection, "GRANT {} TO CURRENT_USER", role)
    if _exists(connection, SCHEMA_EXISTS, domain.schema):
        yield _text(connection, "ALTER SCHEMA {} OWNER TO {}", schema, role)
    else:
        yield _text(connection, "CREATE SCHEMA {} AUTHORIZATION {}", schema, role)
    for kind, object_name in _objects_to_own(connection, domain, name if exists else None):
        yield _text(
            connection, "ALTER {} {} OWNER TO {}", sql.SQL(kind), sql.SQL(object_name), role
        )
    yield _text(connection, "GRANT USAGE ON SCHEMA {} TO {}", public, role)
    yield _text(connection, "GRANT REFERENCES ON ALL TABLES IN SCHEMA {} TO {}", public, role)
    yield _text(
        connection,
        "ALTER DEFAULT PRIVILEGES IN SCHEMA {} GRANT REFERENCES ON TABLES TO {}",
        public,
        role,
    )
    yield from _read_grants(connection, role)


def revoke_statements(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[str]:
    """Yield the statements that drop the domain's role; its objects go to the login role.

    Raises:
        InvalidConfiguration: core has no role.
    """
    _refuse_core(domain)
    name = role_name(connection, domain)
    if not _exists(connection, ROLE_EXISTS, name):
        return
    role = sql.Identifier(name)
    yield _text(connection, "GRANT {} TO CURRENT_USER", role)
    yield _text(connection, "REASSIGN OWNED BY {} TO CURRENT_USER", role)
    yield _text(connection, "DROP OWNED BY {}", role)
    yield _text(connection, "DROP ROLE {}", role)


def _refuse_core(domain: Domain) -> None:
    if domain.is_core:
        raise InvalidConfiguration(
            "core has no role of its own: it is migrated by the login role.",
            hint="Name the domains that need one.",
        )


def _read_grants(connection: BaseDatabaseWrapper, role: sql.Identifier) -> Iterator[str]:
    """Yield grants on the tables of core in the settings, or on those without secrets."""
    history = get_domain("core").history_table
    with connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
    named = get_settings().core_readable_tables
    if named is not None:
        grants: list[tuple[str, Sequence[str]]] = [(table, ()) for table in named]
    else:
        grants = [(history.name, ()), *_non_secret_columns()]
    for table, columns in grants:
        if table not in present:
            continue
        wanted: sql.Composable = sql.SQL("")
        if columns:
            wanted = sql.SQL(" ({})").format(sql.SQL(", ").join(map(sql.Identifier, columns)))
        yield _text(
            connection,
            "GRANT SELECT{} ON {} TO {}",
            wanted,
            sql.Identifier(CORE_SCHEMA, table),
            role,
        )


def _non_secret_columns() -> Iterator[tuple[str, Sequence[str]]]:
    """Yield core's tables, with the readable columns if some are secret."""
    for label in get_domain("core").app_labels:
        if label in SECRET_APPS:
            continue
        for model in apps.get_app_config(label).get_models(include_auto_created=True):
            fields = model._meta.local_concrete_fields
            columns = [str(field.column) for field in fields if field.name not in SECRET_FIELDS]
            if model._meta.managed and not model._meta.proxy:
                yield model._meta.db_table, columns if len(columns) < len(fields) else ()


def _objects_to_own(
    connection: BaseDatabaseWrapper, domain: Domain, role: str | None
) -> list[tuple[str, str]]:
    if not _exists(connection, SCHEMA_EXISTS, domain.schema):
        return []
    with connection.cursor() as cursor:
        # A role that does not exist yet owns nothing, as oid 0.
        owner = "0" if role is None else connection.ops.quote_name(role)
        cursor.execute(OWNED, {"schema": connection.ops.quote_name(domain.schema), "role": owner})
        return [(kind, name) for kind, name in cursor.fetchall()]


def _exists(connection: BaseDatabaseWrapper, query: str, name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query, [name])
        return cursor.fetchone() is not None


def _text(connection: BaseDatabaseWrapper, statement: LiteralString, *parts: sql.Composable) -> str:
    connection.ensure_connection()
    return sql.SQL(statement).format(*parts).as_string(connection.connection)


class RoleSwitcher:
    """Switches a run's connection between the login role and the domain's role, if it has one.

    The role is read when it is first needed.
    """

    def __init__(self, connection: BaseDatabaseWrapper, domain: Domain) -> None:
        self.connection = connection
        self.domain = domain

    @cached_property
    def role(self) -> str | None:
        """The domain's role, None if it has none."""
        return domain_role(self.connection, self.domain)

    @contextmanager
    def as_domain_role(self) -> Iterator[None]:
        """Act as the domain's role, then as the login role again."""
        with self._switched(self.role, back=None):
            yield

    @contextmanager
    def as_login_role(self) -> Iterator[None]:
        """Act as the login role, inside of :meth:`as_domain_role`."""
        with self._switched(None, back=self.role):
            yield

    @contextmanager
    def _switched(self, role: str | None, *, back: str | None) -> Iterator[None]:
        if self.role is None:
            yield
            return
        self._set(role)
        try:
            yield
        finally:
            # A failed transaction runs no statement, and its rollback reverts SET ROLE as well.
            if is_alive(self.connection) and not self._failed():
                self._set(back)

    def _failed(self) -> bool:
        status = self.connection.connection.info.transaction_status
        return self.connection.needs_rollback or status == TransactionStatus.INERROR

    def _set(self, role: str | None) -> None:
        with self.connection.cursor() as cursor:
            if role is None:
                cursor.execute("RESET ROLE")
            else:
                cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
