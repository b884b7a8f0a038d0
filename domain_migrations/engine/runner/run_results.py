"""The results of a domain's run: what it has done, or the error that has ended it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ...domains import Domain
from ...exceptions import DomainMigrationsError
from ..history.status import DomainStatus
from .options import MigrateOptions
from .results import DomainResult, ErrorInfo, Status

if TYPE_CHECKING:
    from .run_progress import RunProgress


class RunResults(NamedTuple):
    """Makes the results of one domain's run.

    Attributes:
        domain: the domain that runs.
        options: of the run; they say whether the result has steps.
    """

    domain: Domain
    options: MigrateOptions

    def of(
        self,
        word: Status,
        status: DomainStatus | None = None,
        progress: RunProgress | None = None,
        **values: Any,
    ) -> DomainResult:
        """Return a result; what is pending and unknown is the status's unless given."""
        if status is not None:
            values = {"pending": status.pending, "unknown": status.unknown, **values}
        if self.options.wants_steps:
            values.setdefault("steps", ())
        return DomainResult.of(
            self.domain,
            word,
            applied=() if progress is None else tuple(progress.applied),
            reverted=() if progress is None else tuple(progress.reverted),
            **values,
        )

    def failed(
        self,
        exc: DomainMigrationsError,
        status: DomainStatus | None = None,
        progress: RunProgress | None = None,
        *,
        batch: int | None = None,
        **values: Any,
    ) -> DomainResult:
        """Return the result of a run that an error has ended."""
        from .failures import failure_status

        applied = () if progress is None else progress.applied
        reverted = () if progress is None else progress.reverted
        changed = bool(applied or reverted)
        if status is not None:
            pending = {*status.pending, *(ran.key for ran in reverted)}
            values["pending"] = tuple(sorted(pending - {ran.key for ran in applied}))
        values.update(batch=batch if changed else None, error=ErrorInfo.of(exc))
        return self.of(failure_status(exc, changed=changed), status, progress, **values)
