"""Verifications: what ``verify_domain`` found last, recorded in each domain's journal."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, QualifiedName
from ...exceptions import ChangedTable
from ..messages import Finding
from ..sessions.connection import execute, fetch_one, settings_sql
from ..sessions.database_errors import first_line
from ..sessions.roles import RoleSwitcher
from .journal import Journal
from .journal_queries import read_object
from .tables import SECONDS, STARTED, existing_journals, query_tables

MAX_FINDINGS = 200
"""The most findings that one row stores; ``count`` has the number of all."""

LOCK_TIMEOUT = "3s"

FIELDS = ("id", "kind", "object", "message", "hint")

SELECT_LAST = """
(SELECT {domain}, {started}, {seconds}, details, database_user, os_user, host, project_version
 FROM {table} WHERE direction = 'verify' ORDER BY id DESC LIMIT 1)
"""

MAY_WRITE = """
SELECT current_setting('transaction_read_only') = 'off',
       current_user,
       has_schema_privilege(%(schema)s, 'USAGE')
       AND has_table_privilege(
           (SELECT c.oid FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = %(schema)s AND c.relname = %(table)s), 'INSERT')
"""


@dataclass(frozen=True)
class StoredVerification:
    """A verification of one domain.

    Attributes:
        kinds: the kinds of findings that were checked; fewer than all with ``--only``.
        count: how many findings there were.
        findings: the first 200 of them.
    """

    domain: str
    started: datetime.datetime
    seconds: float
    kinds: tuple[str, ...]
    count: int
    findings: tuple[Finding, ...]
    database_user: str
    os_user: str
    host: str
    project_version: str


def record_verification(
    journal: Journal,
    *,
    started: datetime.datetime,
    seconds: float,
    kinds: Sequence[str],
    findings: Sequence[Finding],
) -> str:
    """Add a verification to the domain's journal, if it has one.

    Returns:
        A sentence with the reason, if the verification could not be recorded.
    """
    connection, domain = journal.connection, journal.domain
    details = {
        "kinds": list(kinds),
        "count": len(findings),
        "findings": [
            {name: getattr(finding, name) for name in FIELDS} for finding in findings[:MAX_FINDINGS]
        ],
    }
    try:
        if not journal.exists():
            return ""
        with transaction.atomic(using=connection.alias):
            execute(connection, settings_sql({"lock_timeout": LOCK_TIMEOUT}, local=True))
            with RoleSwitcher(connection, domain).as_domain_role():
                reason = _why_not_writable(connection, domain.journal_table)
                if not reason:
                    journal.write(
                        "failed" if findings else "done",
                        "verify",
                        started=started,
                        seconds=seconds,
                        details=details,
                        error=f"{len(findings)} found." if findings else "",
                    )
    except ChangedTable as exc:
        reason = exc.message.rstrip(".")
    except DatabaseError as exc:
        reason = first_line(exc)
    if not reason:
        return ""
    return f'The findings in the domain "{domain.name}" were not recorded: {reason}.'


def _why_not_writable(connection: BaseDatabaseWrapper, table: QualifiedName) -> str:
    params = {"schema": table.schema, "table": table.name}
    writable, role, privileged = fetch_one(connection, MAY_WRITE, params)
    if not writable:
        return "the connection is read-only"
    return "" if privileged else f'the role "{role}" may not insert into {table}'


def last_verification(connection: BaseDatabaseWrapper, domain: Domain) -> StoredVerification | None:
    """Return the domain's latest verification, if there was one."""
    return last_verifications(connection, [domain]).get(domain.name)


def last_verifications(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, StoredVerification]:
    """Return domain name → its latest verification, for the domains that have one."""
    verifications = {}
    journals = existing_journals(connection, domains)
    rows = query_tables(connection, SELECT_LAST, journals, started=STARTED, seconds=SECONDS)
    for domain, started, seconds, details, *source in rows:
        verifications[domain] = StoredVerification(
            domain, started, seconds, *_stored_values(domain, read_object(details)), *source
        )
    return verifications


def _stored_values(
    domain: str, details: dict[str, Any]
) -> tuple[tuple[str, ...], int, tuple[Finding, ...]]:
    """Return kinds, count and findings, as far as this version of the engine can read them."""
    kinds, count, stored = (details.get(name) for name in ("kinds", "count", "findings"))
    findings = tuple(
        Finding(domain=domain, **{name: str(item.get(name, "")) for name in FIELDS})
        for item in (stored if isinstance(stored, list) else ())
        if isinstance(item, dict)
    )
    return (
        tuple(map(str, kinds)) if isinstance(kinds, list) else (),
        count if isinstance(count, int) else len(findings),
        findings,
    )
