"""The privilege that a role lacks, as advice."""

from __future__ import annotations

import re
import traceback
from typing import Any

from django.db import DatabaseError, InterfaceError
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

from ..sql.lexer import tokens

DENIED = re.compile(r"permission denied for (?P<kind>schema|table|sequence|database) (?P<name>.+)")
NOT_OWNER = re.compile(r"must be owner of (?P<object>.+)")

SCHEMA = """
SELECT has_schema_privilege(nspname, 'USAGE') FROM pg_catalog.pg_namespace WHERE nspname = %s
"""
TABLE = """
SELECT format('%%I.%%I', n.nspname, c.relname), array_agg(w.privilege ORDER BY w.number)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN unnest(%s::text[]) WITH ORDINALITY AS w(privilege, number)
    ON NOT has_table_privilege(c.oid, w.privilege)
WHERE c.relname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
GROUP BY n.nspname, c.relname, c.oid
"""
TABLE_PRIVILEGES = ["SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES"]

OTHER = {
    "permission denied to create role": "Grant it CREATEROLE",
    "permission denied to create database": "Grant it CREATEDB",
    "permission denied to create extension": "Have a superuser create the extension",
    "permission denied to set role": "Make it a member of that role",
}
OTHERWISE = "or run the command as the role that owns the objects."


def privilege_hint(connection: BaseDatabaseWrapper, message: str, statement: str = "") -> str:
    """Return what to grant after PostgreSQL's message "permission denied for …".

    Arguments:
        statement: the one that was denied; without it, all privileges on the table are named.
    """
    if denied := DENIED.match(message):
        missing = _missing(connection, denied["kind"], denied["name"], statement)
        return f"Grant it {missing}, {OTHERWISE}"
    if not_owner := NOT_OWNER.match(message):
        return f"Run the command as the owner of {not_owner['object']}, or change its owner."
    advice = next((text for start, text in OTHER.items() if message.startswith(start)), None)
    return f"{advice or 'Grant it what the message names'}, {OTHERWISE}"


def denied_statement(exc: BaseException) -> str:
    """Return the statement that an error of the database ended, "" if psycopg did not run one."""
    root, statement = exc, ""
    while root.__cause__ is not None:
        root = root.__cause__
    for frame, _ in traceback.walk_tb(root.__traceback__):
        if frame.f_globals.get("__name__", "").startswith("psycopg."):
            statement = str(frame.f_locals.get("query") or statement)
    return statement


def _missing(connection: BaseDatabaseWrapper, kind: str, name: str, statement: str) -> str:
    if kind == "database":
        return f"CREATE on the database {name} (to create a domain's schema)"
    if kind == "schema":
        rows = _query(connection, SCHEMA, [name])
        if not rows:
            return f"USAGE on the schema {name} (and CREATE, to create objects in it)"
        return f"{'CREATE' if rows[0][0] else 'USAGE'} on the schema {name}"
    words = {token.text.upper() for token in tokens(statement) if token.kind == "word"}
    needed = [privilege for privilege in TABLE_PRIVILEGES if privilege in words]
    rows = _query(connection, TABLE, [needed or TABLE_PRIVILEGES, name])
    if kind == "sequence" or not rows:
        return f"the privilege on the {kind} {name} that the statement needs"
    unreadable = [table for table, missing in rows if "SELECT" in missing and not needed]
    if unreadable:
        return f"SELECT on {' and '.join(unreadable)}"
    return " and ".join(f"{', '.join(missing)} on {table}" for table, missing in rows)


def _query(connection: BaseDatabaseWrapper, query: str, params: list[Any]) -> list[tuple[Any, ...]]:
    """Return the rows, none where the connection cannot be asked."""
    raw = connection.connection
    usable = (TransactionStatus.IDLE, TransactionStatus.INTRANS)
    if raw is None or raw.info.transaction_status not in usable:
        return []
    try:
        with connection.cursor() as cursor:
            cursor.execute(query, params)
            return list(cursor.fetchall())
    except (DatabaseError, InterfaceError):
        return []
