"""The function of every command that migrates: ``migrate_domains``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from ..domains import CORE, get_domain, get_domains
from ..engine.history.run_context import RunContext
from ..engine.history.status_reader import StatusReader
from ..engine.runner.domain_run import DomainRun
from ..engine.runner.options import MigrateOptions
from ..engine.runner.results import DomainResult, ErrorInfo, Reporter, RunResult
from ..exceptions import DependencyNotApplied, DomainMigrationsError, RunStopped


def migrate_domains(
    domains: Sequence[str] | None = None,
    options: MigrateOptions | None = None,
    *,
    reporter: Reporter | None = None,
    context: RunContext | None = None,
) -> RunResult:
    """Migrate domains as the options ask, core first, and return the results.

    Errors of the engine are in the results, not raised. If a domain fails, the others still
    run; if core fails, they are skipped.

    Arguments:
        domains: names; None for every domain, core first.
        options: the options of the run; all pending migrations are applied unless given.
        reporter: gets the progress.
        context: of a run that this is a part of, as in a fleet.
    """
    options = options or MigrateOptions()
    reporter = reporter or Reporter()
    names = [domain.name for domain in get_domains()] if domains is None else list(domains)
    context = context or RunContext()
    results: list[DomainResult] = []
    if options.with_dependencies and CORE not in names:
        results.append(_run(CORE, _all_of_core(options), context, reporter))
    parallel = options.jobs is not None and not options.is_read_only
    first = [name for name in names if name == CORE or not parallel]
    reader: StatusReader | None = StatusReader(names, options.database)
    for name in first:
        if _core_failed(results) or _was_stopped(results):
            results.append(_skipped(name))
        else:
            result = _run(name, options, context, reporter, reader)
            results.append(result)
            if not (options.is_read_only or result.status == "unchanged"):
                reader = None  # What it has done may have changed what was read.
    others = [name for name in names if name not in first]
    if _core_failed(results) or _was_stopped(results):
        results += map(_skipped, others)
    elif options.jobs is not None and others:
        from ..engine.runner.parallel import run_in_parallel

        results += run_in_parallel(others, options, context, reporter, run=_run, jobs=options.jobs)
    if len(results) > 1 and not options.is_read_only and not _was_stopped(results):
        _run_waiting(results, options, context, reporter)
    return RunResult(
        run=str(context.run),
        database=options.database or DEFAULT_DB_ALIAS,
        domains=tuple(results),
    )


def _all_of_core(options: MigrateOptions) -> MigrateOptions:
    """Return the options to apply all of core before domains, whose target it does not have."""
    target: dict[str, Any] = {"target": None, "app_label": None, "rollback": None}
    return replace(options, **target, fake=False, fake_initial=False)


def _run_waiting(
    results: list[DomainResult], options: MigrateOptions, context: RunContext, reporter: Reporter
) -> None:
    """Run again what has waited for another domain, as long as that lets a run do something.

    A domain waits that exchanges a table, and so do those that need the migrations after that.
    """
    moved = any(result.error and result.error.waits for result in results)
    while moved:
        moved = False
        for index, before in enumerate(results):
            if before.error is None or before.error.code != DependencyNotApplied.code:
                continue
            again = _all_of_core(options) if before.domain == CORE else options
            result = _run(before.domain, again, context, reporter)
            moved = moved or bool(result.applied or result.error is None)
            results[index] = result._replace(
                batch=result.batch or before.batch,
                status="migrated"
                if result.status == "unchanged" and before.applied
                else result.status,
                applied=(*before.applied, *result.applied),
                adoptions=(*before.adoptions, *result.adoptions),
                seconds=before.seconds + result.seconds,
            )
            if _was_stopped([result]):
                return


def _core_failed(results: Sequence[DomainResult]) -> bool:
    return any(
        result.domain == CORE and result.error and not result.error.waits for result in results
    )


def replay_migrations(
    domain: str,
    alias: str,
    *,
    reporter: Reporter | None = None,
    waits: bool = False,
    **options: Any,
) -> ErrorInfo | None:
    """Migrate a domain of a scratch database without its snapshot; return the error, if any.

    Arguments:
        waits: stop where it exchanges a table with another domain that is not there; otherwise
            the other domain is migrated, too.
        options: of the run, beside those that every replay has.

    Raises:
        RunStopped: a signal has ended the run.
    """
    replay = MigrateOptions(database=alias, interactive=False, verbosity=0, replay=True, **options)
    others = exchanging_domains(domain)
    while True:
        (result,) = migrate_domains([domain], replay, reporter=reporter).domains
        raise_if_stopped([result])
        if result.error is None or not result.error.waits:
            return result.error
        if waits:
            return None
        # What a table comes from, or goes to, has to be there first.
        found = migrate_domains(others, replace(replay, only=None), reporter=reporter).domains
        raise_if_stopped(found)
        if not any(other.applied for other in found):
            return result.error


def exchanging_domains(name: str) -> list[str]:
    """Return the domains that a domain's transfers need, also through others."""
    # It parses; only replays need it.
    from ..engine.sources.transfer_halves import halves_in, needed_elsewhere

    found, left = {name}, [name]
    while left:
        domain = get_domain(left.pop())
        for label in domain.app_labels:
            for half in halves_in(label):
                others = half.other_domain, *needed_elsewhere(half).values()
                new = {other.name for other in others} - found
                found |= new
                left += new
    return [domain.name for domain in get_domains() if domain.name in found - {name}]


def raise_if_stopped(results: Sequence[DomainResult]) -> None:
    """Raise an error if a signal has stopped one of the runs, which were in a scratch database.

    Raises:
        RunStopped: the scratch database is dropped, and nothing else was changed.
    """
    if _was_stopped(results):
        raise RunStopped(
            "The command was stopped by a signal.",
            hint="Its scratch databases are dropped, and nothing else was changed.",
        )


def _was_stopped(results: Sequence[DomainResult]) -> bool:
    return any(result.error and result.error.code == RunStopped.code for result in results)


def _run(
    name: str,
    options: MigrateOptions,
    context: RunContext,
    reporter: Reporter,
    reader: StatusReader | None = None,
) -> DomainResult:
    try:
        domain = get_domain(name)
    except DomainMigrationsError as exc:
        return DomainResult(name, None, None, "refused", error=ErrorInfo.of(exc))
    reader = reader or StatusReader([name], options.database)
    return DomainRun(domain, options, context, reporter, reader).run()


def _skipped(name: str) -> DomainResult:
    return DomainResult.of(get_domain(name), "skipped")
