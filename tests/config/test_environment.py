"""Where settings come from, and what production refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import (
    DEVELOPMENT_SECRET_KEY,
    Environment,
    debug,
    read_environment,
    secret_key,
)


def environment(folder: Path, **real: str) -> Environment:
    return read_environment(folder, real)


def test_read_environment__env_local_over_env(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=env\nB=env\nC=env\n")
    (tmp_path / ".env.local").write_text("B=local\nC=local\n")
    found = environment(tmp_path, C="real")
    assert [found.text(name) for name in "ABCD"] == ["env", "local", "real", ""]


@pytest.mark.parametrize("place", ["real", "file"])
def test_read_environment__production_ignores_env_local(tmp_path: Path, place: str) -> None:
    line = "DJANGO_ENV=production\n" if place == "file" else ""
    (tmp_path / ".env").write_text(f"{line}A=env\n")
    (tmp_path / ".env.local").write_text("A=local\nDJANGO_ENV=development\n")
    real = {"DJANGO_ENV": "production"} if place == "real" else {}
    found = environment(tmp_path, **real)
    assert found.is_production
    assert found.text("A") == "env"


def test_read_environment__real_development_beats_production_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DJANGO_ENV=production\n")
    (tmp_path / ".env.local").write_text("A=local\n")
    found = environment(tmp_path, DJANGO_ENV="development")
    assert not found.is_production
    assert found.text("A") == "local"


def test_read_environment__empty_real_variable_overrides_a_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=postgres://u@h/n\n")
    assert environment(tmp_path, DATABASE_URL="").text("DATABASE_URL") == ""


def test_read_environment__changes_no_real_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ONLY_IN_FILE", raising=False)
    (tmp_path / ".env").write_text("ONLY_IN_FILE=1\n")
    assert read_environment(tmp_path).text("ONLY_IN_FILE") == "1"
    assert "ONLY_IN_FILE" not in os.environ


def test_read_environment__unknown_name(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        environment(tmp_path, DJANGO_ENV="prod")
    assert str(caught.value) == (
        "DJANGO_ENV is 'prod', which is none of development, test and production: "
        "set it to one of them."
    )


def test_secret_key__development_has_one(tmp_path: Path) -> None:
    assert secret_key(environment(tmp_path)) == DEVELOPMENT_SECRET_KEY
    assert secret_key(environment(tmp_path, SECRET_KEY="$own")) == "$own"


def test_secret_key__missing_in_production(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        secret_key(environment(tmp_path, DJANGO_ENV="production"))
    assert str(caught.value) == (
        "SECRET_KEY is missing in production: set it to a long random string that is only used "
        "here."
    )


def test_secret_key__development_key_in_production(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        secret_key(
            environment(tmp_path, DJANGO_ENV="production", SECRET_KEY=DEVELOPMENT_SECRET_KEY)
        )
    assert str(caught.value) == (
        "SECRET_KEY is the development key, which everybody knows: set it to a long random string "
        "that is only used here."
    )


def test_debug__defaults(tmp_path: Path) -> None:
    assert debug(environment(tmp_path)) is True
    assert debug(environment(tmp_path, DEBUG="False")) is False
    assert debug(environment(tmp_path, DJANGO_ENV="production")) is False


@pytest.mark.parametrize("value", ["True", "true", "1", "on", "yes"])
def test_debug__refused_in_production(tmp_path: Path, value: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        debug(environment(tmp_path, DJANGO_ENV="production", DEBUG=value))
    assert str(caught.value) == (
        "DEBUG is on in production, where it shows settings and source code to visitors: "
        "remove DEBUG or set it to False."
    )


@pytest.mark.parametrize(
    ("name", "tag"), [("", "demo"), ("test", "test"), ("production", "production")]
)
def test_seed_tag(tmp_path: Path, name: str, tag: str) -> None:
    assert environment(tmp_path, DJANGO_ENV=name).seed_tag == tag
