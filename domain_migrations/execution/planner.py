"""From what a person asked for to a list of migrations, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.migrations.migration import Migration

from ..boundary.dependencies import dependencies_of
from ..domains import Domain
from ..exceptions import (
    AmbiguousTarget,
    DependencyNotApplied,
    Irreversible,
    UnknownTarget,
)
from .disk import migrations_on_disk
from .loader import DomainLoader
from .results import MigrationKey
from .status import DomainStatus

ZERO = "zero"

Plan = list[tuple[Migration, bool]]
"""Migrations in order, and whether each is undone."""


def resolve_target(domain: Domain, target: str) -> MigrationKey:
    """Return the migration that a name, or its beginning, or ``APP.NAME`` stands for.

    Raises:
        UnknownTarget: no migration on disk matches.
        AmbiguousTarget: several do.
    """
    on_disk = migrations_on_disk(domain.app_labels)
    app, _, rest = target.partition(".")
    labels, name = ({app}, rest) if app in domain.app_labels and rest else (None, target)
    here = sorted(key for key in on_disk if labels is None or key.app in labels)
    matches = [key for key in here if key.name == name] or [
        key for key in here if key.name.startswith(name)
    ]
    if not matches:
        raise UnknownTarget(
            f'No migration of the domain "{domain.name}" begins with "{target}".',
            hint=f"See them with: manage.py show_domains {domain.name}",
        )
    if len(matches) > 1:
        raise AmbiguousTarget(
            f'Several migrations of the domain "{domain.name}" begin with "{target}": '
            f"{', '.join(map(str, matches))}.",
            hint="Give more of the name, or APP.NAME.",
        )
    return matches[0]


def graph_targets(
    loader: DomainLoader, domain: Domain, target: str | None, app_label: str | None = None
) -> list[tuple[str, str | None]]:
    """Return the targets that Django's planner wants.

    Arguments:
        target: None for everything, ``zero`` for nothing, else a migration.
        app_label: one app of the domain, where not all are meant.
    """
    labels = [app_label] if app_label else list(domain.app_labels)
    if target is None:
        return [leaf for label in labels for leaf in loader.graph.leaf_nodes(label)]
    if target == ZERO:
        return [(label, None) for label in labels if label in loader.migrated_apps]
    key: tuple[str, str] = resolve_target(domain, f"{app_label}.{target}" if app_label else target)
    if key not in loader.graph.nodes and key in loader.replacements:
        # A squashed migration of which only a part is applied is not in the graph.
        key = loader.replacements[key].replaces[-1]
    return [key]


def own_part(plan: Plan, domain: Domain) -> Plan:
    """Return the plan, if it holds migrations of the domain only.

    Raises:
        DependencyNotApplied: a migration of core has to be applied first.
    """
    foreign = [migration for migration, _ in plan if migration.app_label not in domain.app_labels]
    if foreign:
        raise DependencyNotApplied(
            f'The domain "{domain.name}" needs {_listed(foreign)} of core, which'
            f" {'is' if len(foreign) == 1 else 'are'} not applied.",
            hint="Run: manage.py migrate_domain core (or add --with-dependencies).",
        )
    return plan


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
        raise Irreversible(
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
            for label, name in dependencies_of((row.app, row.name)):
                first = name == "__first__" and label in apps_gone and _loses_first(label, plan)
                if (label, name) in undone or first:
                    raise DependencyNotApplied(
                        f"{row.app}.{row.name}, which is applied, stands on {label}.{name}"
                        " of core, which would be undone.",
                        hint=f"First run: manage.py migrate_domain {status.domain.name} zero",
                    )


def check_core_zero(statuses: Iterable[DomainStatus]) -> None:
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


def _loses_first(label: str, plan: Plan) -> bool:
    return any(
        back
        and migration.app_label == label
        and not any(parent[0] == label for parent in migration.dependencies)
        for migration, back in plan
    )


def _listed(migrations: Sequence[Migration]) -> str:
    names = [str(migration) for migration in migrations]
    return (
        ", ".join(names) if len(names) < 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
    )
