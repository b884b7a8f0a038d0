"""Targets of a run: migrations given by name, and the batches to revert."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

from ...domains import Domain, get_domain_for
from ...exceptions import AmbiguousTarget, DependencyNotApplied, UnknownTarget
from ..history.journal_queries import JournalRow
from ..messages import shortened
from ..sources.files import MigrationKey, migrations_on_disk
from ..sources.parsing import squash_map as replaced_by
from ..sources.transfer_halves import half_of
from .loader import DomainLoader, Plan
from .migration_log import REPLACED, recorded_keys

ZERO = "zero"
"""The target before all migrations, as in Django."""


def resolve_target(domain: Domain, target: str, *, replaced: bool = False) -> MigrationKey:
    """Return the migration with that name, prefix of a name, or ``APP.NAME``.

    Arguments:
        replaced: whether to look among those that a squashed one replaces, on disk or not, too.

    Raises:
        UnknownTarget: no migration matches.
        AmbiguousTarget: several do.
    """
    missing = UnknownTarget(
        f'No migration of the domain "{domain.name}" begins with "{target}".',
        hint=f"See them with: manage.py show_domains {domain.name}",
    )
    known = migrations_on_disk(domain.app_labels)
    if replaced:
        known.update(*(parts for app in domain.app_labels for parts in replaced_by(app).values()))
    return _unique_match(domain, known, target, missing)


def resolve_applied(domain: Domain, recorded: Iterable[MigrationKey], target: str) -> MigrationKey:
    """Return the recorded migration with that name, on disk or not; see ``resolve_target``.

    Raises:
        UnknownTarget: no migration in the history matches.
        AmbiguousTarget: several do.
    """
    missing = UnknownTarget(
        f'{domain.history_table} has no migration that begins with "{target}".',
        hint=f"See them with: manage.py show_domains {domain.name} -v 2",
    )
    return _unique_match(domain, recorded, target, missing)


def _unique_match(
    domain: Domain, keys: Iterable[MigrationKey], target: str, missing: UnknownTarget
) -> MigrationKey:
    if not target.strip():
        raise missing  # Every name begins with nothing.
    known = sorted(set(keys))
    app, _, rest = target.partition(".")
    if rest and app in {*domain.app_labels, *(key.app for key in known)}:
        here, name = [key for key in known if key.app == app], rest
    else:
        here, name = known, target
    matches = [key for key in here if key.name == name] or [
        key for key in here if key.name.startswith(name)
    ]
    if len(matches) > 1:
        raise AmbiguousTarget(
            f'Several migrations of the domain "{domain.name}" begin with "{target}": '
            f"{', '.join(map(str, matches))}.",
            hint=_more_of_the_name(domain, matches),
        )
    if not matches:
        raise _other_meaning(domain, target) or missing
    return matches[0]


def _more_of_the_name(domain: Domain, matches: Sequence[MigrationKey]) -> str:
    if len({key.app for key in matches}) == 1:
        return "Give more of the name."
    # One of core's apps may be called core, and is then meant most likely.
    likely = next((key for key in matches if key.app == domain.name), matches[0])
    return f"Give more of the name, or APP.NAME, such as {likely}."


def _other_meaning(domain: Domain, target: str) -> UnknownTarget | None:
    """Return the error for the name of an app, or for a migration of another domain's app."""
    app, _, name = target.partition(".")
    if app in domain.app_labels and name in ("", ZERO):
        return UnknownTarget(
            f'"{target}" is not a migration; {app} is an app of the domain "{domain.name}".',
            hint=f"For all migrations of this app, run: manage.py migrate {app} {name}".rstrip(),
        )
    owner = get_domain_for(app)
    if name and app in owner.app_labels and owner != domain:
        return UnknownTarget(
            f'The app of {target} belongs to the domain "{owner.name}", not to "{domain.name}".',
            hint=f"Run: manage.py migrate_domain {owner.name} {target}",
        )
    return None


def graph_targets(
    loader: DomainLoader, domain: Domain, target: str | None, app_label: str | None = None
) -> list[tuple[str, str | None]]:
    """Return the targets as Django's planner takes them, in its order.

    Arguments:
        target: None for everything, ``zero`` for nothing, else a migration.
        app_label: one app of the domain; all unless given.

    Raises:
        UnknownTarget, AmbiguousTarget: not exactly one migration of the graph matches.
    """
    labels = [app_label] if app_label else list(domain.app_labels)
    if target is None:
        return [leaf for leaf in loader.graph.leaf_nodes() if leaf[0] in labels]
    if target == ZERO:
        return [(label, None) for label in labels if label in loader.migrated_apps]
    key: tuple[str, str] = resolve_target(domain, f"{app_label}.{target}" if app_label else target)
    if key not in loader.graph.nodes and key in loader.replacements:
        # A squashed migration that is only partly applied is not in the graph.
        key = loader.replacements[key].replaces[-1]
    if key not in loader.graph.nodes:
        squashed = [other for other, found in loader.replacements.items() if key in found.replaces]
        by = f" by {'.'.join(squashed[0])}" if squashed else ""
        raise UnknownTarget(
            f"{'.'.join(key)} has been replaced{by}, so the domain cannot be migrated to it.",
            hint="Name the squashed migration.",
        )
    return [key]


Replaced = Mapping[tuple[str, str], frozenset[tuple[str, str]]]
"""Squashed migration → the migrations that it replaces."""


def squash_map(loader: DomainLoader) -> Replaced:
    """Return what each squashed migration on disk replaces, also through other squashed ones."""
    return {
        key: frozenset(recorded_keys(loader, migration)) - {key}
        for key, migration in loader.replacements.items()
    }


def last_batches(
    entries: Iterable[JournalRow],
    applied: Iterable[MigrationKey],
    count: int,
    replaced: Replaced,
) -> list[MigrationKey]:
    """Return the applied migrations of the last batches, latest first.

    A batch contains the migrations that one run applied and that are still applied. Migrations
    that were applied before the journal existed are in no batch, nor is a squashed migration
    that was recorded because those it replaces are applied: those are in their own batches.

    Arguments:
        entries: the domain's journal, oldest first.
        applied: the domain's history.
        count: how many batches.
        replaced: what is reverted together with a squashed migration.
    """
    latest: dict[tuple[str, str], JournalRow] = {}
    for entry in entries:
        if entry.status not in ("done", "faked"):
            continue
        if entry.direction == "forwards" and not entry.details.get(REPLACED):
            latest[entry.key] = entry
        elif entry.direction == "backwards":
            for reverted in (entry.key, *replaced.get(entry.key, ())):
                latest.pop(reverted, None)
    still = set(applied)
    found = sorted(
        (entry for entry in latest.values() if entry.key in still),
        key=attrgetter("id"),
        reverse=True,
    )
    batches = sorted({entry.batch for entry in found}, reverse=True)[:count]
    return [entry.key for entry in found if entry.batch in batches]


def rollback_plan(loader: DomainLoader, wanted: Sequence[MigrationKey]) -> Plan:
    """Return the plan that reverts the migrations, each before those that it depends on.

    Raises:
        UnknownTarget: a migration is no longer on disk, or a squashed one replaces it together
            with others that are not in the batches.
        DependencyNotApplied: a migration outside the batches depends on one inside.
    """
    graph, applied = loader.graph, loader.applied_migrations
    nodes = _nodes_on_disk(loader, wanted)
    halves = [half_of(key) for key in nodes]
    partners = {half.partner for half in halves if half is not None}
    plan: Plan = []
    seen: set[tuple[str, str]] = set()
    for key in nodes:
        for node in graph.backwards_plan(key):
            if node not in applied or node in seen:
                continue
            if node in partners:
                continue
            if node not in nodes:
                raise DependencyNotApplied(
                    f"{node[0]}.{node[1]}, applied in another batch, depends on {key[0]}.{key[1]}.",
                    hint="Revert more batches, or give a TARGET. Nothing was changed.",
                )
            seen.add(node)
            plan.append((graph.nodes[node], True))
    return plan


def _nodes_on_disk(loader: DomainLoader, wanted: Sequence[MigrationKey]) -> list[tuple[str, str]]:
    """Return the migrations as on disk: squashed ones instead of those they replace."""
    nodes: list[tuple[str, str]] = []
    squashed = {
        part: (squash, parts)
        for squash, parts in squash_map(loader).items()
        if squash in loader.graph.nodes
        for part in parts
    }
    gone = [key for key in wanted if key not in loader.graph.nodes and key not in squashed]
    if gone:
        raise UnknownTarget(
            f"{shortened(gone)} of the batch to revert"
            f" {'is' if len(gone) == 1 else 'are'} not on disk.",
            hint="Deploy the code that has it and run the command again. Nothing was changed.",
        )
    for key in wanted:
        node, parts = squashed.get(key, (key, frozenset()))
        if any(part in loader.applied_migrations and part not in wanted for part in parts):
            raise UnknownTarget(
                f"{key} of the batch to revert has been replaced by {node[0]}.{node[1]}, which"
                " covers more than the batch, so the batch cannot be reverted alone.",
                hint="Revert more batches, or give a TARGET. Nothing was changed.",
            )
        nodes.append(node)
    return list(dict.fromkeys(nodes))
