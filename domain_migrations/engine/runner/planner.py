"""The plan of a run: the migrations that its options ask for, checked before any of it runs."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.migrations.migration import Migration

from ...conf import Stage
from ...domains import Domain
from ...exceptions import DependencyNotApplied, MigrationIrreversible, UnknownTarget
from ..history.journal_queries import read_entries
from ..history.status import DomainStatus, read_statuses
from ..messages import shortened
from ..sources.files import MigrationKey
from ..sources.parsing import FIRST, header_of
from ..sources.stages import check_removals_have_stages, get_stage
from ..sources.transfer_halves import half_in, half_of
from .core_key_types import check_key_types
from .executor import DomainExecutor
from .faked_migrations import check_fakes
from .loader import DomainLoader, Plan, reverted_keys
from .observed_operations import operation_name
from .targets import ZERO, graph_targets, last_batches, rollback_plan, squash_map
from .transfer.pair_plan import WaitingPlan, check_transfers, split_at_core, without_partners

NO_OLD_CODE = "if no older code uses the database, omit --stage"


def make_plan(executor: DomainExecutor, status: DomainStatus) -> Plan:
    """Return the plan of a run.

    Arguments:
        executor: the executor of the run, whose session has the options.
        status: the status of the domain.

    Raises:
        UnknownTarget, AmbiguousTarget: not exactly one migration matches the target, or a
            migration that is not on disk was applied after those to revert.
        DependencyNotApplied: a migration of core is missing, an applied migration of a domain
            depends on one to revert, or the stages conflict.
        InvalidConfiguration: a migration has an unknown stage, or is to be recorded without
            running it although its tables do not exist.
        MigrationIrreversible: a migration to revert has no reverse operation.
        BoundaryViolation: a key of core changes its type without the columns of domains.
    """
    connection, domain, options = executor.connection, executor.domain, executor.session.options
    plan = without_partners(executor.loader, _requested_plan(executor, status))
    if options.only is not None:
        plan = [step for step in plan if MigrationKey.of(step[0]) in options.only]
    for migration, backwards in plan:
        if not backwards:
            get_stage(migration)  # An unknown stage is an error in every run.
    if options.stage is not None:
        own = [step for step, _ in plan if step.app_label in domain.app_labels]
        check_removals_have_stages(own, strict=options.strict)
        plan = plan_for_stage(plan, executor.loader, domain, options.stage)
    only_shown = options.is_read_only or options.is_dry_run
    if only_shown and (options.all_domains or options.with_dependencies):
        # The run will apply what core lacks before.
        plan = [step for step in plan if step[0].app_label in domain.app_labels]
    plan, waiting = split_at_core(executor.loader, plan)
    _check_only_domain(plan, domain)
    reverts = any(backwards for _, backwards in plan)
    if domain.is_core:
        to_zero = options.target == ZERO and options.app_label is None
        if reverts or to_zero:
            statuses = read_statuses(connection)
            if to_zero:
                _check_core_zero(statuses)
            _check_dependants(plan, statuses)
        if not options.fake:
            check_key_types(connection, executor.loader, plan)
    if options.fake or options.fake_initial:
        check_fakes(connection, executor.loader, plan, status, options)
    if reverts and not (options.fake or options.resume):
        _check_unknown(plan, status)
    _check_reversible(plan, status.domain)
    return plan if options.fake else _part_that_can_run(executor, plan, waiting)


def _check_cluster(executor: DomainExecutor, plan: Plan) -> None:
    """Refuse transfers from and into distributed schemas, before anything runs."""
    from .transfer.distributed_schemas import check_not_distributed

    halves = filter(None, (half_in(migration) for migration, _ in plan))
    for half in halves:
        what = f"Migration {half.key}"
        check_not_distributed(executor.connection, what, half.domain, half.other_domain)


def _part_that_can_run(executor: DomainExecutor, plan: Plan, waiting: WaitingPlan | None) -> Plan:
    """Leave out of a plan what waits for another domain; where it is only shown, say so.

    Arguments:
        waiting: what is left out already.
    """
    options = executor.session.options
    if any(half_in(migration) for migration, _ in plan):
        waiting = check_transfers(executor.connection, executor.loader, plan) or waiting
        if not options.fake:
            _check_cluster(executor, plan)
    if waiting is None or (options.is_read_only and options.all_domains):
        return plan
    if options.is_read_only:
        executor.session.reporter.on_warning(f"{waiting.error.message} {waiting.error.hint}")
        return plan
    if not (waiting.start or options.is_dry_run):
        raise waiting.error
    executor.waiting = waiting
    return plan[: waiting.start]


def _requested_plan(executor: DomainExecutor, status: DomainStatus) -> Plan:
    loader, domain, options = executor.loader, executor.domain, executor.session.options
    if options.resume and executor.interruption is not None:
        interruption = executor.interruption
        return [(loader.graph.nodes[interruption.key], interruption.backwards)]
    if options.rollback is not None:
        entries = read_entries(executor.connection, domain)
        applied = [row.key for row in status.rows]
        wanted = last_batches(entries, applied, options.rollback, squash_map(loader))
        return rollback_plan(loader, wanted)
    targets = graph_targets(loader, domain, options.target, options.app_label)
    plan: Plan = executor.migration_plan(targets)
    return plan


def plan_for_stage(plan: Plan, loader: DomainLoader, domain: Domain, stage: Stage) -> Plan:
    """Return the part of the plan that belongs to a stage.

    ``before`` contains every migration of the domain with that stage, and those of core that
    they need; ``after`` contains the rest, once every ``before`` migration is applied.

    Arguments:
        plan: forwards, each migration after those that it depends on.

    Raises:
        DependencyNotApplied: a ``before`` migration depends on an ``after`` one that is not
            applied; or a ``before`` migration would be applied by the stage ``after``.
    """
    blocked = _blocked_by_after(plan, loader)
    own = [step for step, _ in plan if step.app_label in domain.app_labels]
    first = [step for step in own if get_stage(step) == "before"]
    if stage == "before":
        needed: set[tuple[str, str]] = set()
        for migration in first:
            key = MigrationKey.of(migration)
            if (late := blocked.get(key)) is not None:
                raise DependencyNotApplied(
                    f'{migration} is "before" and depends on {late}, which is "after" and not'
                    " applied: no code can run between the two.",
                    hint=f"If the code that {late} waits for is already running, first run:"
                    f" manage.py migrate_domain {loader.owners[late.app_label].name} --stage"
                    f" after; or, {NO_OLD_CODE}.",
                )
            needed.update(loader.graph.forwards_plan(key))
        return [step for step in plan if MigrationKey.of(step[0]) in needed]
    missed = [migration for migration in first if MigrationKey.of(migration) not in blocked]
    if missed:
        verbs = "have" if len(missed) > 1 else "has"
        raise DependencyNotApplied(
            f'{shortened(missed, 1)} {verbs} stage "before" and must be applied before the new'
            " code runs, not after it.",
            hint=f"First run: manage.py migrate_domain {domain.name} --stage before; or,"
            f" {NO_OLD_CODE}.",
        )
    return plan


def _blocked_by_after(plan: Plan, loader: DomainLoader) -> dict[MigrationKey, Migration]:
    """Return migration → the pending ``after`` migration that it is or depends on."""
    blocked: dict[MigrationKey, Migration] = {}
    for migration, _ in plan:
        key = MigrationKey.of(migration)
        parents = (blocked.get(parent.key) for parent in loader.graph.node_map[key].parents)
        late = migration if get_stage(migration) == "after" else next(filter(None, parents), None)
        if late is not None:
            blocked[key] = late
    return blocked


def _check_only_domain(plan: Plan, domain: Domain) -> None:
    """Refuse a plan with migrations of core, which have to be applied, or reverted, first."""
    foreign = [migration for migration, _ in plan if migration.app_label not in domain.app_labels]
    if foreign and all(backwards for _, backwards in plan):
        raise DependencyNotApplied(
            f"{shortened(foreign)} of core {'depends' if len(foreign) == 1 else 'depend'} on what"
            f' would be reverted in the domain "{domain.name}".',
            hint="Revert it first: manage.py migrate_domain core MIGRATION, with the one before it."
            " Nothing was changed.",
        )
    if foreign:
        raise DependencyNotApplied(
            f'The domain "{domain.name}" needs {shortened(foreign)} of core, which'
            f" {'is' if len(foreign) == 1 else 'are'} not applied.",
            hint="Run: manage.py migrate_domain core (or add --with-dependencies).",
        )


def _check_unknown(plan: Plan, status: DomainStatus) -> None:
    """Refuse to revert migrations after which newer code has applied others, not on disk."""
    reverted = reverted_keys(plan)
    unknown, apps, above = set(status.unknown), set[str](), []
    for row in status.rows:
        if row.key in reverted:
            apps.add(row.app)
        elif row.app in apps and row.key in unknown:
            above.append(str(row.key))
    if above:
        raise UnknownTarget(
            f"{shortened(above)}, applied after what would be reverted, must be reverted first and"
            f" {'is' if len(above) == 1 else 'are'} not on disk.",
            hint="Deploy the code that has it and run the command again; if it is lost,"
            f" run: manage.py repair_domain {status.domain.name} --prune. Nothing was changed.",
        )


def _check_reversible(plan: Plan, domain: Domain) -> None:
    """Refuse to revert operations that have no reverse, before anything is reverted."""
    stuck = [
        f"{migration} ({operation_name(operation, backwards=False)})"
        for migration, backwards in plan
        if backwards
        for operation in migration.operations
        if not operation.reversible
    ]
    if stuck:
        raise MigrationIrreversible(
            f"These cannot be reverted: {shortened(stuck)}.",
            hint="Choose a target after them; or write their reverse, and where they are applied,"
            f" run: manage.py repair_domain {domain.name} --accept-checksum NAME. Nothing was"
            " changed.",
        )


def _check_dependants(plan: Plan, statuses: Iterable[DomainStatus]) -> None:
    """Refuse to revert migrations of core on which an applied one of a domain depends."""
    reverted = reverted_keys(plan)
    first_of = {
        migration.app_label
        for migration, backwards in plan
        if backwards and all(app != migration.app_label for app, _ in migration.dependencies)
    }
    for status in statuses:
        if status.domain.is_core:
            continue
        for row in status.rows:
            half = half_of(row.key)
            for label, name in header_of(row.key).dependencies:
                if half is not None and half.partner == (label, name):
                    continue  # It is reverted with it.
                if (label, name) in reverted or (name == FIRST and label in first_of):
                    raise DependencyNotApplied(
                        f"{row.key}, which is applied, depends on {label}.{name}"
                        " of core, which would be reverted.",
                        hint=f"First run: manage.py migrate_domain {status.domain.name} zero",
                    )


def _check_core_zero(statuses: Iterable[DomainStatus]) -> None:
    """Refuse ``core zero`` while a domain has applied migrations."""
    dependants = [s.domain.name for s in statuses if not s.domain.is_core and s.rows]
    if dependants:
        raise DependencyNotApplied(
            f"core cannot be migrated to zero while domains depend on it: {', '.join(dependants)}.",
            hint="First run: "
            + "; ".join(f"manage.py migrate_domain {name} zero" for name in dependants),
        )
