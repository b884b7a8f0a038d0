"""Keeping what a look at a domain found, without standing in anybody's way."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from django.db import DatabaseError, transaction

from ..history.journal import Journal
from ..history.verifications import store_verification
from .failures import primary_message
from .granting import Identity

LOCK_TIMEOUT = "3s"


def keep_verification(
    journal: Journal,
    *,
    started: datetime.datetime,
    seconds: float,
    kinds: Sequence[str],
    findings: Sequence[Mapping[str, str]],
) -> str:
    """Add a look to the domain's journal, and return a sentence where it could not be added.

    Where the domain has no journal, because nothing has run yet, none is made.
    """
    connection, domain = journal.connection, journal.domain
    try:
        if not journal.exists():
            return ""
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            with Identity(connection, domain).domain():
                reason = store_verification(
                    journal, started=started, seconds=seconds, kinds=kinds, findings=findings
                )
    except DatabaseError as exc:
        reason = primary_message(exc)
    if not reason:
        return ""
    return f'What was found in the domain "{domain.name}" is not kept: {reason}.'
