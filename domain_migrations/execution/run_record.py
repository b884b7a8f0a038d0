"""A run's own rows in the journal: when it began, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError
from django.utils.timezone import now

from ..exceptions import DomainMigrationsError, MigrationFailed
from ..history.journal import Journal
from .failures import primary_message
from .session import is_alive
from .traffic import sqlstate_of


class RunRecord:
    """A run's own rows in the journal.

    Arguments:
        journal: whose table need not be there yet.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.started, self.clock = now(), time.monotonic()
        self.begun = False

    def begin(self) -> None:
        """Note that the run has begun; once is enough."""
        if not self.begun:
            self.journal.write("running", "run", started=self.started)
            self.begun = True

    def end(self, exc: Exception | None = None) -> None:
        """Note that the run has ended, and by what error."""
        if self.begun and is_alive(self.journal.connection):
            self.journal.write(
                "failed" if exc else "done",
                "run",
                started=self.started,
                seconds=time.monotonic() - self.clock,
                error=getattr(exc, "message", None) or primary_message(exc) if exc else "",
                sqlstate=sqlstate_of(exc),
            )


@contextmanager
def run_recorded(journal: Journal) -> Iterator[RunRecord]:
    """Frame a run in the journal: it is finished only behind ``post_migrate`` and the hooks.

    It is noted from its beginning where there is a journal; else from ``begin()``.

    Raises:
        MigrationFailed: a receiver of ``pre_migrate`` or ``post_migrate`` raised an error.
    """
    record = RunRecord(journal)
    if journal.exists():
        record.begin()
    try:
        try:
            yield record
        except (DomainMigrationsError, DatabaseError):
            raise
        except Exception as exc:
            raise MigrationFailed(
                f"A receiver of pre_migrate or post_migrate failed: {primary_message(exc)}",
                hint="What is applied is recorded; the next run sends the signal again.",
            ) from exc
    except Exception as exc:
        record.end(exc)
        raise
    record.end()
