"""What the last look at a domain found, kept in its journal for those who look later."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...domains import Domain
from ..messages import Finding
from .journal import Journal
from .tables import existing_tables

MAX_FINDINGS = 200
"""How many findings one row keeps; ``count`` says how many there were."""

FIELDS = ("id", "kind", "object", "message", "hint")

SELECT_LAST = """
(SELECT {domain} AS domain, started, seconds, details, database_user, os_user, host,
        project_version
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


@dataclass(frozen=True, kw_only=True)
class StoredVerification:
    """What ``verify_domain`` found in a domain.

    Attributes:
        started: when it looked.
        kinds: what it looked for; fewer than all with ``--only``.
        count: how many findings there were.
        findings: the first 200 of them.
        database_user, os_user, host, project_version: as in every row of a journal.
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
    """Append what was found, and return why it was not; empty where it was.

    Arguments:
        journal: there; nothing is created here.
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
    """Return what ``verify_domain`` found last, None where it has not looked yet."""
    return last_verifications(connection, [domain]).get(domain.name)


def last_verifications(
    connection: BaseDatabaseWrapper, domains: Sequence[Domain]
) -> dict[str, StoredVerification]:
    """Return domain name → what ``verify_domain`` found last, where it has looked; one query."""
    present = existing_tables(connection, [domain.journal_table for domain in domains])
    parts = [
        sql.SQL(SELECT_LAST).format(
            domain=sql.Literal(domain.name), table=sql.Identifier(*domain.journal_table)
        )
        for domain in domains
        if domain.journal_table in present
    ]
    if not parts:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(parts))
        return {row[0]: _stored(*row) for row in cursor.fetchall()}


def _stored(
    domain: str, started: datetime.datetime, seconds: float, details: str, *who: str
) -> StoredVerification:
    database_user, os_user, host, project_version = who
    kept = json.loads(details)
    return StoredVerification(
        domain=domain,
        started=started,
        seconds=seconds,
        kinds=tuple(kept["kinds"]),
        count=kept["count"],
        findings=tuple(Finding(domain=domain, **finding) for finding in kept["findings"]),
        database_user=database_user,
        os_user=os_user,
        host=host,
        project_version=project_version,
    )
