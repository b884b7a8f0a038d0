"""Which migrations the names mean that a person gives."""

from __future__ import annotations

from collections.abc import Iterable

from ...domains import Domain
from ...exceptions import AmbiguousTarget, UnknownTarget
from ..sources.files import MigrationKey, migrations_on_disk
from .loader import DomainLoader

ZERO = "zero"
"""The target before all migrations, spelled as Django spells it."""


def resolve_target(domain: Domain, target: str) -> MigrationKey:
    """Return the migration that a name, or its beginning, or ``APP.NAME`` stands for.

    Raises:
        UnknownTarget: no migration on disk matches.
        AmbiguousTarget: several do.
    """
    found = _unique_match(domain, migrations_on_disk(domain.app_labels), target)
    if found is None:
        raise UnknownTarget(
            f'No migration of the domain "{domain.name}" begins with "{target}".',
            hint=f"See them with: manage.py show_domains {domain.name}",
        )
    return found


def resolve_applied(domain: Domain, recorded: Iterable[MigrationKey], target: str) -> MigrationKey:
    """Return which of the recorded migrations is meant, on disk or not; as a target is given.

    Raises:
        UnknownTarget: the history has none that matches.
        AmbiguousTarget: it has several.
    """
    found = _unique_match(domain, recorded, target)
    if found is None:
        raise UnknownTarget(
            f'{domain.history_table} has no migration that begins with "{target}".',
            hint=f"See them with: manage.py show_domains {domain.name} -v 2",
        )
    return found


def _unique_match(domain: Domain, keys: Iterable[MigrationKey], target: str) -> MigrationKey | None:
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
            hint="Give more of the name, or APP.NAME.",
        )
    return matches[0] if matches else None


def graph_targets(
    loader: DomainLoader, domain: Domain, target: str | None, app_label: str | None = None
) -> list[tuple[str, str | None]]:
    """Return the targets that Django's planner wants.

    Arguments:
        target: None for everything, ``zero`` for nothing, else a migration.
        app_label: one app of the domain, where not all are meant.

    Raises:
        UnknownTarget, AmbiguousTarget: the target is no single migration of the graph.
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
    if key not in loader.graph.nodes:
        squashed = [other for other, found in loader.replacements.items() if key in found.replaces]
        by = f" by {'.'.join(squashed[0])}" if squashed else ""
        raise UnknownTarget(
            f"{'.'.join(key)} has been replaced{by}, so the history cannot go there.",
            hint="Name the squashed migration.",
        )
    return [key]
