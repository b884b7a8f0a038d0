"""The choice and the call of a `pg_dump` program."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from domain_migrations.engine.snapshots import dump_program as program
from domain_migrations.engine.snapshots.pg_dump import dump_schema
from domain_migrations.exceptions import InsufficientPrivilege, InvalidConfiguration
from tests.support.catalog import execute


def pretend(monkeypatch: pytest.MonkeyPatch, folder: Path, versions: list[int]) -> list[str]:
    """Programs of these versions, and nothing else that is found."""
    paths = []
    for version in versions:
        path = folder / str(version) / "pg_dump"
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}.4 (Debian)'\n")
        path.chmod(0o755)
        paths.append(str(path))
    monkeypatch.setattr(program, "_candidates", lambda: iter(paths))
    return paths


def test_the_oldest_sufficient_version_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    paths = pretend(monkeypatch, tmp_path, [18, 14, 17, 15])
    assert program.find_program(15) == paths[3]
    assert program.find_program(16) == paths[2]
    assert program.find_program(18) == paths[0]


def test_none_that_can_read_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path, broken = *pretend(monkeypatch, tmp_path, [15]), tmp_path / "broken"
    broken.write_text("no program")
    monkeypatch.setattr(program, "_candidates", lambda: iter([path, str(broken), "/none/pg_dump"]))
    with pytest.raises(InvalidConfiguration) as raised:
        program.find_program(18)
    assert raised.value.message == (
        f"A dump of PostgreSQL 18 needs a pg_dump of 18 or later; found: {path} of 15."
    )
    assert raised.value.hint == (
        "Install the package postgresql-client-18, or put the folder of its programs on PATH."
    )
    monkeypatch.setattr(program, "_candidates", lambda: iter(()))
    with pytest.raises(InvalidConfiguration, match="found: none"):
        program.find_program(15)


def test_a_schema_that_the_role_may_not_read(module_database: str) -> None:
    role = f"reader_{module_database}"
    execute(f"CREATE SCHEMA closed; CREATE TABLE closed.t (id int); CREATE ROLE {role} LOGIN")
    reader = connection.copy()
    reader.settings_dict = {**connection.settings_dict, "USER": role}
    try:
        with pytest.raises(InsufficientPrivilege, match="permission denied for schema") as raised:
            dump_schema(reader, "closed", exclude=())
    finally:
        reader.close()
        execute(f"DROP ROLE {role}")
    assert 'cannot read the schema "closed"' in raised.value.message
    assert raised.value.hint.startswith("Connect as a role with USAGE on it and SELECT on")


def test_a_dump_that_nobody_reads_is_ended(module_database: str) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        program.start_dump(connection, "public", exclude=(), options=()) as dump,
    ):
        raise ZeroDivisionError

    assert dump.process.returncode is not None
