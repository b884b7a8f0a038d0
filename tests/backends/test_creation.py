"""Test databases that are copies of a template: creation, locking and exceptions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.db.backends.postgresql.creation import DatabaseCreation
from psycopg import sql

from domain_migrations.backends.postgresql import creation as templates
from domain_migrations.backends.postgresql.names import MAX_NAME_BYTES
from domain_migrations.backends.postgresql.template_database import COMMENT_PREFIX, template_name
from tests.support import databases
from tests.support.servers import TestServer

DECOY = "CREATE TABLE public.things (id int)"
MIGRATED = "CREATE SCHEMA lab; CREATE TABLE lab.things (id int, note text)"


class Runner:
    """Makes test databases, with something quick in place of `migrate`.

    Attributes:
        migrated: the databases in which it was called.
        statements: what it does where there is no table yet.
        digest: what the content's digest is said to be.
    """

    def __init__(self, server: TestServer, name: str) -> None:
        self.server, self.test_name = server, f"test_{name}"
        self.migrated: list[str] = []
        self.statements = f"{DECOY}; {MIGRATED}"
        self.digest: str | None = "1"

    def create(self, **options: Any) -> str:
        options = {"verbosity": 0, "autoclobber": True, **templates.UNSERIALIZED, **options}
        creation = connections["default"].creation
        old = connections["default"].settings_dict["NAME"]
        try:
            return creation.create_test_db(**options)
        finally:
            connections["default"].close()
            connections["default"].settings_dict["NAME"] = old

    def call_command(self, name: str, **_: Any) -> None:
        if name == "migrate":
            connection = connections["default"]
            self.migrated.append(connection.settings_dict["NAME"])
            with connection.cursor() as cursor:
                cursor.execute("SELECT to_regclass('lab.things') IS NULL")
                if cursor.fetchone()[0]:
                    cursor.execute(self.statements)

    def forget(self, name: str) -> None:
        databases.drop(self.server, name)

    @property
    def template(self) -> str:
        return f"{self.test_name}_template"

    def ask(self, statement: str, database: str = "postgres") -> list[Any]:
        with self.server.connect(database) as session:
            return session.execute(statement).fetchall()

    def comment(self) -> list[Any]:
        return self.ask(
            "SELECT shobj_description(oid, 'pg_database'), datallowconn FROM pg_database"
            f" WHERE datname = '{self.template}'"
        )

    def built(self) -> int:
        return self.migrated.count(self.template)


@pytest.fixture
def runner(
    scratch_database: str, postgres_server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Runner]:
    runner = Runner(postgres_server, scratch_database)
    test = {**connections["default"].settings_dict["TEST"], "NAME": None, "TEMPLATE": None}
    monkeypatch.setitem(connections["default"].settings_dict, "TEST", test)
    monkeypatch.delenv(templates.WORKER, raising=False)
    monkeypatch.setattr("django.core.management.call_command", runner.call_command)
    monkeypatch.setattr(
        templates.TemplateCreationMixin,
        "content_digest",
        staticmethod(lambda connection: runner.digest and (lambda connection: runner.digest)),
    )
    yield runner
    for (name,) in runner.ask(
        f"SELECT datname FROM pg_database WHERE starts_with(datname, '{runner.test_name}')"
    ):
        databases.drop(postgres_server, name)


def content(runner: Runner, database: str) -> list[Any]:
    return runner.ask(
        "SELECT n.nspname::text, c.relname::text, a.attname::text FROM pg_attribute AS a"
        " JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE c.relname = 'things' AND a.attnum > 0 ORDER BY 1, 2, 3",
        database,
    )


COLUMNS = [("lab", "things", "id"), ("lab", "things", "note"), ("public", "things", "id")]


def test_the_first_test_database_makes_the_template_and_the_next_is_a_copy(runner: Runner) -> None:
    for _ in range(2):
        assert runner.create() == runner.test_name
        assert content(runner, runner.test_name) == COLUMNS
    assert runner.built() == 1
    assert runner.comment() == [(f"{COMMENT_PREFIX} 1", False)]


def test_no_template__without_a_digest(runner: Runner) -> None:
    runner.digest = None
    runner.create()
    assert content(runner, runner.test_name) == COLUMNS
    assert (runner.migrated, runner.comment()) == ([runner.test_name], [])


def test_no_template__the_project_has_one_of_its_own(runner: Runner) -> None:
    connections["default"].settings_dict["TEST"]["TEMPLATE"] = "template0"
    runner.create()
    assert (runner.migrated, runner.comment()) == ([runner.test_name], [])


def test_a_kept_database_is_used_as_it_is(runner: Runner) -> None:
    runner.create(keepdb=True)
    assert runner.built() == 1
    runner.forget(runner.template)
    runner.ask("INSERT INTO lab.things VALUES (7, 'kept') RETURNING id", runner.test_name)
    runner.create(keepdb=True)
    assert runner.ask("SELECT id FROM lab.things", runner.test_name) == [(7,)]
    assert (runner.built(), runner.comment()) == (1, [])


def test_a_stale_template_is_created_again(runner: Runner) -> None:
    runner.create()
    runner.digest, runner.statements = "2", f"{runner.statements}; CREATE TABLE lab.more (id int)"
    runner.create()
    assert runner.ask("SELECT to_regclass('lab.more')::text", runner.test_name) == [("lab.more",)]
    assert (runner.built(), runner.comment()) == (2, [(f"{COMMENT_PREFIX} 2", False)])


@pytest.mark.parametrize(
    "comment", [f"'{COMMENT_PREFIX} unfinished'", f"'{COMMENT_PREFIX}'", "NULL"]
)
def test_an_unfinished_template_of_a_killed_process_is_created_again(
    runner: Runner, comment: str
) -> None:
    databases.create(runner.server, runner.template)
    with runner.server.connect() as session:
        session.execute(f"COMMENT ON DATABASE {runner.template} IS {comment}")
    runner.create()
    assert content(runner, runner.test_name) == COLUMNS
    assert (runner.built(), runner.comment()) == (1, [(f"{COMMENT_PREFIX} 1", False)])


def test_an_unrelated_database_is_deleted_only_after_confirmation(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    databases.create(runner.server, runner.template)
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or "no")
    with pytest.raises(SystemExit):
        runner.create(autoclobber=False)
    assert f"database '{runner.template}'" in asked[0]
    assert runner.comment() == [(None, True)]


def test_a_migration_that_fails_leaves_no_template(runner: Runner) -> None:
    runner.statements = "SELECT 1 / 0"
    with pytest.raises(Exception, match="division by zero"):
        runner.create()
    assert runner.comment() == []
    settings = connections["default"].settings_dict
    assert (settings["NAME"], settings["TEST"]["NAME"]) == (runner.test_name[5:], None)


@pytest.mark.parametrize(
    ("statement", "lost"),
    [
        ("ALTER DATABASE {} SET statement_timeout = 700000", "settings"),
        ("GRANT TEMPORARY ON DATABASE {} TO CURRENT_USER", "privileges"),
    ],
)
def test_settings_of_the_database_that_a_copy_would_lack_are_kept(
    runner: Runner, capsys: pytest.CaptureFixture[str], statement: str, lost: str
) -> None:
    do = f"DO $$BEGIN EXECUTE format('{statement.format('%I')}', current_database()); END$$"
    runner.statements += f"; {do}"
    runner.create(verbosity=1)
    assert (
        f"The template '{runner.template}' is not used, because a copy would lack what the"
        f" migrations have set on the database itself: {lost}.\n"
    ) in capsys.readouterr().err
    assert runner.migrated == [runner.template, runner.test_name]
    assert content(runner, runner.test_name) == COLUMNS
    assert runner.ask(
        "SELECT setconfig IS NOT NULL OR datacl IS NOT NULL FROM pg_database AS d"
        " LEFT JOIN pg_db_role_setting ON setdatabase = d.oid"
        f" WHERE datname = '{runner.test_name}'"
    ) == [(True,)]
    runner.create()
    assert runner.built() == 1


def test_workers_of_one_run_share_the_template(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    for worker in ("gw0", "gw1"):
        monkeypatch.setenv(templates.WORKER, worker)
        connections["default"].settings_dict["TEST"]["NAME"] = f"{runner.test_name}_{worker}"
        assert runner.create() == f"{runner.test_name}_{worker}"
        assert content(runner, f"{runner.test_name}_{worker}") == COLUMNS
    assert runner.built() == 1


def test_who_comes_second_waits_for_the_template(
    runner: Runner, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = f"hashtextextended('{COMMENT_PREFIX} {runner.template}', 0)"
    waiting = threading.Event()
    log = DatabaseCreation.log

    def heard(creation: DatabaseCreation, message: str) -> None:
        log(creation, message)
        if message.startswith("Waiting"):
            waiting.set()

    monkeypatch.setattr(DatabaseCreation, "log", heard)
    with runner.server.connect() as session:
        session.execute(f"SELECT pg_advisory_lock({key})")

        def finish() -> None:
            waiting.wait(60)
            databases.create(runner.server, runner.template)
            with runner.server.connect(runner.template) as other:
                other.execute(runner.statements)
            session.execute(f"COMMENT ON DATABASE {runner.template} IS '{COMMENT_PREFIX} 1'")
            session.execute(f"SELECT pg_advisory_unlock({key})")

        thread = threading.Thread(target=finish)
        thread.start()
        try:
            runner.create(verbosity=1)
        finally:
            waiting.set()
            thread.join()
    message = f"Waiting for another process, which has locked the template '{runner.template}'...\n"
    assert capsys.readouterr().err.count(message) == 1
    assert content(runner, runner.test_name) == COLUMNS
    assert runner.built() == 0


def test_a_role_that_may_not_create_databases(
    runner: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    role = databases.new_name("poor")
    errors = []
    with runner.server.connect() as session:
        session.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        own = connections["default"].settings_dict
        user, own["USER"] = own["USER"], role
        try:
            for runner.digest in ("1", None):
                with pytest.raises(SystemExit) as stopped:
                    runner.create()
                errors.append((stopped.value.code, capsys.readouterr().err))
        finally:
            own["USER"] = user
            session.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
    assert errors[0] == errors[1]
    assert "permission denied to create database" in errors[0][1]


@pytest.mark.parametrize("name", ["clinic", "c" * MAX_NAME_BYTES, "é" * 31])
def test_names_of_templates(name: str) -> None:
    found = template_name(name)
    assert found.endswith("_template")
    assert len(found.encode()) <= MAX_NAME_BYTES
    assert found != template_name(f"{name[:-1]}x")
