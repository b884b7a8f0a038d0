"""`repair_domain`: every repair of a history, with its lock and its row in the journal."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.support.catalog import execute, histories, query, snapshot
from tests.support.commands import Result

Call = Callable[..., Result]
Manage = Callable[..., subprocess.CompletedProcess[str]]


def last_entry() -> tuple[str, str, str]:
    """(name, direction, status) of the latest migration in hr's journal."""
    (row,) = query(
        "SELECT name, direction, status FROM hr.django_migrations_hr_journal"
        " WHERE direction <> 'run' ORDER BY id DESC LIMIT 1"
    )
    return row  # type: ignore[return-value]


def test_mark_applied_records_and_runs_nothing(migrated_database: str, call: Call) -> None:
    call("migrate_domain", "hr", "0012")
    before = snapshot()
    result = call("repair_domain", "hr", mark_applied="0013", interactive=False)
    assert (result.exit_status, result.stdout) == (
        0,
        "hr.0013_alter_verbose_names is recorded as applied.\n",
    )
    assert histories()["hr"][-1] == ("hr", "0013_alter_verbose_names")
    assert last_entry() == ("0013_alter_verbose_names", "forwards", "faked")
    assert snapshot() == before
    again = call("repair_domain", "hr", mark_applied="0013", interactive=False)
    assert (again.exit_status, again.stdout) == (0, "Nothing to do.\n")


def test_mark_unapplied_deletes_the_record_and_reverts_nothing(
    migrated_database: str, call: Call
) -> None:
    before = snapshot()
    name = "0013_alter_verbose_names"
    result = call("repair_domain", "hr", mark_unapplied=name, interactive=False)
    assert (result.exit_status, result.stdout) == (0, f"hr.{name} is recorded as not applied.\n")
    assert ("hr", name) not in histories()["hr"]
    assert last_entry() == (name, "backwards", "faked")
    assert snapshot() == before
    again = call("repair_domain", "hr", mark_unapplied=name, interactive=False)
    assert again.exit_status == 1
    assert f'hr.django_migrations_hr has no migration that begins with "{name}".' in again.stderr


@pytest.mark.parametrize("option", ["mark_applied", "mark_unapplied", "accept_checksum"])
def test_empty_name_is_no_migration(migrated_database: str, call: Call, option: str) -> None:
    before = histories()
    result = call("repair_domain", "hr", interactive=False, **{option: ""})
    assert (result.exit_status, histories()) == (1, before)
    assert 'begins with ""' in result.stderr or 'begin with ""' in result.stderr


@pytest.mark.parametrize("name", ["0013", "hr.0013", "hr.0013_alter_verbose_names"])
def test_mark_unapplied_accepts_a_prefix(migrated_database: str, call: Call, name: str) -> None:
    result = call("repair_domain", "hr", mark_unapplied=name, interactive=False)
    assert result.stdout == "hr.0013_alter_verbose_names is recorded as not applied.\n"
    assert [row for row in histories()["hr"] if "0013" in row[1]] == []


def test_mark_unapplied_accepts_a_prefix_of_a_migration_not_on_disk(
    migrated_database: str, call: Call
) -> None:
    known = histories()["hr"]
    for name in ("0099_gone", "0099_gone_too"):
        row = f"('hr', '{name}', now())"
        execute(f"INSERT INTO hr.django_migrations_hr (app, name, applied) VALUES {row}")
    several = call("repair_domain", "hr", mark_unapplied="0099", interactive=False)
    assert several.exit_status == 1
    assert (
        'Several migrations of the domain "hr" begin with "0099": hr.0099_gone, hr.0099_gone_too.'
        " Give more of the name."
    ) in several.stderr
    for name in ("0099_gone", "0099"):
        assert call("repair_domain", "hr", mark_unapplied=name, interactive=False).exit_status == 0
    assert histories()["hr"] == known


def test_prune_deletes_unknown_rows(migrated_database: str, call: Call) -> None:
    known = histories()
    for table in ("hr.django_migrations_hr", "public.django_migrations"):
        execute(f"INSERT INTO {table} (app, name, applied) VALUES ('hr', '0099_gone', now())")
    result = call("repair_domain", "hr", prune=True, interactive=False)
    assert (result.exit_status, result.stdout) == (
        0,
        "hr.0099_gone is removed from the history.\n",
    )
    assert histories()["hr"] == known["hr"]
    assert ("hr", "0099_gone") in histories()["core"]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["hr", "--resume"], 1, 'No migration of the domain "hr" was interrupted.'),
        (
            ["hr", "--mark-applied", "0999"],
            1,
            'No migration of the domain "hr" begins with "0999".',
        ),
        (
            ["core", "--mark-unapplied", "0001_initial"],
            1,
            'Several migrations of the domain "core" begin with "0001_initial": ',
        ),
        (["nowhere", "--prune"], 2, 'There is no domain "nowhere".'),
    ],
)
def test_bad_input_changes_nothing(
    migrated_database: str, manage: Manage, arguments: list[str], status: int, sentence: str
) -> None:
    before = (snapshot(), histories())
    result = manage("repair_domain", *arguments, "--noinput")
    assert (result.returncode, sentence in result.stderr) == (status, True), result.stderr
    assert (snapshot(), histories()) == before


@pytest.mark.parametrize(
    ("option", "said", "rows"), [("applied", "applied", 1), ("unapplied", "not applied", 0)]
)
def test_an_interrupted_reversal_is_repaired(
    migrated_database: str, call: Call, option: str, said: str, rows: int
) -> None:
    name = "0013_alter_verbose_names"
    execute(
        "INSERT INTO hr.django_migrations_hr_journal (run, batch, app, name, direction, status,"
        " started, seconds, checksum, os_user, host, project_version, engine_version,"
        " django_version, footprint, details, error, sqlstate) VALUES (gen_random_uuid(), 9, 'hr',"
        f" '{name}', 'backwards', 'running', now(), 0, '', '', '', '', '', '', '{{}}',"
        """ '{"finished": 1}', '', '')"""
    )
    refused = call("migrate_domain", "hr", "0012")
    assert (refused.exit_status, f"while reverting hr.{name}" in refused.stderr) == (1, True)
    repaired = call("repair_domain", "hr", f"--mark-{option}", name, interactive=False)
    assert (repaired.exit_status, repaired.stdout) == (0, f"hr.{name} is recorded as {said}.\n")
    assert histories()["hr"].count(("hr", name)) == rows
    assert call("migrate_domain", "hr", "0013", "--check").exit_status == 1 - rows
    verified = call("verify_domain", "hr", "--only=history")
    assert (verified.exit_status, verified.stderr) == (0, "")


BEGUN = """
INSERT INTO hr.django_migrations_hr_journal (run, batch, app, name, direction, status, started,
    seconds, checksum, os_user, host, project_version, engine_version, django_version, footprint,
    details, error, sqlstate)
VALUES (gen_random_uuid(), 9, 'hr', '0006_index_employee_names', 'backwards', 'running', now(), 0,
    '', '', '', '', '', '', '{}', '{"finished": 1}', '', '')
"""


@pytest.mark.parametrize(
    ("option", "question"),
    [
        ("--prune", 'This changes the history of the domain "hr".'),
        (
            "--resume",
            "This runs the remaining operations of hr.0006_index_employee_names, which was"
            " interrupted.",
        ),
    ],
)
def test_question_says_what_the_repair_does(
    migrated_database: str, call: Call, monkeypatch: pytest.MonkeyPatch, option: str, question: str
) -> None:
    execute(BEGUN)
    monkeypatch.setattr("builtins.input", lambda: "n")
    result = call("repair_domain", "hr", option)
    assert (result.exit_status, result.stdout) == (1, f"{question} Continue? [y/N] ")
    assert result.stderr == "CommandError: Nothing was changed.\n"


@pytest.mark.parametrize("database", ["migrated_database", "scratch_database"])
def test_nothing_is_asked_where_nothing_was_interrupted(
    request: pytest.FixtureRequest, call: Call, database: str
) -> None:
    request.getfixturevalue(database)
    result = call("repair_domain", "hr", "--resume")
    assert (result.exit_status, result.stdout) == (1, "")
    assert result.stderr == (
        'CommandError: No migration of the domain "hr" was interrupted. See its state with:'
        " manage.py show_domains hr\n"
    )


def test_confirmation_requires_input_or_noinput(migrated_database: str, manage: Manage) -> None:
    result = manage("repair_domain", "hr", "--prune")
    assert result.returncode == 1
    assert "No input; use --noinput to continue without asking." in result.stderr


def test_one_repair_at_a_time(migrated_database: str, manage: Manage) -> None:
    assert manage("repair_domain", "hr", "--prune", "--resume").returncode == 2
    assert manage("repair_domain", "hr").returncode == 2
