"""Exceptions, one for each condition that a person or a script may want to distinguish."""

from __future__ import annotations

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_TEMPORARY = 75
"""``EX_TEMPFAIL`` of sysexits.h: a retry may succeed."""


class DomainMigrationsError(Exception):
    """The base class of the engine's errors.

    Arguments:
        message: one sentence that names the object and says what is wrong.
        hint: what to do about it, a sentence or a command line.
        sqlstate: PostgreSQL's five-character error code, if there is one.

    Attributes:
        traceback: of the exception of the project's code that caused the error, else empty.
    """

    code = "migration_failed"
    exit_status = EXIT_FAILED

    def __init__(self, message: str, *, hint: str = "", sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.sqlstate = sqlstate
        self.traceback = ""

    @property
    def full_message(self) -> str:
        """The message and the hint, as one line."""
        return f"{self.message} {self.hint}".strip()


class UnknownDomain(DomainMigrationsError):
    """No installed app declares the domain."""

    code = "unknown_domain"
    exit_status = EXIT_USAGE


class UnknownModel(DomainMigrationsError):
    """No installed app has the model."""

    code = "unknown_model"
    exit_status = EXIT_USAGE


class UnknownTarget(DomainMigrationsError):
    """No migration of the domain matches the given name."""

    code = "unknown_target"


class AmbiguousTarget(DomainMigrationsError):
    """Several migrations of the domain match the given name."""

    code = "ambiguous_target"


class DependencyNotApplied(DomainMigrationsError):
    """A migration depends on a core migration that is not applied, or an applied migration
    depends on the one being reverted."""

    code = "dependency_not_applied"


class TransferWaits(DependencyNotApplied):
    """A migration that exchanges a table needs one of the other domain that is not applied."""


class BoundaryViolation(DomainMigrationsError):
    """A domain depends on another domain, or core depends on a domain."""

    code = "boundary"


class ChecksumMismatch(DomainMigrationsError):
    """A migration was edited after it had been applied."""

    code = "checksum"


class MigrationInterrupted(DomainMigrationsError):
    """An earlier run died during a non-atomic migration."""

    code = "interrupted"


class RunStopped(DomainMigrationsError):
    """A signal has stopped the run: Ctrl-C, SIGTERM or SIGHUP."""

    code = "stopped"

    @classmethod
    def by(cls, interrupt: KeyboardInterrupt, what: str, *, kept: str, at: str = "") -> RunStopped:
        """Return the error for an interrupt.

        Arguments:
            what: what was stopped, as the beginning of a sentence.
            kept: what was kept, as sentences.
            at: the step that was running.
        """
        step = f" at {at}" if at else ""
        return cls(f"{what} was stopped by {str(interrupt) or 'Ctrl-C'}{step}.", hint=kept)


class ExtractionInProgress(DomainMigrationsError):
    """The domain is moving to another server, or has left this one."""

    code = "extraction"


class ExtractionRefused(DomainMigrationsError):
    """A step of an extraction cannot be taken now, or was taken back."""

    code = "extraction_refused"


class DistributionRefused(DomainMigrationsError):
    """A domain cannot be distributed over the nodes of a Citus cluster as things are."""

    code = "distribution_refused"


class DistributionFailed(DomainMigrationsError):
    """What is on the nodes of a cluster is not what was on the coordinator."""

    code = "distribution_failed"


class MigrationIrreversible(DomainMigrationsError):
    """A migration that has to be reverted is irreversible."""

    code = "irreversible"


class LockNotAvailable(DomainMigrationsError):
    """Another run held the lock for longer than this run may wait."""

    code = "lock_busy"
    exit_status = EXIT_TEMPORARY


class PooledConnection(DomainMigrationsError):
    """The connection goes through a pooler that changes the server session between transactions."""

    code = "pooled_connection"


class DatabaseUnavailable(DomainMigrationsError):
    """The database did not answer in time, or the connection was lost."""

    code = "connection"
    exit_status = EXIT_TEMPORARY


class NodeUnavailable(DomainMigrationsError):
    """The database answers, but a node of its cluster that it needs does not."""

    code = "node"
    exit_status = EXIT_TEMPORARY


class NodeLoginRefused(NodeUnavailable):
    """A node of the cluster does not let the coordinator in with the role of the session."""

    code = "node_login"
    exit_status = EXIT_FAILED


class InsufficientPrivilege(DomainMigrationsError):
    """The database role lacks a privilege that the migration needs."""

    code = "privilege"


class StatementTimeout(DomainMigrationsError):
    """A statement ran, or waited for a lock, for longer than its timeout."""

    code = "timeout"


class MigrationFailed(DomainMigrationsError):
    """An operation of a migration raised an error."""


class SeedFailed(DomainMigrationsError):
    """A seed file is invalid, or an error stopped the seed."""

    code = "seed_failed"


class HookFailed(DomainMigrationsError):
    """A hook failed, either before the migrations (nothing was changed) or after them."""

    code = "hook_failed"


class StaleSnapshot(DomainMigrationsError):
    """A snapshot does not match the migrations it was made from."""

    code = "snapshot_stale"


class NewerTables(DomainMigrationsError):
    """A newer version of domain_migrations has made the engine's tables, or has upgraded them."""

    code = "newer_tables"


class ChangedTable(DomainMigrationsError):
    """Someone has changed or replaced one of the engine's tables, so that it cannot be used."""

    code = "changed_table"


class InvalidConfiguration(DomainMigrationsError):
    """A setting or a declaration of a domain is invalid."""

    code = "invalid_configuration"


class InvalidSites(DomainMigrationsError):
    """The sites of a fleet, or their options, are not given as they have to be."""

    code = "invalid_sites"
    exit_status = EXIT_USAGE


class SiteFailed(DomainMigrationsError):
    """The process of a site has died, or its password command has failed."""

    code = "site_failed"


class SiteTimeout(DomainMigrationsError):
    """A site took longer than its time, and was stopped."""

    code = "site_timeout"
    exit_status = EXIT_TEMPORARY
