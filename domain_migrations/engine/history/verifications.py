"""Verifications: what ``verify_domain`` found last, recorded in each domain's journal."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ..messages import Finding
from .journal import Journal
from .tables import existing_journals, query_tables

MAX_FINDINGS = 200
"""The most findings that one row stores; ``count`` has the number of all."""

FIELDS = ("id", "kind", "object", "message", "hint")

SELECT_LAST = """
(SELECT {domain}, started, seconds, details, database_user, os_user, host, project_version
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


def save_verification(
    journal: Journal,
    *,
    started: datetime.datetime,
    seconds: float,
    kinds: Sequence[str],
    findings: Sequence[Finding],
) -> str:
    """Append a verification to an existing journal.

    Returns:
        Why it could not be recorded; empty if it was.
    """
    schema, table = journal.domain.journal_table
    with journal.connection.cursor() as cursor:
        cursor.execute(MAY_WRITE, {"schema": schema, "table": table})
        writable, role, privileged = cursor.fetchone()
    if not writable:
        return "the connection is read-only"
    if not privileged:
        return f'the role "{role}" may not insert into {journal.domain.journal_table}'
    journal.write(
        "failed" if findings else "done",
        "verify",
        started=started,
        seconds=seconds,
        details={
            "kinds": list(kinds),
            "count": len(findings),
            "findings": [
                {name: getattr(finding, name) for name in FIELDS}
                for finding in findings[:MAX_FINDINGS]
            ],
        },
        error=f"{len(findings)} found." if findings else "",
    )
    return ""


def last_verification(connection: BaseDatabaseWrapper, domain: Domain) -> StoredVerification | None:
    """Return the domain's latest verification, if there was one."""
    return last_verifications(connection, [domain]).get(domain.name)


def last_verifications(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, StoredVerification]:
    """Return domain name → its latest verification, for the domains that have one."""
    rows = query_tables(connection, SELECT_LAST, existing_journals(connection, domains))
    return {row[0]: _stored(*row) for row in rows}


def _stored(
    domain: str, started: datetime.datetime, seconds: float, details: str, *source: str
) -> StoredVerification:
    stored = json.loads(details)
    return StoredVerification(
        domain,
        started,
        seconds,
        tuple(stored["kinds"]),
        stored["count"],
        tuple(Finding(domain=domain, **finding) for finding in stored["findings"]),
        *source,
    )
