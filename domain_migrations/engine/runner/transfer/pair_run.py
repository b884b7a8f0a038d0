"""Both migrations of a transfer, run in one transaction with the executor of either domain."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from ....domains import get_domain_for
from ...guard.guard import BoundaryGuard
from ...guard.watch import Footprint
from ...history.journal import Direction
from ...history.journal_queries import read_entries
from ...messages import shortened
from ...sessions.connection import execute
from ...sessions.database_problems import translate_database_errors
from ...sessions.roles import domain_role
from ...sources.transfer_halves import Half
from ..attempts import Attempt
from ..loader import DomainLoader, load_domain
from ..observed_operations import run_operations
from ..run_session import RunSession, ensure_engine_tables
from .table_transfer import TableTransfer, TransferRecord
from .transferred_objects import functions_naming

if TYPE_CHECKING:
    from ..attempt_operations import AttemptOperations
    from ..executor import DomainExecutor

TRANSFERRED = "transferred"
"""In the details of a journal row: what the undoing of the transfer needs to know."""


@dataclass
class PairRun:
    """Runs one half as its executor would, and the other half with it.

    Attributes:
        executor: of the domain that is migrated.
        attempt: to run the half of that domain.
        partner: the executor of the other domain.
        partner_attempt: to run the other half.
        functions: those whose text may name the tables where they were.
    """

    executor: DomainExecutor
    attempt: Attempt
    half: Half
    partner: DomainExecutor
    guard: BoundaryGuard = field(init=False)
    partner_attempt: Attempt = field(init=False)
    functions: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        domain, other = self.executor.domain, self.partner.domain
        self.guard = BoundaryGuard(self.executor.connection, domain, other)
        if self.executor.connection.in_atomic_block:
            self.guard.ignore_so_far()  # A dry run has tried other migrations before.
        migration = self.partner.loader.graph.nodes[self.half.partner]
        self.partner_attempt = Attempt(migration, self.attempt.direction, in_transaction=True)
        self.attempt.count_others = self._count_partner

    def run(self, operations: AttemptOperations, state: ProjectState) -> ProjectState:
        """Run both halves, and return the state of the executor's domain after them."""
        own, other = self.attempt.migration, self.partner_attempt.migration
        self._pass_record(own, other)
        self.functions = functions_naming(self.executor.connection, self.transfer.tables)
        # Forwards, the table is received before the other model goes; backwards, the reverse.
        if self.half.receives == self.attempt.backwards:
            self._run_partner(operations)
            state = self._with_partner(state)
            state = operations.run(state)
        else:
            state = operations.run(state)
            self._run_partner(operations)
            state = self._with_partner(state)
        record = next(filter(None, (each.operations[0].record for each in _pair(own, other))), None)
        if record is not None and not self.attempt.backwards:
            for attempt in (self.attempt, self.partner_attempt):
                attempt.details[TRANSFERRED] = record._asdict()
        return state

    def _run_partner(self, operations: AttemptOperations) -> None:
        migration = self.partner_attempt.migration
        state = self.partner.applied_state(until=migration)
        own = self.partner.loader.graph.nodes.get(tuple(self.half.key))
        if self.half.receives and own is not None and not self.attempt.backwards:
            state = own.mutate_state(state, preserve=False)

        @contextmanager
        def counted(operation: Operation) -> Iterator[None]:
            yield
            operations.watch.custom_sql = True

        run_operations(migration, state, operations.editor, self.attempt.direction, counted)

    def _with_partner(self, state: ProjectState) -> ProjectState:
        """Return the state with the other half, where the loader has it and no run of its own."""
        loader, key = self.executor.loader, tuple(self.half.partner)
        if self.attempt.backwards or not isinstance(loader, DomainLoader):
            return state
        if (migration := loader.graph.nodes.get(key)) is None:
            return state
        changed: ProjectState = migration.mutate_state(state, preserve=False)
        return changed

    def _pass_record(self, own: Migration, other: Migration) -> None:
        """Let both operations know what an earlier run of them has done."""
        known = [each.operations[0].record for each in _pair(own, other)]
        record = next(filter(None, known), None)
        if self.attempt.backwards and record is None:
            record = self._recorded()
        for each in _pair(own, other):
            each.operations[0].record = record if self.attempt.backwards else None

    def _recorded(self) -> TransferRecord | None:
        """Return what the journal has recorded when the transfer was run."""
        if not self.executor.session.journal.exists():
            return None
        for entry in reversed(list(read_entries(self.executor.connection, self.executor.domain))):
            found = entry.details.get(TRANSFERRED) if entry.key == self.half.key else None
            if isinstance(found, dict):
                return TransferRecord(
                    tuple(map(str, found.get("revocations", ()))),
                    tuple((str(kind), str(name)) for kind, name in found.get("followers", ())),
                )
        return None

    def move_seed_records(self) -> None:
        """Let the ledger of the domain that has the table now have the records of its seeds."""
        self.transfer.move_seed_records(self.executor.connection)

    def log_applied(self, footprint: Footprint) -> None:
        """Record the other half, as its own domain's run would."""
        if self.partner.log.writes:
            # Until its post_migrate was sent, the other domain's run is not done.
            started = self.partner_attempt.started
            self.partner.session.journal.write("running", "run", started=started)
        self.partner.log.log_applied(self.partner_attempt, footprint)

    def _count_partner(self) -> None:
        own, other = self.attempt, self.partner_attempt
        self.executor.progress.count(other.migration, other.clock, backwards=own.backwards)
        for each in (own, other):
            self.partner.progress.count(each.migration, each.clock, backwards=own.backwards)

    def end(self) -> None:
        """Count the other half, once both are committed, and say what both have done."""
        self._count_partner()
        own, session = self.attempt, self.executor.session
        if self.functions:
            session.reporter.on_warning(
                f"Warning: the text of {shortened(self.functions)} may name"
                f" {shortened(list(self.transfer.tables))}, which is in"
                f" {self.transfer.target.schema} now: create it again with the new name."
            )
        if not own.backwards:
            self._report_views()
        verb = "reverted" if own.backwards else "applied"
        session.reporter.on_note(f"{self.half.partner} was {verb} together with {self.half.key}.")
        roles = (
            domain_role(session.connection, each.domain) for each in (self.executor, self.partner)
        )
        if any(roles):
            names = " ".join(
                each.domain.name
                for each in (self.executor, self.partner)
                if not each.domain.is_core
            )
            session.reporter.on_note(
                f"The roles of the domains have not got their privileges on the table yet: run"
                f" manage.py grant_domain {names} --apply."
            )

    def _report_views(self) -> None:
        """Say what older code finds under the old names, where the transfer is to leave views."""
        names, reporter = self.transfer.old_names, self.executor.session.reporter
        tables = " and ".join(map(str, names.tables))
        if names.is_late:
            reporter.on_warning(
                f"Warning: No view was left as {tables}, because compat_view_until, {names.until},"
                " is past: older code does not find the tables any more."
            )
        elif names.until is not None:
            reporter.on_note(
                f"{tables} {'stands' if len(names.tables) == 1 else 'stand'} in for the tables, for"
                f" older code, until {names.until}."
            )

    @property
    def transfer(self) -> TableTransfer:
        """What moves where, in the direction of the attempt."""
        operation: Any = self.attempt.migration.operations[0]
        found: TableTransfer = operation.transfer(self.attempt.migration.app_label)
        return found.reversed() if self.attempt.backwards else found


def _pair(own: Migration, other: Migration) -> tuple[Any, Any]:
    return own, other


def partner_executor(executor: DomainExecutor, half: Half) -> DomainExecutor:
    """Return an executor of the other domain, which shares the connection and the lock.

    Its schema, its history and its journal are created unless they exist; a dry run has created
    the schema.

    Raises:
        DomainMigrationsError: they cannot be created, or be read.
    """
    session, domain = executor.session, get_domain_for(half.partner.app)
    if executor.find_partner is not None:
        return executor.find_partner(domain)
    if domain.name not in executor.partners:
        other = RunSession(
            session.connection,
            domain,
            session.options,
            session.reporter,
            session.journal.context,
            lock=session.lock,
        )
        loader = load_domain(session.connection, domain, may_conflict=True)
        # A dry run has tried migrations of core that no history has.
        known = executor.loader.applied_migrations.items()
        loader.applied_migrations.update(
            (key, migration) for key, migration in known if key in loader.graph.nodes
        )
        log = executor.log.for_session(other, loader)
        with translate_database_errors(session.connection.alias):
            if log.writes:
                ensure_engine_tables(other)
        executor.partners[domain.name] = type(executor)(other, loader, log=log)
    return executor.partners[domain.name]


def log_faked_pair(
    executor: DomainExecutor, migration: Migration, half: Half, direction: Direction
) -> None:
    """Record both halves as applied or reverted, without running them.

    Whoever has moved the tables has moved nothing else: content types and the records of seeds
    follow them now.
    """
    partner, connection = partner_executor(executor, half), executor.connection
    other = partner.loader.graph.nodes[half.partner]
    operation: Any = migration.operations[0]
    move: TableTransfer = operation.transfer(migration.app_label)
    if direction == "backwards":
        move = move.reversed()
    with transaction.atomic(using=connection.alias):
        if partner.log.writes:
            for statement in move.rename_statements(connection):
                execute(connection, statement)
            move.move_seed_records(connection)
        partner.log.log_faked(other, direction)
        executor.log.log_faked(migration, direction)
    if direction == "backwards":
        executor.progress.count(other, time.monotonic(), backwards=True)
