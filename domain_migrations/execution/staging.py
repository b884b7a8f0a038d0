"""The part of a plan that is to run before the new code is there, and the part after."""

from __future__ import annotations

from django.db.migrations.migration import Migration

from ..domains import Domain
from ..exceptions import DependencyNotApplied
from ..stages import Stage, stage_of
from .loader import DomainLoader
from .plans import Plan

Key = tuple[str, str]
NO_OLD_CODE = "where no older code uses the database, leave --stage out"


def check_stages(plan: Plan) -> None:
    """Refuse a plan with a migration whose stage is none.

    Raises:
        InvalidConfiguration: naming the migration.
    """
    for migration, backwards in plan:
        if not backwards:
            stage_of(migration)


def staged(plan: Plan, loader: DomainLoader, domain: Domain, stage: Stage) -> Plan:
    """Return what of the plan the stage takes in.

    ``before`` takes every migration of the domain that is ``before``, and what those need of
    core; ``after`` takes all that is left, once no ``before`` waits in front of it.

    Arguments:
        plan: forwards, every migration behind those that it depends on.

    Raises:
        DependencyNotApplied: a ``before`` migration depends on an ``after`` one that is not
            applied; or, asked for ``after``, a ``before`` migration was not applied first.
    """
    behind = _behind(plan, loader)
    own = [step for step, _ in plan if step.app_label in domain.app_labels]
    first = [step for step in own if stage_of(step) == "before"]
    if stage == "before":
        for migration in first:
            if (late := behind.get(_key(migration))) is not None:
                raise _interleaved(migration, late, loader)
        return _with_ancestors(plan, loader, first)
    free = [migration for migration in first if _key(migration) not in behind]
    if free:
        more = f" and {len(free) - 1} more" if len(free) > 1 else ""
        raise DependencyNotApplied(
            f"{free[0]}{more}, to be applied before the new code runs, would now be applied"
            " after it.",
            hint=f"First run: manage.py migrate_domain {domain.name} --stage before; or,"
            f" {NO_OLD_CODE}.",
        )
    return plan


def _behind(plan: Plan, loader: DomainLoader) -> dict[Key, Migration]:
    """Return which pending ``after`` migration each one of the plan is, or stands behind."""
    behind: dict[Key, Migration] = {}
    for migration, _ in plan:
        parents = (
            behind.get(parent.key) for parent in loader.graph.node_map[_key(migration)].parents
        )
        late = migration if stage_of(migration) == "after" else next(filter(None, parents), None)
        if late is not None:
            behind[_key(migration)] = late
    return behind


def _with_ancestors(plan: Plan, loader: DomainLoader, wanted: list[Migration]) -> Plan:
    needed = {_key(migration) for migration in wanted}
    for migration, _ in reversed(plan):
        if _key(migration) in needed:
            needed.update(parent.key for parent in loader.graph.node_map[_key(migration)].parents)
    return [step for step in plan if _key(step[0]) in needed]


def _interleaved(
    migration: Migration, late: Migration, loader: DomainLoader
) -> DependencyNotApplied:
    owner = loader.owners[late.app_label].name
    return DependencyNotApplied(
        f'{migration} is "before" and depends on {late}, which is "after" and not applied: no'
        " code can run between the two.",
        hint=f"If the code that {late} waits for is what runs now, first run: manage.py"
        f" migrate_domain {owner} --stage after; or, {NO_OLD_CODE}.",
    )


def _key(migration: Migration) -> Key:
    return (migration.app_label, migration.name)
