"""What a role that may only read gets, and the privilege that a message names."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connections

from domain_migrations.api import check_readiness
from domain_migrations.engine.sessions.missing_privileges import privilege_hint
from tests.support import databases
from tests.support.catalog import execute
from tests.support.commands import Result
from tests.support.servers import TestServer

Call = Callable[..., Result]
OTHERWISE = ", or run the command as the role that owns the objects."


@pytest.fixture
def reader(migrated_database: str, postgres_server: TestServer) -> Iterator[str]:
    """A role without privileges, as which the default connection connects."""
    role = databases.new_name("reader")
    execute(f"CREATE ROLE {role} LOGIN")
    values = connections["default"].settings_dict
    user = values["USER"]
    connections["default"].close()
    values["USER"] = role
    yield role
    connections["default"].close()
    values["USER"] = user
    execute(f"DROP OWNED BY {role}")
    execute(f"DROP ROLE {role}")


def grant(server: TestServer, statement: str) -> None:
    with server.connect(connections["default"].settings_dict["NAME"]) as session:
        session.execute(statement)


def test_messages_name_the_right_privilege(
    reader: str, call: Call, postgres_server: TestServer
) -> None:
    tables = "public.django_migrations, hr.django_migrations_hr"
    result = call("show_domains", "hr")
    assert f"Grant it USAGE on the schema hr{OTHERWISE}" in result.stderr
    grant(postgres_server, f"GRANT USAGE ON SCHEMA hr TO {reader}")
    result = call("show_domains", "hr")
    assert "Grant it SELECT on " in result.stderr
    grant(postgres_server, f"GRANT SELECT ON {tables} TO {reader}")
    result = call("show_domains", "hr")
    assert f"Grant it SELECT on hr.django_migrations_hr_journal{OTHERWISE}" in result.stderr


def test_a_role_that_may_only_read(reader: str, call: Call, postgres_server: TestServer) -> None:
    grant(postgres_server, f"GRANT pg_read_all_data TO {reader}")
    for command in (
        ("show_domains",),
        ("migrate_domain", "--all", "--check"),
        ("migrate_domain", "hr", "--plan"),
        ("lint_domain", "hr"),
        ("check", "--database", "default"),
    ):
        result = call(*command)
        assert result.exit_status == 0, result.stderr
    assert check_readiness().ready
    result = call("repair_domain", "hr", "--mark-unapplied", "0001_initial", "--noinput")
    assert result.exit_status == 1
    assert "Grant it DELETE on hr.django_migrations_hr, or" in result.stderr


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        (
            "permission denied for database app",
            f"Grant it CREATE on the database app (to create a domain's schema){OTHERWISE}",
        ),
        ("permission denied for schema public", f"Grant it CREATE on the schema public{OTHERWISE}"),
        (
            "must be owner of table drugs",
            "Run the command as the owner of table drugs, or change its owner.",
        ),
        ("permission denied to create role", f"Grant it CREATEROLE{OTHERWISE}"),
        ("permission denied for language c", f"Grant it what the message names{OTHERWISE}"),
    ],
)
def test_hints(scratch_database: str, message: str, advice: str) -> None:
    connections["default"].ensure_connection()
    assert privilege_hint(connections["default"], message) == advice
