"""From what was asked for to a list of migrations, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration

from ...domains import Domain
from ...exceptions import DependencyNotApplied, MigrationIrreversible, UnknownTarget
from ..history.journal_queries import read_entries
from ..history.status import DomainStatus, read_statuses
from ..messages import shortened
from ..sources.files import MigrationKey
from ..sources.parsing import FIRST, header_of
from ..sources.stages import Stage, get_stage
from .batches import last_batches, rollback_plan, squash_map
from .core_key_types import check_key_types
from .executor import DomainExecutor
from .loader import DomainLoader
from .options import MigrateOptions
from .plan import Plan
from .targets import ZERO, graph_targets

NO_OLD_CODE = "where no older code uses the database, leave --stage out"


def check_stages(plan: Plan) -> None:
    """Refuse a plan with a migration whose stage is none.

    Raises:
        InvalidConfiguration: naming the migration.
    """
    for migration, backwards in plan:
        if not backwards:
            get_stage(migration)


def plan_for_stage(plan: Plan, loader: DomainLoader, domain: Domain, stage: Stage) -> Plan:
    """Return what of the plan the stage takes in.

    ``before`` takes every migration of the domain that is ``before``, and what those need of
    core; ``after`` takes all that is left, once no ``before`` waits in front of it.

    Arguments:
        plan: forwards, every migration behind those that it depends on.

    Raises:
        DependencyNotApplied: a ``before`` migration depends on an ``after`` one that is not
            applied; or, asked for ``after``, a ``before`` migration was not applied first.
    """
    behind = _blocked_by_after(plan, loader)
    own = [step for step, _ in plan if step.app_label in domain.app_labels]
    first = [step for step in own if get_stage(step) == "before"]
    if stage == "before":
        for migration in first:
            if (late := behind.get(MigrationKey.of(migration))) is not None:
                raise _stage_conflict(migration, late, loader)
        return _with_ancestors(plan, loader, first)
    free = [migration for migration in first if MigrationKey.of(migration) not in behind]
    if free:
        raise DependencyNotApplied(
            f"{shortened(free, 1)}, to be applied before the new code runs, would now be applied"
            " after it.",
            hint=f"First run: manage.py migrate_domain {domain.name} --stage before; or,"
            f" {NO_OLD_CODE}.",
        )
    return plan


def _blocked_by_after(plan: Plan, loader: DomainLoader) -> dict[MigrationKey, Migration]:
    """Return which pending ``after`` migration each one of the plan is, or stands behind."""
    behind: dict[MigrationKey, Migration] = {}
    for migration, _ in plan:
        parents = (
            behind.get(parent.key)
            for parent in loader.graph.node_map[MigrationKey.of(migration)].parents
        )
        late = migration if get_stage(migration) == "after" else next(filter(None, parents), None)
        if late is not None:
            behind[MigrationKey.of(migration)] = late
    return behind


def _with_ancestors(plan: Plan, loader: DomainLoader, wanted: list[Migration]) -> Plan:
    needed = {MigrationKey.of(migration) for migration in wanted}
    for migration, _ in reversed(plan):
        if MigrationKey.of(migration) in needed:
            needed.update(
                parent.key for parent in loader.graph.node_map[MigrationKey.of(migration)].parents
            )
    return [step for step in plan if MigrationKey.of(step[0]) in needed]


def _stage_conflict(
    migration: Migration, late: Migration, loader: DomainLoader
) -> DependencyNotApplied:
    owner = loader.owners[late.app_label].name
    return DependencyNotApplied(
        f'{migration} is "before" and depends on {late}, which is "after" and not applied: no'
        " code can run between the two.",
        hint=f"If the code that {late} waits for is what runs now, first run: manage.py"
        f" migrate_domain {owner} --stage after; or, {NO_OLD_CODE}.",
    )


def make_plan(
    connection: BaseDatabaseWrapper, executor: DomainExecutor, options: MigrateOptions
) -> Plan:
    """Return what the options ask for, as far as it may be done.

    Raises:
        UnknownTarget, AmbiguousTarget: the target is no single migration, or what would be
            undone has applied migrations above it that are not on disk.
        DependencyNotApplied: core lacks something, or a domain stands on what would be undone,
            or the stages stand in one another's way.
        InvalidConfiguration: a migration's stage is none.
        Irreversible: a migration to undo has no way back.
        BoundaryViolation: a key of core changes, and columns of domains would stay behind.
    """
    domain = executor.domain
    plan = _requested_plan(connection, executor, options)
    check_stages(plan)
    if options.stage is not None:
        plan = plan_for_stage(plan, executor.loader, domain, options.stage)
    keeps = not (options.is_read_only or options.is_dry_run)
    if not keeps and (options.all_domains or options.with_dependencies):
        # By the time it is done, core will have what it lacks now.
        plan = [step for step in plan if step[0].app_label in domain.app_labels]
    plan = only_domain(plan, domain)
    undoes = any(backwards for _, backwards in plan)
    to_zero = options.target == ZERO and options.app_label is None
    # Domains are looked at where something is taken from under them; core's status is the first.
    statuses = read_statuses(connection) if domain.is_core and (undoes or to_zero) else []
    if domain.is_core:
        if to_zero:
            refuse_core_zero(statuses)
        check_dependants(plan, statuses)
        if not options.fake:
            check_key_types(connection, executor.loader, plan)
    if undoes and not (options.fake or options.resume):
        status, *_ = statuses or read_statuses(connection, [domain])
        refuse_unknown_above(plan, status)
    check_reversible(plan)
    return plan


def _requested_plan(
    connection: BaseDatabaseWrapper, executor: DomainExecutor, options: MigrateOptions
) -> Plan:
    loader, domain = executor.loader, executor.domain
    if options.resume and executor.interruption is not None:
        interruption = executor.interruption
        return [(loader.graph.nodes[interruption.key], interruption.backwards)]
    if options.rollback is not None:
        (status,) = read_statuses(connection, [domain])
        applied = [(row.app, row.name) for row in status.rows]
        entries = read_entries(connection, domain)
        wanted = last_batches(entries, applied, options.rollback, squash_map(loader))
        return rollback_plan(loader, wanted)
    targets = graph_targets(loader, domain, options.target, options.app_label)
    plan: Plan = executor.migration_plan(targets)
    return plan


def only_domain(plan: Plan, domain: Domain) -> Plan:
    """Return the plan, if it holds migrations of the domain only.

    Raises:
        DependencyNotApplied: a migration of core has to be applied first.
    """
    foreign = [migration for migration, _ in plan if migration.app_label not in domain.app_labels]
    if foreign:
        raise DependencyNotApplied(
            f'The domain "{domain.name}" needs {shortened(foreign)} of core, which'
            f" {'is' if len(foreign) == 1 else 'are'} not applied.",
            hint="Run: manage.py migrate_domain core (or add --with-dependencies).",
        )
    return plan


def refuse_unknown_above(plan: Plan, status: DomainStatus) -> None:
    """Refuse to undo what newer code has added to since, by migrations that are not on disk.

    Raises:
        UnknownTarget: naming them.
    """
    undone = {(migration.app_label, migration.name) for migration, back in plan if back}
    unknown, below, above = set(status.unknown), set[str](), []
    for row in status.rows:
        if (row.app, row.name) in undone:
            below.add(row.app)
        elif row.app in below and (row.app, row.name) in unknown:
            above.append(f"{row.app}.{row.name}")
    if above:
        raise UnknownTarget(
            f"{', '.join(above)}, applied after what would be undone, must be undone first and"
            f" {'is' if len(above) == 1 else 'are'} not on disk.",
            hint="Deploy the code that has it and run the command again; if it is gone for good,"
            f" run: manage.py repair_domain {status.domain.name} --prune. Nothing was changed.",
        )


def check_reversible(plan: Plan) -> None:
    """Refuse a plan that cannot be undone to its end, before any of it is undone.

    Raises:
        Irreversible: naming every migration and operation that has no way back.
    """
    stuck = [
        f"{migration} ({operation.describe()})"
        for migration, backwards in plan
        if backwards
        for operation in migration.operations
        if not operation.reversible
    ]
    if stuck:
        raise MigrationIrreversible(
            f"These cannot be undone: {'; '.join(stuck)}.",
            hint="Write their reverse, or choose a target after them. Nothing was changed.",
        )


def check_dependants(plan: Plan, statuses: Sequence[DomainStatus]) -> None:
    """Refuse to undo migrations of core that applied migrations of domains stand on.

    Raises:
        DependencyNotApplied: naming the migrations that would lose their ground.
    """
    undone = {(migration.app_label, migration.name) for migration, back in plan if back}
    apps_gone = {label for label, _ in undone}
    for status in statuses:
        if status.domain.is_core or not status.rows:
            continue
        for row in status.rows:
            for label, name in header_of(row.key).dependencies:
                first = name == FIRST and label in apps_gone and _reverts_first(label, plan)
                if (label, name) in undone or first:
                    raise DependencyNotApplied(
                        f"{row.app}.{row.name}, which is applied, stands on {label}.{name}"
                        " of core, which would be undone.",
                        hint=f"First run: manage.py migrate_domain {status.domain.name} zero",
                    )


def refuse_core_zero(statuses: Iterable[DomainStatus]) -> None:
    """Refuse ``core zero`` while a domain has applied migrations.

    Raises:
        DependencyNotApplied: naming the domains.
    """
    standing = [s.domain.name for s in statuses if not s.domain.is_core and s.rows]
    if standing:
        raise DependencyNotApplied(
            f"core cannot go to zero while domains stand on it: {', '.join(standing)}.",
            hint="First run: "
            + "; ".join(f"manage.py migrate_domain {name} zero" for name in standing),
        )


def _reverts_first(label: str, plan: Plan) -> bool:
    return any(
        back
        and migration.app_label == label
        and not any(parent[0] == label for parent in migration.dependencies)
        for migration, back in plan
    )
