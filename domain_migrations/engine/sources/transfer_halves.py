"""Halves of transfers: two migrations, one in each domain, that move a table together.

``TransferTable`` is alone in the one of the domain that gives the table away, ``ReceiveTable`` in
the one of the domain that gets it, and each names the other migration. Either may depend on
migrations of the other domain, which no other migration may; and where the table leaves core, on
those of any domain that convert its foreign keys to the table.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.apps import apps

from ...domains import CORE, Domain, get_domain, get_domain_for
from ...exceptions import InvalidConfiguration
from .files import MigrationKey, migration_file, migrations_folders, source_stamps
from .parsing import COMPUTED, OperationCall, read_header, read_replaces_and_stage
from .stages import VIEW_UNTIL, stage_of

TRANSFER, RECEIVE = "TransferTable", "ReceiveTable"
PAIR = "pair"
"""The argument of both operations that names the other migration."""
NO_VIEW = str(None)


class Half(NamedTuple):
    """One of the two migrations of a transfer.

    Attributes:
        model: the name of the model, which keeps it.
        partner: the other migration.
        receives: whether it is the one of the domain that gets the table.
        is_alone: whether the operation is the only one of its migration.
        view_until: the last day of the view under the old name, as text; ``NO_VIEW`` for none.
    """

    key: MigrationKey
    model: str
    partner: MigrationKey
    receives: bool
    is_alone: bool
    view_until: str = NO_VIEW

    @property
    def domain(self) -> Domain:
        return get_domain_for(self.key.app)

    @property
    def other_domain(self) -> Domain:
        return get_domain_for(self.partner.app)

    @property
    def leaves_core(self) -> bool:
        """Whether the table is core's until then, so that any domain may refer to it."""
        return (self.partner if self.receives else self.key).app in get_domain(CORE).app_labels

    @property
    def has_no_partner_app(self) -> bool:
        """Whether the other migration's app is not installed."""
        return self.partner.app not in {COMPUTED, *apps.app_configs}

    @property
    def verb(self) -> str:
        return "receives" if self.receives else "transfers"


def half_of(key: tuple[str, str]) -> Half | None:
    """Return what a migration is a half of, None if it transfers nothing."""
    return _read_half(MigrationKey(*key), migration_file(key))


def half_in(migration: Any) -> Half | None:
    """Return what a loaded migration is a half of, for which its file is read only if it is one."""
    if not any(type(each).__name__ in (TRANSFER, RECEIVE) for each in migration.operations):
        return None
    return half_of((migration.app_label, migration.name))


def halves_in(app_label: str) -> tuple[Half, ...]:
    """Return the halves among the app's migrations; cached until a file changes."""
    return tuple(
        half
        for folder in migrations_folders(app_label)
        if folder.is_dir()
        for half in _halves(app_label, folder, source_stamps(folder))
    )


def is_paired(child: tuple[str, str], parent: tuple[str, str]) -> bool:
    """Return whether a dependency is one that a half may have, and no other migration."""
    if child[0] == parent[0]:
        return False
    half = half_of(child)
    if half is None:
        return False
    return half.leaves_core or parent[0] in (half.partner.app, *half.other_domain.app_labels)


def needed_elsewhere(half: Half) -> dict[MigrationKey, Domain]:
    """Return the migrations of third domains that both halves need, with their domains."""
    known = (CORE, half.domain.name, half.other_domain.name)
    paths = (migration_file(key) for key in (half.key, half.partner))
    parents = [
        MigrationKey(*parent) for path in paths if path for parent in read_header(path).dependencies
    ]
    found = {key: get_domain_for(key.app) for key in parents}
    return {key: domain for key, domain in found.items() if domain.name not in known}


def checked_half(half: Half) -> Half:
    """Return the other half, after a check that both are as they must be.

    Raises:
        InvalidConfiguration: the migrations do not name each other, one has further operations or
            is squashed, both belong to one domain, or they differ in the view that stays or in
            their stage.
    """
    if half.has_no_partner_app:
        raise InvalidConfiguration(
            f"Migration {half.key} cannot be run: the app {half.partner.app} is not installed, and"
            f" its {half.partner} runs together with it.",
            hint="Install that app, too. Nothing was changed.",
        )
    other = half_of(half.partner)
    problem = ""
    if other is None or other.partner != half.key or other.receives == half.receives:
        problem = (
            f"{half.partner}, which it names, is not a migration that"
            f" {'transfers' if half.receives else 'receives'} the table and names it in turn"
        )
    elif other.model.lower() != half.model.lower():
        problem = f"it {half.verb} {half.model}, and {other.key} {other.verb} {other.model}"
    elif other.view_until != half.view_until:
        problem = (
            f"its {VIEW_UNTIL} is {half.view_until}, and that of {other.key} is {other.view_until}"
        )
    elif stage_of(other.key) != stage_of(half.key):
        problem = (
            f"its stage is {stage_of(half.key)}, and the stage of {other.key}, which runs together"
            f" with it, is {stage_of(other.key)}"
        )
    elif half.domain == half.other_domain:
        problem = f'both belong to the domain "{half.domain.name}"'
    hint = (
        f"{TRANSFER} and {RECEIVE} are each alone in their migration, and each names the other's as"
        f' {PAIR} = "APP.NAME".'
    )
    for each in (half, other):
        if each is not None and not each.is_alone:
            problem = f"{each.key} has other operations beside the one that {each.verb} the table"
        if each is not None and read_replaces_and_stage(migration_file(each.key)).replaces:
            problem = (
                f"{each.key} is squashed, which a migration that {each.verb} a table cannot be"
            )
            hint = (
                f"Delete the file of {each.key}, and squash what comes before or after the"
                " transfer."
            )
    if other is None or problem:
        raise InvalidConfiguration(f"Migration {half.key} cannot be run: {problem}.", hint=hint)
    return other


def half_problems(*domains: Domain) -> Iterator[tuple[MigrationKey, InvalidConfiguration]]:
    """Yield each half among the domains' migrations that cannot be run, and why."""
    labels = itertools.chain.from_iterable(sorted(domain.app_labels) for domain in domains)
    for half in itertools.chain.from_iterable(map(halves_in, labels)):
        try:
            checked_half(half)
        except InvalidConfiguration as exc:
            yield half.key, exc


@functools.lru_cache(maxsize=4096)
def _halves(
    app_label: str, folder: Path, stamps: tuple[tuple[str, int, int], ...]
) -> tuple[Half, ...]:
    found = (
        _read_half(MigrationKey(app_label, Path(name).stem), folder / name) for name, *_ in stamps
    )
    return tuple(half for half in found if half is not None)


def _read_half(key: MigrationKey, path: Path | None) -> Half | None:
    # Parsing takes a hundred times as long as searching.
    if path is None or not _may_be_half(path):
        return None
    operations = read_header(path).operations
    calls = [call for call in operations if call.name in (TRANSFER, RECEIVE)]
    return _half(key, calls[0], is_alone=len(operations) == 1) if calls else None


def _may_be_half(path: Path) -> bool:
    source = path.read_bytes()
    return TRANSFER.encode() in source or RECEIVE.encode() in source


def _half(key: MigrationKey, call: OperationCall, *, is_alone: bool) -> Half:
    app, _, name = call.argument(1, PAIR).partition(".")
    model = call.argument(0, "name")
    partner = MigrationKey(app, name if app != COMPUTED else COMPUTED)
    until = call.arguments.get(VIEW_UNTIL, NO_VIEW)
    return Half(key, model, partner, call.name == RECEIVE, is_alone, until)
