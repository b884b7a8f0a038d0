"""Domain states, read without the whole status, agree with it."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from django.db import connection

from domain_migrations.domains import get_domains
from domain_migrations.engine.history import domain_states, status
from domain_migrations.engine.history.domain_states import DomainState, read_states
from domain_migrations.engine.history.status import Differences, DomainStatus, read_statuses
from domain_migrations.engine.sources import parsing
from domain_migrations.engine.sources.files import MigrationKey
from domain_migrations.engine.sources.parsing import ReplacesAndStage
from tests.support.business import rolled_back
from tests.support.catalog import execute

NAMES = [f"{number:04}" for number in range(7)]
SQUASHES = 3
CASES = 600


def state_of(found: DomainStatus | Differences) -> DomainState:
    if found.pending or found.unrecorded_squash:
        return DomainState.PENDING
    return DomainState.UNKNOWN if found.unknown else DomainState.CURRENT


def squashes(chance: random.Random) -> dict[MigrationKey, frozenset[MigrationKey]]:
    """Some of the names, each replacing some before it: squashed ones too."""
    found = {}
    for place in sorted(chance.sample(range(1, len(NAMES)), SQUASHES)):
        replaced = chance.sample(NAMES[:place], chance.randint(1, place))
        found[MigrationKey("hr", NAMES[place])] = frozenset(MigrationKey("hr", n) for n in replaced)
    return found


def some(chance: random.Random) -> set[MigrationKey]:
    return {MigrationKey("hr", name) for name in NAMES if chance.random() < 0.7}


def test_matches_the_status_with_and_without_squashes(monkeypatch: pytest.MonkeyPatch) -> None:
    hr = next(domain for domain in get_domains() if domain.name == "hr")
    chance = random.Random(6)
    seen = set()
    for _ in range(CASES):
        replaced, disk, applied = squashes(chance), some(chance), some(chance)
        on_disk = {key: replaces for key, replaces in replaced.items() if key in disk}

        def says(key: Any, found: Any = on_disk) -> ReplacesAndStage:
            return ReplacesAndStage(replaces=found.get(key, frozenset()))

        monkeypatch.setattr(domain_states, "migrations_on_disk", lambda _, disk=disk: disk)
        monkeypatch.setattr(domain_states, "migration_file", lambda key: key)
        monkeypatch.setattr(domain_states, "read_replaces_and_stage", says)
        monkeypatch.setattr(parsing, "squash_map", lambda _, found=on_disk: found)
        expected = state_of(status.differences(hr, disk, applied))
        assert domain_states._state(hr, applied) is expected, (replaced, disk, applied)
        seen.add((expected, bool(disk - applied)))
    assert seen >= set(itertools.product(DomainState, [False])) | {(DomainState.PENDING, True)}


def test_is_read_from_the_histories(migrated_module_database: str) -> None:
    with rolled_back():
        execute("DELETE FROM finance.django_migrations_finance WHERE name = '0001_initial'")
        execute(
            "INSERT INTO hr.django_migrations_hr (app, name, applied) VALUES ('hr', '9_x', now())"
        )
        execute("DROP TABLE inventory.django_migrations_inventory")
        # Of another domain, so it does not count.
        execute(
            "INSERT INTO public.django_migrations (app, name, applied) VALUES ('hr', '8', now())"
        )
        found = read_states(connection, get_domains())
        assert found == {one.domain.name: state_of(one) for one in read_statuses(connection)}
        assert found == {
            "core": DomainState.CURRENT,
            "finance": DomainState.PENDING,
            "hr": DomainState.UNKNOWN,
            "inventory": DomainState.PENDING,
        }
