"""Inventory's history applied step by step: the reference for interrupted runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connections

from domain_migrations.domains import get_domain
from domain_migrations.engine.catalog.fingerprint import compare, fingerprint
from domain_migrations.engine.history.tables import ensure_history
from domain_migrations.engine.sources.files import migrations_on_disk
from tests.support import databases
from tests.support.catalog import execute, query, schemas
from tests.support.commands import Result, call
from tests.support.servers import TestServer

DECOY = """
CREATE TABLE public.drugs (id int PRIMARY KEY, trade_name text);
CREATE INDEX drugs_trade_name_idx ON public.drugs (trade_name);
"""
"""What the domain makes too; nobody may touch it."""

GRANTED = """
SELECT app_label, model, codename FROM public.django_content_type AS type
LEFT JOIN public.auth_permission ON content_type_id = type.id
WHERE app_label = 'inventory' ORDER BY 1, 2, 3
"""
"""The rows that post_migrate leaves."""

NET = """
SELECT DISTINCT ON (app, name) app, name, direction, status FROM {journal}
WHERE name <> '' AND status IN ('done', 'faked', 'adopted') ORDER BY app, name, id DESC
"""

REPAIR = re.compile(r"manage\.py (repair_domain inventory --resume)")


@dataclass(frozen=True)
class Left:
    """What a database holds of inventory."""

    applied: tuple[str, ...]
    schema: str
    others: dict[str, str]
    granted: list[tuple[Any, ...]]


def look() -> Left:
    connection = connections["default"]
    domain = get_domain("inventory")
    own = {table.name for table in domain.engine_tables}
    applied: list[tuple[str]] = []
    if query("SELECT to_regclass('inventory.django_migrations_inventory')") != [(None,)]:
        applied = query(f"SELECT name FROM {domain.history_table.db_table} ORDER BY name")
    names = tuple(name for (name,) in applied)
    assert len(set(names)) == len(names), f"recorded more than once: {names}"
    return Left(
        names,
        fingerprint(connection, "inventory", exclude=own),
        {name: fingerprint(connection, name) for name in schemas() if name != "inventory"},
        query(GRANTED),
    )


@dataclass
class Reference:
    """States of inventory's history, and a database in each.

    Attributes:
        names: the migrations, in order.
        left: by how many are applied, after an undisturbed run.
        databases: the same; to be cloned, never to be connected to.
    """

    server: TestServer
    names: list[str]
    left: dict[int, Left] = field(default_factory=dict)
    databases: dict[int, str] = field(default_factory=dict)

    def target(self, count: int) -> str:
        return self.names[count - 1] if count else "zero"

    @contextmanager
    def copy(self, count: int) -> Iterator[str]:
        """A database with so many migrations applied, that Django points to."""
        with (
            databases.scratch(self.server, template=self.databases[count]) as name,
            databases.default_database(name),
        ):
            yield name

    def assert_consistent(self, *, whole: bool = True) -> int:
        """How many migrations are applied; the catalog and the journal agree with the history.

        Arguments:
            whole: no migration without a transaction has stopped midway.
        """
        found = look()
        count = len(found.applied)
        assert list(found.applied) == self.names[:count]
        if query("SELECT to_regclass('inventory.django_migrations_inventory_journal')") != [
            (None,)
        ]:
            journal = get_domain("inventory").journal_table.db_table
            net = query(NET.format(journal=journal))
            assert sorted(name for _, name, way, _ in net if way == "forwards") == sorted(
                found.applied
            )
        expected = self.left.get(count)
        if expected is None:
            return count
        # Before the first run there is no schema; migrated to zero, it stays.
        if whole and (count or found.schema):
            assert compare(expected.schema, found.schema) == []
        assert found.others == expected.others
        return count

    def assert_finished(self, count: int, *, most: int) -> None:
        """So many are applied, and nothing tells this database from an undisturbed one.

        Arguments:
            most: how many were applied at most: an undo leaves content types to their owner.
        """
        assert self.assert_consistent() == count
        assert look().granted == self.left[most].granted


def finish(count: int, reference: Reference) -> bool:
    """Act as a person on call: run again, and repair if told so; return whether it was needed."""
    result = migrate(reference.target(count))
    repair = REPAIR.search(result.stderr)
    if result.exit_status and repair:
        repaired = call(*repair.group(1).split(), "--noinput")
        assert repaired.exit_status == 0, repaired.stdout + repaired.stderr
        result = migrate(reference.target(count))
    assert result.exit_status == 0, result.stdout + result.stderr
    return repair is not None


def migrate(target: str) -> Result:
    return call("migrate_domain", "inventory", target, "--noinput")


def times_done(direction: str = "forwards") -> Counter[str]:
    journal = get_domain("inventory").journal_table.db_table
    rows = query(f"SELECT name FROM {journal} WHERE status = 'done' AND direction = %s", direction)
    return Counter(name for (name,) in rows)


@contextmanager
def reference(server: TestServer, stages: Iterable[int] | None = None) -> Iterator[Reference]:
    """Apply inventory's history, and keep a copy of the database on the way.

    Arguments:
        stages: how many migrations are applied where to look and to make a copy; all of them.
    """
    names = sorted(name for _, name in migrations_on_disk(("inventory",)))
    made = Reference(server, names)
    with ExitStack() as stack:
        line = stack.enter_context(databases.scratch(server, prefix="line"))
        for count in sorted({0, *(stages or range(len(names) + 1))}):
            with databases.default_database(line):
                if count:
                    result = migrate(names[count - 1])
                else:
                    result = call("migrate_domain", "core")
                    execute(DECOY)
                assert result.exit_status == 0, result.stdout + result.stderr
                made.left[count] = look()
            kept = stack.enter_context(databases.scratch(server, template=line, prefix="stage"))
            made.databases[count] = kept
            if not count:
                with databases.default_database(line):
                    ensure_history(connections["default"], get_domain("inventory"))
                    made.left[count] = look()
        yield made
