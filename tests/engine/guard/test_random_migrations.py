"""The guard and the catalogs agree on random migrations: it refuses what changes others."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import Error, connections, migrations, transaction
from django.db.migrations.state import ProjectState
from psycopg import sql

from domain_migrations.domains import CORE, get_domain
from domain_migrations.engine.boundary.planned_migrations import check_plan
from domain_migrations.engine.catalog.fingerprint import compare, fingerprint
from domain_migrations.engine.history.journal import Journal
from domain_migrations.engine.history.run_context import RunContext
from domain_migrations.engine.history.tables import ensure_history
from domain_migrations.engine.runner.executor import DomainExecutor
from domain_migrations.engine.runner.loader import load_domain
from domain_migrations.engine.runner.run_session import RunSession
from domain_migrations.engine.sessions.session import acquire_run_lock
from domain_migrations.exceptions import BoundaryViolation
from tests.engine.guard.helpers import lay_out
from tests.engine.guard.random_statements import Grammar, Statement
from tests.support import databases
from tests.support.catalog import query, schemas
from tests.support.servers import TestServer

SEED = 2568
TRIES = 50

# Of both domains that run; what a statement needs of its own.
MORE = """
CREATE TABLE {0}.t (id int PRIMARY KEY, name text);
CREATE SEQUENCE {0}.free;
CREATE TYPE {0}.plain AS ENUM ('a');
"""
ROWS = """
ALTER TABLE nobodys.imports ADD COLUMN note text;
INSERT INTO public.drugs VALUES (1, 'PARA500');
"""
CONTENTS = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'm', 'S') ORDER BY 1, 2
"""

Outside = dict[str, str]
"""What is to be left alone: a schema's fingerprint, or a relation's rows."""


@pytest.fixture(scope="module")
def landscape(postgres_server: TestServer, django_db_blocker: Any) -> Iterator[str]:
    """A template with the landscape and the histories."""
    with django_db_blocker.unblock(), databases.scratch(postgres_server, prefix="land") as name:
        with databases.default_database(name):
            lay_out()
            connection = connections["default"]
            with connection.cursor() as cursor:
                cursor.execute(ROWS)
                for schema in ("public", "inventory"):
                    cursor.execute(MORE.format(schema))
            for domain in ("core", "inventory"):
                ensure_history(connection, get_domain(domain))
                Journal(connection, get_domain(domain), RunContext()).open()
        yield name


class World:
    """A copy of the landscape, created again whenever a migration has changed it."""

    def __init__(self, server: TestServer, template: str) -> None:
        self.server, self.template = server, template

    @contextmanager
    def fresh(self) -> Iterator[None]:
        with (
            databases.scratch(self.server, template=self.template, prefix="random") as name,
            databases.default_database(name),
        ):
            yield


def outside(domain: str, *, sequences: bool) -> Outside:
    """Everything that is not the domain's."""
    connection = connections["default"]
    own = "public" if domain == CORE else domain
    others = [schema for schema in schemas() if schema != own]
    found = {
        f"schema {schema}": fingerprint(connection, schema, include_privileges=True)
        for schema in others
    }
    # A matview's rows and those in no domain's schema are for everyone to write.
    counted = [schema for schema in others if schema != "nobodys"]
    for schema, name in query(CONTENTS, counted):
        if name.startswith("django_migrations"):
            continue
        if sequences or name != "numbers":
            statement = sql.SQL("SELECT * FROM {} ORDER BY 1")
            with connection.cursor() as cursor:
                cursor.execute(statement.format(sql.Identifier(schema, name)))
                found[f"rows of {schema}.{name}"] = repr(cursor.fetchall())
    return found


def differences(before: Outside, after: Outside) -> list[str]:
    found = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, ""), after.get(name, "")
        if old != new:
            found += compare(old, new) if name.startswith("schema") else [f"{name} changed"]
            found = found or [name]
    return found


def unguarded(statements: list[Statement], domain: str, before: Outside) -> list[str]:
    """What the statements change outside, found by running them and rolling back."""
    with transaction.atomic():
        with connections["default"].cursor() as cursor:
            for statement in statements:
                cursor.execute(statement.sql)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        found = differences(before, outside(domain, sequences=True))
        transaction.set_rollback(True)
    return found


def as_migration(
    statements: list[Statement], domain: str, chance: random.Random
) -> migrations.Migration:
    """The statements as operations: some in SQL, some in Python, one or several in each."""
    migration = migrations.Migration("9000_random", domain)
    texts = [statement.sql for statement in statements]
    if chance.random() < 0.3:
        texts = ["; ".join(texts)]
    migration.operations = [
        migrations.RunSQL(text) if chance.random() < 0.6 else migrations.RunPython(_python(text))
        for text in texts
    ]
    return migration


def _python(text: str) -> Any:
    def run(apps: Any, schema_editor: Any) -> None:
        with transaction.atomic(), schema_editor.connection.cursor() as cursor:
            cursor.execute(text)

    return run


def refusal(migration: migrations.Migration, domain: str) -> str | None:
    """Run the migration as a run of its domain does; why it was refused, if it was."""
    connection = connections["default"]
    owner = get_domain(domain)
    with acquire_run_lock(connection, owner, wait=0, report=str) as lock:
        session = RunSession(connection, owner, lock=lock)
        session.journal.open()
        executor = DomainExecutor(session, load_domain(connection, owner))
        try:
            check_plan([(migration, False)], ProjectState(), owner)
            executor.apply_migration(ProjectState(), migration)
        except BoundaryViolation as exc:
            return exc.message
    return None


class Case:
    """One random migration that runs without an error when nothing guards it."""

    def __init__(self, grammar: Grammar, domain: str, before: Outside) -> None:
        for _ in range(TRIES):
            self.statements = grammar.statements(domain)
            try:
                self.changed = unguarded(self.statements, domain, before)
            except Error:
                continue
            return
        raise AssertionError(f"No migration runs, the last being {self.text}")

    @property
    def text(self) -> str:
        return "\n".join(f"{each.effect}: {each.sql}" for each in self.statements)

    def verdict(self, refused: str | None) -> Iterator[str]:
        """What the guard got wrong, and what the grammar did."""
        effects = {statement.effect for statement in self.statements}
        if self.changed and not refused:
            yield f"allowed, but it changed {self.changed}"
        if not self.changed and effects == {"legal"} and refused:
            yield f"refused, but nothing is wrong with it: {refused}"
        if "touches" in effects and not refused:
            yield "allowed, but it uses what it may not"
        if bool(self.changed) != ("changes" in effects):
            yield f"called {effects}, but it changed {self.changed}"


@pytest.mark.slow_stress
@pytest.mark.parametrize(("seed", "count"), [(SEED, 25), *((SEED + n, 50) for n in range(1, 5))])
def test_guard_and_catalogs_agree(
    postgres_server: TestServer, landscape: str, django_db_blocker: Any, seed: int, count: int
) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    grammar, world = Grammar(chance), World(postgres_server, landscape)
    wrong, refused_ones, left = [], 0, count
    with django_db_blocker.unblock():
        while left:
            with world.fresh():
                clean = True
                while left and clean:
                    left -= 1
                    domain = CORE if chance.random() < 0.2 else "inventory"
                    case = Case(grammar, domain, outside(domain, sequences=True))
                    before = outside(domain, sequences=False)
                    refused = refusal(as_migration(case.statements, domain, chance), domain)
                    clean = refused is not None
                    refused_ones += clean
                    problems = [*case.verdict(refused)]
                    # Neither a refused migration nor an allowed one leaves a trace outside.
                    problems += differences(before, outside(domain, sequences=False))
                    wrong += [f"{domain}: {problem}\n{case.text}" for problem in problems]
    assert wrong == [], f"seed {seed}: {len(wrong)} of {count}\n\n" + "\n\n".join(wrong)
    assert count // 4 < refused_ones < count
