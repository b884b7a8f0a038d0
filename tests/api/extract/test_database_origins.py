"""Errors name the database that raised them, and not the other one of the move."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connections, transaction

from domain_migrations.api.extract.database_origins import extra_session, translated_errors
from domain_migrations.api.extract.sides import Sides
from domain_migrations.domains import get_domain
from domain_migrations.engine.sessions.connection import execute, fetch_one
from domain_migrations.engine.sessions.session import plain_copy
from domain_migrations.exceptions import DatabaseUnavailable, DomainMigrationsError

DATABASE = 'The database "{}" ('


@pytest.fixture
def sides(scratch_database: str) -> Iterator[Sides]:
    lab = plain_copy(connections["default"])
    lab.alias = "lab"
    connections["lab"] = lab
    try:
        yield Sides(get_domain("inventory"), "default", "lab")
    finally:
        lab.close()
        del connections["lab"]


@pytest.mark.parametrize("alias", ["default", "lab"])
@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE public.missing",
        "SELECT 1 / 0",
        "DO $$BEGIN RAISE unique_violation; END$$",
    ],
)
def test_an_error_in_a_transaction_names_its_database(
    sides: Sides, alias: str, statement: str
) -> None:
    with (
        pytest.raises(DomainMigrationsError) as caught,
        translated_errors(sides),
        transaction.atomic(using=alias),
    ):
        execute(connections[alias], statement)
    assert caught.value.message.startswith(DATABASE.format(alias))


@pytest.mark.parametrize("alias", ["default", "lab"])
def test_a_lost_session_beside_the_alias_s_own_is_temporary(sides: Sides, alias: str) -> None:
    with extra_session(alias) as session:
        (pid,) = fetch_one(session, "SELECT pg_backend_pid()")
        execute(connections[alias], "SELECT pg_terminate_backend(%s, 5000)", [pid])
        with pytest.raises(DatabaseUnavailable) as caught, translated_errors(sides):
            execute(session, "SELECT 1")
    assert caught.value.message.startswith(f'The connection to the database "{alias}" (')


def test_the_notes_end_with_the_step(sides: Sides) -> None:
    before = type(connections["lab"].wrap_database_errors)
    with translated_errors(sides):
        assert type(connections["lab"].wrap_database_errors) is not before
    assert type(connections["lab"].wrap_database_errors) is before
