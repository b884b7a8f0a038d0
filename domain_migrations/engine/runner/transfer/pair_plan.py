"""Transfers in a plan: what the other half needs before both can run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ....domains import CORE, get_domain, get_domain_for
from ....exceptions import DependencyNotApplied, InvalidConfiguration, TransferWaits
from ...history.tables import applied_names
from ...messages import shortened
from ...sources.files import MigrationKey
from ...sources.transfer_halves import (
    Half,
    checked_half,
    half_in,
    half_of,
    needed_elsewhere,
)
from ..loader import DomainLoader, Plan, load_domain


class WaitingPlan(NamedTuple):
    """The part of a plan that cannot run yet.

    Attributes:
        start: where in the plan it begins.
        keys: the migrations that are left out.
        error: what has to be done before.
    """

    start: int
    keys: tuple[MigrationKey, ...]
    error: TransferWaits


def without_partners(loader: DomainLoader, plan: Plan) -> Plan:
    """Return a plan without the migrations of other domains that run with one of the domain's."""
    own = loader.domain.app_labels
    halves = [half_in(migration) for migration, _ in plan if migration.app_label in own]
    partners = {half.partner for half in halves if half is not None}
    return [step for step in plan if MigrationKey.of(step[0]) not in partners]


def split_at_core(loader: DomainLoader, plan: Plan) -> tuple[Plan, WaitingPlan | None]:
    """Return a domain's plan up to what needs transfers of core with third domains, and the rest.

    Core is not migrated past such a transfer before the third domain is ready for it, which may
    in turn need what the plan applies. What core can be migrated to alone splits nothing off.
    """
    own = loader.domain.app_labels
    foreign = {key for step, _ in plan if (key := MigrationKey.of(step)).app not in own}
    transferred = set[tuple[str, str]]()
    late = set[tuple[str, str]]()
    for migration, backwards in plan:
        key = MigrationKey.of(migration)
        parents = {parent.key for parent in loader.graph.node_map[key].parents}
        if key in foreign:
            if backwards or not (half_in(migration) or parents & transferred):
                return plan, None
            transferred.add(key)
        if key in foreign or parents & late:
            late.add(key)
    if not late:
        return plan, None
    ready = [step for step in plan if MigrationKey.of(step[0]) not in late]
    left = tuple(key for step, _ in plan if (key := MigrationKey.of(step)) in late - foreign)
    needed = sorted(foreign)
    error = TransferWaits(
        f"{left[0]} needs {shortened(needed)} of core, which"
        f" {'is' if len(needed) == 1 else 'are'} not applied.",
        hint="Run: manage.py migrate_domain core, and then this command again, or: manage.py"
        " migrate_domain --all",
    )
    return ready, WaitingPlan(len(ready), left, error)


def check_transfers(
    connection: BaseDatabaseWrapper, loader: DomainLoader, plan: Plan
) -> WaitingPlan | None:
    """Return the rest of a plan from the first transfer whose other half cannot run yet.

    Raises:
        InvalidConfiguration: the halves do not fit each other, or only one of them is recorded.
        DependencyNotApplied: a migration that came after the other half is still applied.
    """
    domain, done = loader.domain, set[tuple[str, str]]()
    for index, (migration, backwards) in enumerate(plan):
        key = MigrationKey.of(migration)
        half = half_in(migration)
        done.add(key)
        if half is None or key.app not in domain.app_labels:
            continue
        partner = checked_half(half)
        _check_database(half)
        if not migration.atomic:
            raise InvalidConfiguration(
                f"Migration {key} cannot be run: a transfer needs a transaction.",
                hint="Remove atomic = False from it.",
            )
        other = load_domain(connection, partner.domain, may_conflict=True)
        _check_recorded(other, half, backwards=backwards)
        if backwards:
            _check_nothing_later(other, half, done)
        elif missing := [
            *_missing(other, half, {*done, *loader.applied_migrations}),
            *_missing_elsewhere(connection, half),
        ]:
            left = tuple(MigrationKey.of(step) for step, _ in plan[index:])
            return WaitingPlan(index, left, _waiting(half, missing))
        done.add(half.partner)
    return None


def _check_database(half: Half) -> None:
    if half.domain.database != half.other_domain.database:
        raise InvalidConfiguration(
            f"Migration {half.key} cannot be run: {half.domain.name} and {half.other_domain.name}"
            f" are in different databases, {half.domain.database} and"
            f" {half.other_domain.database}.",
            hint="A table moves within one database only. Copy its rows, and delete both"
            " migrations.",
        )


def _check_recorded(other: DomainLoader, half: Half, *, backwards: bool) -> None:
    """Refuse a transfer of which one history has recorded a half and the other one has not."""
    if (half.partner in other.applied_migrations) == backwards:
        return
    if backwards:
        recorded, lacking = half.key, half.partner
    else:
        recorded, lacking = half.partner, half.key
    raise InvalidConfiguration(
        f"{recorded} is recorded as applied, and {lacking}, which runs together with it, is not.",
        hint=f"If the table is in its new schema, run: manage.py repair_domain"
        f" {_domain_of(half, lacking)} --mark-applied {lacking}; if it is in its old one:"
        f" manage.py repair_domain {_domain_of(half, recorded)} --mark-unapplied {recorded}."
        " Nothing was changed.",
    )


def _domain_of(half: Half, key: MigrationKey) -> str:
    return (half.domain if key == half.key else half.other_domain).name


def _missing(
    other: DomainLoader, half: Half, done: Iterable[tuple[str, str]]
) -> Iterator[MigrationKey]:
    """Yield what has to be applied before the other half, and is not."""
    known = {*done, half.key}
    for parent in sorted(node.key for node in other.graph.node_map[half.partner].parents):
        key = MigrationKey(*parent)
        if key not in other.applied_migrations and key not in known and key.app != half.key.app:
            yield key


def _missing_elsewhere(connection: BaseDatabaseWrapper, half: Half) -> Iterator[MigrationKey]:
    """Yield what has to be applied in third domains, whose foreign keys it converts."""
    needed = {
        key: domain
        for key, domain in needed_elsewhere(half).items()
        if domain.database == half.domain.database
    }
    if needed:
        domains = {domain.name: domain for domain in needed.values()}
        applied = applied_names(connection, list(domains.values()))
        yield from (key for key, domain in needed.items() if key not in applied[domain.name])


def _waiting(half: Half, missing: list[MigrationKey]) -> TransferWaits:
    domains = dict.fromkeys(get_domain_for(key.app).name for key in missing)
    commands = "; ".join(f"manage.py migrate_domain {name}" for name in domains)
    return TransferWaits(
        f"{half.key} runs together with {half.partner}, which needs {shortened(missing)} of"
        f" {shortened(list(domains))}, {'which is' if len(missing) == 1 else 'which are'} not"
        " applied.",
        hint=f"Run: {commands}, and then this command again, or: manage.py migrate_domain --all",
    )


def _check_nothing_later(
    other: DomainLoader, half: Half, done: Collection[tuple[str, str]]
) -> None:
    """Refuse to undo a transfer after which the other domain has applied more."""
    later = [
        MigrationKey(*key)
        for key in other.graph.backwards_plan(tuple(half.partner))
        if key not in {half.partner, *done} and key in other.applied_migrations
    ]
    if later:
        domains = dict.fromkeys(get_domain_for(key.app).name for key in later)
        name = next(iter(domains))
        raise DependencyNotApplied(
            f"{half.key} can only be reverted together with {half.partner}, on which"
            f" {shortened(sorted(later))} of {shortened(list(domains))}"
            f" {'depends' if len(later) == 1 else 'depend'}.",
            hint=f"First run: manage.py migrate_domain {name} {half.partner.name}."
            " Nothing was changed.",
        )


def recorded_partners(
    connection: BaseDatabaseWrapper, keys: Iterable[MigrationKey]
) -> set[MigrationKey]:
    """Return those halves among the migrations whose other half is recorded as applied."""
    halves = [half for half in map(half_of, keys) if half is not None]
    domains = {half.other_domain.name: half.other_domain for half in halves}
    domains.setdefault(CORE, get_domain(CORE))
    applied = applied_names(connection, list(domains.values())) if halves else {}
    return {half.key for half in halves if half.partner in applied.get(half.other_domain.name, ())}
