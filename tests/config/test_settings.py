"""The settings module as a whole, in processes of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.servers import TestServer

PRODUCTION = {
    "DJANGO_ENV": "production",
    "SECRET_KEY": "k3y-of-this-test-0123456789-abcdefghijklmnopqrstuvwxyz-ABC",
    "ALLOWED_HOSTS": "example.org",
    "DATABASE_URL": "postgres://u@db.invalid/n",
}


def test_production__check_deploy_is_silent(
    manage_copy: Callable, postgres_server: TestServer
) -> None:
    # Since Django 6 some checks ask the server.
    environment = {**PRODUCTION, "DATABASE_URL": None, **postgres_server.environment("postgres")}
    result = manage_copy("check", "--deploy", "--fail-level", "WARNING", **environment)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"SECRET_KEY": None},
            "SECRET_KEY is missing in production: set it to a long random string that is only "
            "used here.\n",
        ),
        (
            {"DEBUG": "True"},
            "DEBUG is on in production, where it shows settings and source code to visitors: "
            "remove DEBUG or set it to False.\n",
        ),
        (
            {"DATABASE_URL": None},
            "The database is missing in production: set DATABASE_URL "
            "(postgres://user:password@host:5432/name), or DATABASE_HOST, DATABASE_PORT, "
            "DATABASE_NAME, DATABASE_USER and DATABASE_PASSWORD.\n",
        ),
    ],
    ids=["secret_key", "debug", "database"],
)
@pytest.mark.parametrize("command", ["check", "migrate_domain"])
def test_production__start_error_is_one_sentence(
    manage_copy: Callable, command: str, change: dict, sentence: str
) -> None:
    result = manage_copy(command, **{**PRODUCTION, **change})
    assert (result.returncode, result.stdout, result.stderr) == (1, "", sentence)


def test_production__ignores_env_local(manage_copy: Callable, copied_project: Path) -> None:
    (copied_project / ".env.local").write_text("SECRET_KEY=local\n")
    result = manage_copy("check", **{**PRODUCTION, "SECRET_KEY": None})
    assert result.stderr.startswith("SECRET_KEY is missing in production")


def test_development__reads_env_then_env_local(manage_copy: Callable, copied_project: Path) -> None:
    (copied_project / ".env").write_text("DATABASE_NAME=of_env\nDATABASE_HOST=of_env\n")
    (copied_project / ".env.local").write_text("DATABASE_NAME=of_local\nDATABASE_PORT=1\n")
    code = "from django.conf import settings as s; d = s.DATABASES['default']; "
    code += "print(d['HOST'], d['NAME'], d['PORT'])"
    result = manage_copy(
        "shell",
        "--no-imports",
        "-c",
        code,
        DATABASE_PORT="5",
        DATABASE_HOST=None,
        DATABASE_NAME=None,
    )
    assert result.stdout.strip() == "of_env of_local 5"
