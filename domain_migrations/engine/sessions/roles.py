"""Database roles of domains, with which the server itself enforces the boundary.

A role owns its domain's schema and everything in it. It may reference every table of core, and
read those without secrets; it has no other privileges. It cannot log in, except on a cluster, where
Citus connects to the nodes with it: the login role becomes a member, keeps its access to the
domain's tables, and switches to it for the migrations of a run. It prevents accidents only, since
SQL in a migration could ``RESET ROLE``; against malice, give each domain a login of its own.

Every statement can be repeated safely.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

from ...backends.postgresql.names import quote
from ...conf import get_settings
from ...domains import CORE_SCHEMA, Domain, get_domain
from ...exceptions import InvalidConfiguration
from .connection import execute, fetch_all, fetch_one, is_alive, schema_exists

MAX_NAME_BYTES = 63
SECRET_FIELDS = frozenset({"password"})
"""Columns that a domain's role cannot read unless the settings name their table."""
SECRET_APPS = frozenset({"sessions"})

OBJECTS = """
SELECT CASE o.type WHEN 'composite type' THEN 'TYPE' WHEN 'statistics object' THEN 'STATISTICS'
           WHEN 'aggregate' THEN 'ROUTINE' ELSE upper(o.type) END,
       o.identity
FROM pg_catalog.pg_depend d
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) o
WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = %(schema)s::regnamespace
  AND d.objsubid = 0 AND d.deptype = 'n'
  AND o.type <> ALL(%(ownerless)s)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_shdepend s
                  WHERE s.dbid = (SELECT oid FROM pg_catalog.pg_database
                                  WHERE datname = current_database())
                    AND s.classid = d.classid AND s.objid = d.objid AND s.deptype = 'o'
                    AND s.refclassid = 'pg_authid'::regclass AND s.refobjid = %(role)s::regrole)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend m
                  WHERE m.classid = d.classid AND m.objid = d.objid AND m.objsubid = 0
                    AND (m.deptype = 'e'
                         OR (o.type = 'sequence' AND m.deptype IN ('a', 'i'))
                         OR (o.type = 'type' AND m.deptype = 'i'
                             AND current_setting('server_version_num')::int >= 170000)))
  AND NOT (o.type = 'view' AND coalesce(obj_description(d.objid, 'pg_class'), '')
           ~ '^domain_migrations: stands in for .*, left by the transfer of ')
ORDER BY 1, 2
"""
"""The objects of a schema that its role does not own yet, quoted.

Whatever is in a schema depends on it. A view that a transfer has left belongs to the owner of its
table. The sequence of a column has its table's owner, a multirange,
since PostgreSQL 17, its range's, and members of an extension have the extension's.
"""

OWNERLESS = ["text search parser", "text search template", "default acl", "extension"]
"""Types of objects, as PostgreSQL names them, that have no owner of their own to change."""

CAN_LOG_IN = "SELECT rolcanlogin FROM pg_catalog.pg_roles WHERE rolname = %s"
HAS_CITUS = "SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus'"
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
    params = [domain.schema, role_name(connection, domain)]
    row = fetch_one(connection, OWNER_OF_SCHEMA, params)
    return row[0] if row else None


def grant_statements(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[str]:
    """Yield the statements that create or update the domain's role.

    Raises:
        InvalidConfiguration: core has no role.
    """
    name = _own_role_name(connection, domain)
    role, schema, public = quote(name), quote(domain.schema), quote(CORE_SCHEMA)
    found = fetch_one(connection, CAN_LOG_IN, [name])
    role_exists = found is not None
    # Citus connects to the nodes with the role that a statement is run by.
    must_log_in = fetch_one(connection, HAS_CITUS) is not None
    if not role_exists:
        yield f"CREATE ROLE {role} {'LOGIN' if must_log_in else 'NOLOGIN'}"
    elif must_log_in and not found[0]:
        yield f"ALTER ROLE {role} LOGIN"
    yield f"GRANT {role} TO {_login_role(connection)}"
    if schema_exists(connection, domain.schema):
        yield f"ALTER SCHEMA {schema} OWNER TO {role}"
        # A role that does not exist yet owns nothing, as oid 0.
        owner = role if role_exists else "0"
        params = {"schema": schema, "role": owner, "ownerless": OWNERLESS}
        for kind, object_name in fetch_all(connection, OBJECTS, params):
            yield f"ALTER {kind} {object_name} OWNER TO {role}"
    else:
        yield f"CREATE SCHEMA {schema} AUTHORIZATION {role}"
    yield f"GRANT USAGE ON SCHEMA {public} TO {role}"
    yield f"GRANT REFERENCES ON ALL TABLES IN SCHEMA {public} TO {role}"
    yield f"ALTER DEFAULT PRIVILEGES IN SCHEMA {public} GRANT REFERENCES ON TABLES TO {role}"
    with connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
    for table, columns in _readable_tables():
        if table in present:
            only = f" ({', '.join(map(quote, columns))})" if columns else ""
            yield f"GRANT SELECT{only} ON {public}.{quote(table)} TO {role}"


def revoke_statements(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[str]:
    """Yield the statements that drop the domain's role; its objects go to the login role.

    Raises:
        InvalidConfiguration: core has no role.
    """
    name = _own_role_name(connection, domain)
    if fetch_one(connection, CAN_LOG_IN, [name]) is None:
        return
    role, login_role = quote(name), _login_role(connection)
    yield f"GRANT {role} TO {login_role}"
    yield f"REASSIGN OWNED BY {role} TO {login_role}"
    yield f"DROP OWNED BY {role}"
    yield f"DROP ROLE {role}"


def _own_role_name(connection: BaseDatabaseWrapper, domain: Domain) -> str:
    if domain.is_core:
        raise InvalidConfiguration(
            "core has no role of its own: it is migrated by the login role.",
            hint="Name the domains that need one.",
        )
    return role_name(connection, domain)


def _login_role(connection: BaseDatabaseWrapper) -> str:
    """Return the current role by its name, which is what Citus takes in these statements."""
    (name,) = fetch_one(connection, "SELECT current_user")
    return quote(name)


def _readable_tables() -> Iterator[tuple[str, Sequence[str]]]:
    """Yield core's tables that domains may read, with the columns if some are secret."""
    named = get_settings().core_readable_tables
    if named is not None:
        yield from ((table, ()) for table in named)
        return
    core = get_domain("core")
    yield core.history_table.name, ()
    for label in core.app_labels:
        if label in SECRET_APPS:
            continue
        for model in apps.get_app_config(label).get_models(include_auto_created=True):
            fields = model._meta.local_concrete_fields
            columns = [str(field.column) for field in fields if field.name not in SECRET_FIELDS]
            if model._meta.managed and not model._meta.proxy:
                yield model._meta.db_table, columns if len(columns) < len(fields) else ()


class RoleSwitcher:
    """Switches a run's connection between the login role and the domain's role, if it has one.

    The role is read when it is first needed.
    """

    def __init__(self, connection: BaseDatabaseWrapper, domain: Domain) -> None:
        self.connection = connection
        self.domain = domain
        self.current: str | None = None

    @cached_property
    def role(self) -> str | None:
        """The domain's role, None if it has none."""
        return domain_role(self.connection, self.domain)

    def as_domain_role(self) -> AbstractContextManager[None]:
        """Act as the domain's role, then as before."""
        return self._switched(self.role)

    def as_login_role(self) -> AbstractContextManager[None]:
        """Act as the login role, then as before."""
        return self._switched(None)

    @contextmanager
    def _switched(self, role: str | None) -> Iterator[None]:
        before = self.current
        if role == before:
            yield
            return
        self._set(role)
        try:
            yield
        finally:
            self.current = before
            # A failed transaction runs no statement, and its rollback reverts SET ROLE as well.
            if is_alive(self.connection) and not self.connection.needs_rollback:
                status = self.connection.connection.info.transaction_status
                if status != TransactionStatus.INERROR:
                    self._set(before)

    def _set(self, role: str | None) -> None:
        self.current = role
        execute(self.connection, f"SET ROLE {quote(role)}" if role else "RESET ROLE")
