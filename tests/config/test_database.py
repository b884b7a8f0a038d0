"""The DATABASES entry that the environment asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.database import database
from config.environment import Environment

HERE = Path("/project/.postgres")
EXAMPLE = "postgres://user:password@host:5432/name"


def settings(**variables: str) -> dict[str, Any]:
    return database(Environment(variables), embedded_directory=HERE)


def refusal(**variables: str) -> str:
    with pytest.raises(ImproperlyConfigured) as caught:
        settings(**variables)
    return str(caught.value)


def test_database__nothing_configured_is_embedded() -> None:
    found = settings()
    assert found["ENGINE"] == "config.embedded.backend"
    assert found["EMBEDDED"] == {"DIRECTORY": str(HERE), "NAME": "domains"}


def test_database__url() -> None:
    found = settings(DATABASE_URL="postgres://me:p%40ss@db.example:6543/main?sslmode=require")
    assert found == {
        "ENGINE": "domain_migrations.backends.postgresql",
        "NAME": "main",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": 6543,
        "OPTIONS": {"sslmode": "require"},
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
    }


def test_database__parts() -> None:
    found = settings(
        DATABASE_HOST="db.example",
        DATABASE_PORT="6543",
        DATABASE_NAME="main",
        DATABASE_USER="me",
        DATABASE_PASSWORD="$not-a-variable",
        DATABASE_CONN_MAX_AGE="60",
    )
    assert found == {
        "ENGINE": "domain_migrations.backends.postgresql",
        "NAME": "main",
        "USER": "me",
        "PASSWORD": "$not-a-variable",
        "HOST": "db.example",
        "PORT": "6543",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def test_database__url_wins_over_parts() -> None:
    found = settings(DATABASE_URL="postgresql://h/of_url", DATABASE_NAME="of_part")
    assert found["NAME"] == "of_url"


def test_database__missing_in_production() -> None:
    assert refusal(DJANGO_ENV="production") == (
        f"The database is missing in production: set DATABASE_URL ({EXAMPLE}), or DATABASE_HOST, "
        "DATABASE_PORT, DATABASE_NAME, DATABASE_USER and DATABASE_PASSWORD."
    )


def test_database__name_missing() -> None:
    assert refusal(DATABASE_HOST="h", DATABASE_PASSWORD="hidden") == (
        "DATABASE_NAME is missing although other parts of the database are set (DATABASE_HOST, "
        "DATABASE_PASSWORD): set DATABASE_NAME, or remove them all to use the embedded PostgreSQL."
    )


def test_database__url_of_another_product() -> None:
    assert refusal(DATABASE_URL="sqlite:///db.sqlite3") == (
        "DATABASE_URL does not begin with postgres://, and only PostgreSQL is supported: "
        f"write it like {EXAMPLE}."
    )


def test_database__url_that_cannot_be_read() -> None:
    message = refusal(DATABASE_URL="postgres://me:hidden@host:port/name")
    assert message == (
        f"DATABASE_URL cannot be read: write it like {EXAMPLE}, with special characters of the "
        "password percent-encoded."
    )


def test_database__url_without_a_name() -> None:
    assert refusal(DATABASE_URL="postgres://me@host/") == (
        f"DATABASE_URL names no database: write it like {EXAMPLE}."
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            "conn_max_age=abc",
            "DATABASE_URL has conn_max_age=abc, which is not a number: write the seconds, like"
            " conn_max_age=60, or None.",
        ),
        (
            "autocommit=no",
            "DATABASE_URL has autocommit=no, which is neither True nor False: write one of them.",
        ),
        (
            "pool=1",
            "DATABASE_URL has an option pool, which is not PostgreSQL's: set DATABASE_POOL"
            " instead.",
        ),
    ],
)
def test_database__url_with_an_unusable_option(option: str, message: str) -> None:
    assert refusal(DATABASE_URL=f"{EXAMPLE}?{option}") == message


@pytest.mark.parametrize(("text", "value"), [("60", 60), ("1.5", 1.5), ("None", None)])
def test_database__url_with_a_lifetime(text: str, value: float | None) -> None:
    found = settings(DATABASE_URL=f"{EXAMPLE}?conn_max_age={text}&conn_health_checks=False")
    assert (found["CONN_MAX_AGE"], found["CONN_HEALTH_CHECKS"]) == (value, False)


def test_database__lifetime_without_end() -> None:
    assert refusal(DATABASE_NAME="m", DATABASE_CONN_MAX_AGE="inf") == (
        "DATABASE_CONN_MAX_AGE is 'inf', which is not a number: write one like 0."
    )


def test_pool__off_by_default() -> None:
    assert "OPTIONS" not in settings(DATABASE_NAME="main")


def test_pool__sizes() -> None:
    found = settings(
        DATABASE_NAME="main",
        DATABASE_POOL="True",
        DATABASE_POOL_MIN_SIZE="2",
        DATABASE_POOL_MAX_SIZE="8",
        DATABASE_POOL_TIMEOUT="3.5",
    )
    assert found["OPTIONS"] == {"pool": {"min_size": 2, "max_size": 8, "timeout": 3.5}}
    assert found["CONN_MAX_AGE"] == 0


def test_pool__defaults() -> None:
    found = settings(DATABASE_URL="postgres://h/n?sslmode=require", DATABASE_POOL="1")
    assert found["OPTIONS"] == {
        "sslmode": "require",
        "pool": {"min_size": 1, "max_size": 4, "timeout": 10},
    }


def test_pool__impossible_sizes() -> None:
    variables = {"DATABASE_POOL_MIN_SIZE": "5", "DATABASE_POOL_MAX_SIZE": "2"}
    assert refusal(DATABASE_NAME="main", DATABASE_POOL="True", **variables) == (
        "DATABASE_POOL_MIN_SIZE is 5 and DATABASE_POOL_MAX_SIZE is 2: the first must be at least "
        "0 and not above the second, which must be at least 1."
    )


def test_pool__not_a_number() -> None:
    assert (
        refusal(DATABASE_NAME="main", DATABASE_POOL="True", DATABASE_POOL_MAX_SIZE="many")
        == "DATABASE_POOL_MAX_SIZE is 'many', which is not a number: write one like 4."
    )


def test_pool__with_a_lifetime() -> None:
    message = refusal(DATABASE_NAME="m", DATABASE_POOL="True", DATABASE_CONN_MAX_AGE="60")
    assert message == (
        "DATABASE_POOL and DATABASE_CONN_MAX_AGE are both set, and a pool keeps its own "
        "connections: remove DATABASE_CONN_MAX_AGE or DATABASE_POOL."
    )
