"""Errors advise the options of the command that was run, and settings where it has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from django.db import connections
from django.test import override_settings

from domain_migrations.domains import get_domain
from domain_migrations.engine.sessions.database_problems import translate_database_errors
from domain_migrations.engine.sessions.offered_options import offering
from domain_migrations.engine.sessions.session import locked_session
from domain_migrations.exceptions import StatementTimeout
from domain_migrations.management.console import TerminalCommand
from tests.support.catalog import execute
from tests.support.commands import Result

Call = Callable[..., Result]

WAITS = {"lock_wait", "lock_timeout", "statement_timeout"}
OWN = [name for name, app in get_commands().items() if app == "domain_migrations"]


@pytest.mark.parametrize("name", sorted(OWN))
def test_commands_with_such_options_have_them_advised(name: str) -> None:
    command = load_command_class("domain_migrations", name)
    options = {action.dest for action in command.create_parser("manage.py", name)._actions}
    assert isinstance(command, TerminalCommand) or not options & WAITS


@pytest.mark.parametrize(
    ("offered", "setting", "statement", "advice"),
    [
        (
            ["--lock-timeout"],
            "statement_timeout",
            "SELECT pg_sleep(1)",
            "with STATEMENT_TIMEOUT in DOMAIN_MIGRATIONS, or with statement_timeout of the role",
        ),
        (
            ["--lock-timeout", "--statement-timeout"],
            "statement_timeout",
            "SELECT pg_sleep(1)",
            "with --statement-timeout, or with",
        ),
        (["--lock-timeout"], "lock_timeout", "TRUNCATE held", "with --lock-timeout, or with"),
        (
            [],
            "lock_timeout",
            "TRUNCATE held",
            "with LOCK_TIMEOUT in DOMAIN_MIGRATIONS, or with lock_timeout of the role",
        ),
    ],
)
def test_statement_that_took_too_long(
    offered: list[str],
    setting: str,
    statement: str,
    advice: str,
    scratch_database: str,
    postgres_server: Any,
) -> None:
    execute("CREATE TABLE held ()")
    with postgres_server.connect(scratch_database) as other, offering(offered):
        other.execute("BEGIN; LOCK TABLE held")
        execute(f"SET {setting} = 1")
        with pytest.raises(StatementTimeout) as raised, translate_database_errors("default"):
            execute(statement)
    assert raised.value.hint.startswith(f"Run the command again, or allow more time {advice}")


def test_lock_of_another_run(migrated_database: str, call: Call, postgres_server: Any) -> None:
    with locked_session("default", get_domain("hr"), wait=0, report=print):
        held = connections["default"]
        del connections["default"]
        try:
            with_option = call("repair_domain", "hr", "--prune", "--noinput", "--lock-wait=0")
            with override_settings(DOMAIN_MIGRATIONS={"LOCK_WAIT": 0}):
                without = call("migrate", "hr")
        finally:
            connections["default"].close()
            connections["default"] = held
    assert "wait longer with --lock-wait." in with_option.stderr
    assert "wait longer with LOCK_WAIT in DOMAIN_MIGRATIONS." in without.stderr
