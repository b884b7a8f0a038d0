"""The options of a run, and the checks of their combinations."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ...conf import Stage, get_settings

SECONDS = ("lock_wait", "lock_timeout", "statement_timeout", "wait_for_db")
"""The options that take seconds."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The options of every run: its database, and how many seconds to wait for what.

    Attributes:
        wait_for_db: None where the command has no such option.
    """

    database: str | None = None
    lock_wait: float | None = None
    wait_for_db: float | None = None

    @property
    def lock_wait_seconds(self) -> float:
        return get_settings().lock_wait if self.lock_wait is None else self.lock_wait

    def validate(self) -> Iterator[str]:
        """Yield a sentence for each invalid value or combination."""
        for name in SECONDS:
            seconds = getattr(self, name, None)
            if seconds is not None and not 0 <= seconds < float("inf"):
                yield f"{_flag(name)} takes seconds, 0 or more."


@dataclass(frozen=True, kw_only=True)
class MigrateOptions(RunOptions):
    """The options of ``migrate_domain``; names and meanings as on the command line.

    Times are in seconds. ``app_label`` narrows a run to one app of its domain and
    ``run_syncdb`` creates the tables of apps without migrations, both for stock ``migrate``;
    ``signals`` sends Django's signals also where nothing is pending; ``collect_sql`` gives the
    steps of a plan their SQL, which takes longer the more migrations there are;
    ``resume`` resumes an interrupted migration and does nothing else, for ``repair_domain``;
    ``replay`` runs every migration even if the domain has a snapshot; ``only`` leaves out all
    other migrations, for a scratch database that is migrated as far as another one.
    """

    target: str | None = None
    app_label: str | None = None
    all_domains: bool = False
    plan: bool = False
    collect_sql: bool = True
    check: bool = False
    fake: bool = False
    fake_initial: bool = False
    with_dependencies: bool = False
    strict: bool = False
    run_syncdb: bool = False
    signals: bool = False
    resume: bool = False
    replay: bool = False
    only: Collection[tuple[str, str]] | None = None
    rollback: int | None = None
    dry_run: bool = False
    rehearse: bool = False
    stage: Stage | None = None
    jobs: int | None = None
    lock_timeout: float | None = None
    statement_timeout: float | None = None
    interactive: bool = True
    verbosity: int = 1

    @property
    def has_explicit_target(self) -> bool:
        """Whether a domain that is up to date may still have something to do."""
        return self.target is not None or self.rollback is not None or self.resume

    @property
    def may_conflict(self) -> bool:
        """Whether an app may have several leaf migrations, of which none is the target."""
        return self.target is not None or self.rollback is not None

    @property
    def may_revert(self) -> bool:
        """Whether migrations may be reverted, not only recorded as reverted."""
        return self.may_conflict and not (self.fake or self.resume)

    @property
    def only_checks_pending(self) -> bool:
        """Whether only pending migrations are checked, which needs no plan."""
        narrowed = self.target is not None or self.rollback is not None or self.stage is not None
        return self.check and not narrowed

    @property
    def is_read_only(self) -> bool:
        """Whether nothing is run."""
        return self.plan or self.check

    @property
    def is_dry_run(self) -> bool:
        """Whether everything that runs is rolled back."""
        return self.dry_run or self.rehearse

    @property
    def wants_steps(self) -> bool:
        """Whether the result contains the effects of each migration."""
        return self.plan or self.is_dry_run

    def validate(self) -> Iterator[str]:
        """Yield a sentence for each invalid value or combination."""
        modes = ("plan", "check", "dry_run", "rehearse")
        shown = [_flag(name) for name in modes if getattr(self, name)]
        if len(shown) > 1:
            yield f"{' and '.join(shown)} cannot be used together; choose one."
        if self.all_domains and self.target is not None:
            yield "--all cannot be used with a TARGET; name one domain to give it a target."
        if self.fake and self.fake_initial:
            yield "--fake and --fake-initial cannot be used together; choose one."
        if self.jobs is not None and not self.all_domains:
            yield "--jobs needs --all."
        if self.jobs is not None and self.jobs < 1:
            yield "--jobs takes a whole number from 1."
        if shown and (self.fake or self.fake_initial):
            yield f"{shown[0]} cannot be used with --fake or --fake-initial."
        if shown and self.signals:
            yield f"{shown[0]} cannot be used with --signals, because it sends no signals."
        if self.rollback is not None:
            yield from self._rollback_conflicts(self.rollback)
        if self.stage is not None and self.target is not None:
            yield "--stage cannot be used with a TARGET; a target defines how far to migrate."
        yield from super().validate()

    def _rollback_conflicts(self, batches: int) -> Iterator[str]:
        if batches < 1:
            yield "--rollback takes a number of batches, 1 or more."
        for name, given in (
            ("a TARGET", self.target is not None),
            ("--all", self.all_domains),
            ("--fake", self.fake),
            ("--fake-initial", self.fake_initial),
            ("--stage", self.stage is not None),
        ):
            if given:
                yield f"--rollback cannot be used with {name}."
        if self.rehearse:
            yield "--rehearse cannot be used with --rollback; use --dry-run to try a rollback."


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
