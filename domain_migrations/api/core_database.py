"""Scratch databases with core, copied for each domain that is replayed beside it."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property

from ..domains import CORE
from ..engine.runner.results import ErrorInfo
from ..engine.sessions.scratch_databases import connections_redirected_to, scratch_database
from .migrate import exchanging_domains, replay_migrations


class CoreDatabase:
    """A scratch database with core only, created when it is first used.

    Where core exchanges tables with domains, it waits for them, as it does in their own database;
    for other domains, those are applied, too.

    Arguments:
        purpose: the beginning of its name.
        waits: whether core waits.
    """

    def __init__(self, alias: str, stack: ExitStack, purpose: str, *, waits: bool) -> None:
        self.alias, self.stack, self.purpose, self.waits = alias, stack, purpose, waits

    @cached_property
    def name(self) -> str:
        return self.stack.enter_context(scratch_database(self.alias, self.purpose))

    @cached_property
    def error(self) -> ErrorInfo | None:
        """Why core cannot be applied, None if it can."""
        with connections_redirected_to(self.name, self.alias):
            return replay_migrations(CORE, self.alias, waits=self.waits)


class CoreDatabases:
    """The databases of one command: with core alone, and with what it exchanges tables with."""

    def __init__(self, alias: str, stack: ExitStack, purpose: str) -> None:
        self.alone = CoreDatabase(alias, stack, purpose, waits=True)
        self.complete = CoreDatabase(alias, stack, purpose, waits=False)
        self.exchanging = exchanging_domains(CORE)

    def for_domain(self, name: str) -> CoreDatabase:
        """Return the one that a domain is replayed beside."""
        return self.alone if name in self.exchanging or not self.exchanging else self.complete
