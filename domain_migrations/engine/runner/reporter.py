"""Whom a run tells what it is doing. A command prints it, a caller in Python may ignore it."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db.migrations.migration import Migration

from ...domains import Domain


class Reporter:
    """Hears everything and says nothing.

    Attributes:
        clock: tells the seconds at which things happen, which is not when they are told where
            domains run in processes of their own.
    """

    clock: Callable[[], float] = time.monotonic

    def on_domain_start(self, domain: Domain) -> None:
        """A domain's run begins."""

    def progress(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        """As ``progress_callback`` of Django's migration executor."""

    def on_note(self, message: str) -> None:
        """Something worth knowing happened."""

    def on_wait(self, message: str) -> None:
        """The run waits for somebody; a note that comes at once wherever the run is."""
        self.on_note(message)

    def warning(self, message: str) -> None:
        """Something is not as it should be, and the run goes on."""
