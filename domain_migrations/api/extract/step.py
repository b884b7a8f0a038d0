"""One step of an extraction: its two databases, its lock, and the state that it continues from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from ...domains import get_domain
from ...engine.history.existing_tables import existing_tables
from ...engine.history.extractions import Extraction, read_extraction, record_extraction
from ...engine.history.journal import Journal
from ...engine.runner.options import MigrateOptions
from ...engine.runner.results import Reporter
from ...engine.runner.run_session import RunSession
from ...exceptions import ExtractionRefused, InvalidConfiguration
from .database_origins import translated_errors
from .extraction_progress import next_steps
from .sides import Sides


@dataclass(frozen=True, kw_only=True)
class ExtractOptions:
    """The options of every step.

    Attributes:
        to: the alias of the database that the domain moves to.
        source: the alias of the one that it leaves; the domain's own unless given.
        max_pause: seconds in which nobody may be able to write.
        patience: seconds to wait for the copy to catch up, and for long transactions, before.
        core_tables: names of core's tables that the target gets as well, read-only.
        publisher, subscriber: connection strings by which each server reaches the other, where
            those of ``DATABASES`` are only valid on this machine.
        lock_wait: seconds to wait for another run.
    """

    to: str
    source: str | None = None
    max_pause: float = 5.0
    patience: float = 60.0
    core_tables: tuple[str, ...] = ()
    publisher: str = ""
    subscriber: str = ""
    lock_wait: float | None = None


def sides_of(name: str, options: ExtractOptions) -> Sides:
    """Return the two databases of an extraction.

    Raises:
        UnknownDomain: no domain has that name.
        InvalidConfiguration: core cannot leave, or an alias does not fit.
    """
    domain = get_domain(name)
    if domain.is_core:
        raise InvalidConfiguration(
            "Core cannot leave its database.", hint="Name a domain: manage.py show_domains"
        )
    source = options.source or domain.database
    if source == options.to and options.source is None:
        source = DEFAULT_DB_ALIAS  # The settings have been changed already, after the cut-over.
    for alias in (source, options.to):
        if alias not in connections:
            raise InvalidConfiguration(
                f'DATABASES has no "{alias}".',
                hint=f"It has {', '.join(connections)}; add the new server, and run it again.",
            )
    if source == options.to:
        raise InvalidConfiguration(
            f'The domain "{name}" is in "{source}" already.',
            hint="Name the database that it leaves with --from.",
        )
    return Sides(domain, source, options.to)


@dataclass
class Step:
    """A step that holds the domain's lock in the source.

    Attributes:
        state: the latest state; None if no extraction was ever begun.
    """

    sides: Sides
    options: ExtractOptions
    reporter: Reporter
    journal: Journal
    state: Extraction | None

    @classmethod
    @contextmanager
    def begin(cls, sides: Sides, options: ExtractOptions, reporter: Reporter) -> Iterator[Step]:
        """Yield the step, with the lock that every run of the domain in the source needs.

        Raises:
            ExtractionRefused: the domain moves to another database.
        """
        locking = MigrateOptions(database=sides.source, lock_wait=options.lock_wait)
        with (
            RunSession.locked(sides.domain, locking, reporter, command="extract_domain") as session,
            translated_errors(sides),
        ):
            yield cls(sides, options, reporter, session.journal, current_state(sides))

    def record(self, state: Extraction) -> None:
        """Append the state to the source's journal, in the transaction that is open."""
        if not existing_tables(self.sides.from_connection, [self.sides.domain.journal_table]):
            raise ExtractionRefused(
                f'The domain has no journal in "{self.sides.source}".',
                hint=f"manage.py migrate_domain {self.sides.domain.name} --signals",
            )
        record_extraction(self.journal, state)
        self.state = state

    def record_alone(self, state: Extraction) -> None:
        """Append the state in a transaction of its own."""
        with transaction.atomic(using=self.sides.source):
            self.record(state)

    def require(self, *phases: str) -> Extraction:
        """Return the state.

        Raises:
            ExtractionRefused: it is in none of the phases.
        """
        return require_phase(self.sides, self.state, *phases)


def current_state(sides: Sides) -> Extraction | None:
    """Return the state in the source's journal.

    Raises:
        ExtractionRefused: the domain moves to another database.
    """
    state = read_extraction(sides.from_connection, sides.domain)
    if state is not None and not state.is_over and state.target != sides.target:
        raise ExtractionRefused(
            f'The domain "{sides.domain.name}" moves to "{state.target}", not to "{sides.target}".',
            hint=f"Use --to {state.target}.",
        )
    return state


def require_phase(sides: Sides, state: Extraction | None, *phases: str) -> Extraction:
    """Return the state, if it is in one of the phases.

    Raises:
        ExtractionRefused: it is not.
    """
    if state is not None and state.phase in phases:
        return state
    command = f"manage.py extract_domain {sides.domain.name}"
    if state is None or state.is_over:
        ended = "" if state is None else f" The last move was {state.phase}."
        raise ExtractionRefused(
            f'The domain "{sides.domain.name}" does not move to "{sides.target}".{ended}',
            hint=f"Begin with: {command} plan --to {sides.target}",
        )
    following, _ = next_steps(sides, state)
    raise ExtractionRefused(
        f'The move of the domain "{sides.domain.name}" is {state.phase}.',
        hint=f"What comes next: {following}",
    )
