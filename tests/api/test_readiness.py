"""The readiness view: what counts, what it costs, and what it tells to whom."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connections, transaction
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from domain_migrations.api.readiness import check_readiness
from tests.support.catalog import execute, schemas, tables
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations

Call = Callable[..., Result]
EMPTY = "class Migration(migrations.Migration):\n    {}\n    dependencies = [{}]\n"
FIRST = EMPTY.format("initial = True", "")
SECOND = EMPTY.format("", '("hr", "0001_initial")')
THIRD = EMPTY.format('stage = "after"', '("hr", "0002_more")')
HISTORIES = (
    ("public", "django_migrations"),
    ("inventory", "django_migrations_inventory"),
    ("finance", "django_migrations_finance"),
)
RELEASE = {"0001_initial": FIRST, "0002_more": SECOND, "0003_less": THIRD}


def get_readiness(query: str = "", **headers: str) -> tuple[int, Any]:
    response = Client(headers=headers).get(f"/ready/{query}")
    assert response.headers["Cache-Control"] == (
        "max-age=0, no-cache, no-store, must-revalidate, private"
    )
    assert "Vary" not in response.headers or "Cookie" not in response.headers["Vary"]
    assert not response.cookies
    return response.status_code, response.json()


def hr(answer: Any) -> dict[str, Any]:
    return next(domain for domain in answer["domains"] if domain["domain"] == "hr")


def test_everything_is_applied(migrated_module_database: str) -> None:
    status, answer = get_readiness()
    assert status == 200
    assert answer == {
        "format": 1,
        "ready": True,
        "domains": [
            {"domain": name, "ready": True, "before": 0, "after": 0, "unknown": 0, "error": None}
            for name in ("core", "inventory", "hr", "finance")
        ],
    }


def test_only_pending_before_migrations_count(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    execute("CREATE TABLE public.django_migrations_hr (id int, app text, name text, applied date)")
    execute("INSERT INTO public.django_migrations_hr VALUES (1, 'hr', '0001_initial', now())")
    with hr_migrations.release(RELEASE):
        status, answer = get_readiness("?domain=hr")
        assert (status, answer["ready"]) == (503, False)
        assert answer["domains"] == [
            {"domain": "hr", "ready": False, "before": 2, "after": 1, "unknown": 0, "error": None}
        ]
        assert get_readiness()[0] == 503
        assert get_readiness("?domain=core&domain=inventory,finance")[0] == 200
        assert call("migrate_domain", "hr", "--stage", "before").exit_status == 0
        status, answer = get_readiness("?domain=hr")
        assert (status, hr(answer)["before"], hr(answer)["after"]) == (200, 0, 1)
        assert call("migrate_domain", "hr", "--stage", "after").exit_status == 0
        assert hr(get_readiness()[1])["after"] == 0
    with hr_migrations.release({"0001_initial": FIRST}):
        status, answer = get_readiness("?domain=hr")
        assert (status, hr(answer)["unknown"]) == (200, 2)


def test_squashed_migrations_count_as_the_ones_they_replace(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    with hr_migrations.release({"0001_initial": FIRST, "0002_more": SECOND}):
        assert call("migrate_domain", "hr").exit_status == 0
    replaces = 'replaces = [("hr", "0001_initial"), ("hr", "0002_more")]'
    with hr_migrations.release({"0001_squashed": EMPTY.format(replaces, "")}):
        assert get_readiness("?domain=hr")[0] == 200
        execute("DELETE FROM hr.django_migrations_hr")
        status, answer = get_readiness("?domain=hr")
        assert (status, hr(answer)["before"]) == (503, 1)


def test_rows_in_the_history_of_core_do_not_count(hr_migrations: TemporaryMigrations) -> None:
    execute(
        "INSERT INTO public.django_migrations (app, name, applied)"
        " VALUES ('hr', '0001_initial', now())"
    )
    with hr_migrations.release({"0001_initial": FIRST}):
        status, answer = get_readiness("?domain=hr,core")
        assert (status, hr(answer)["before"]) == (503, 1)


def test_a_file_that_changes_is_read_again(hr_migrations: TemporaryMigrations) -> None:
    with hr_migrations.release({"0001_initial": FIRST}) as package:
        assert get_readiness("?domain=hr")[0] == 503
        path = package / "0001_initial.py"
        path.write_text(path.read_text() + '    stage = "after"\n')
        assert get_readiness("?domain=hr")[0] == 200
        path.write_text(path.read_text().replace('"after"', '"befor"'))
        os.utime(path, ns=(1, 1))
        assert get_readiness("?domain=hr")[0] == 503


@pytest.mark.parametrize("source", ["def", "stage = 'after'; class", 'x = "stage\0"'])
def test_a_broken_migration_file_makes_the_domain_unready(
    hr_migrations: TemporaryMigrations, source: str
) -> None:
    with hr_migrations.release({"0001_initial": source}):
        assert get_readiness("?domain=hr")[0] == 503


def test_no_migration_is_imported(hr_migrations: TemporaryMigrations) -> None:
    before = {name for name in sys.modules if ".migrations." in name}
    with hr_migrations.release(RELEASE) as package:
        assert get_readiness()[0] == 503
        assert [name for name in sys.modules if name.startswith(package.name)] == []
    assert {name for name in sys.modules if ".migrations." in name} == before


def test_no_migration_is_imported__by_a_new_process(
    migrated_module_database: str, manage: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    source = (
        "import sys; from django.test import Client; r = Client().get('/ready/');"
        "print(r.status_code, [n for n in sys.modules if '.migrations.' in n"
        " and n.partition('.')[0] != 'django' and n.rpartition('.')[2][0].isdigit()])"
    )
    result = manage("shell", "-v", "0", "-c", source, ALLOWED_HOSTS="testserver")
    assert result.stdout.splitlines()[-1:] == ["200 []"], result.stderr


def test_one_query(migrated_module_database: str) -> None:
    with CaptureQueriesContext(connections["default"]) as queries:
        assert get_readiness()[0] == 200
    assert len(queries) == 1


BAD = {
    "no name": "ALTER TABLE hr.django_migrations_hr DROP COLUMN name",
    "no privilege": "REVOKE SELECT ON hr.django_migrations_hr FROM {role}",
}


@pytest.mark.parametrize("bad", BAD)
def test_a_table_that_cannot_be_read_is_its_own_domains_fault(
    migrated_database: str, bad: str
) -> None:
    execute("CREATE TABLE public.django_migrations_hr (id int, app text, name text, applied date)")
    role = f"reader_{os.getpid()}"
    execute(f"CREATE ROLE {role}")
    for schema, table in (*HISTORIES, ("hr", "django_migrations_hr")):
        execute(
            f"GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON {schema}.{table} TO {role}"
        )
    execute(BAD[bad].format(role=role))
    execute(f"SET ROLE {role}")
    try:
        answers = {domain.domain: domain for domain in check_readiness().domains}
        with transaction.atomic():
            assert check_readiness().domains == tuple(answers.values())
            execute("SELECT 1")
        status, answer = get_readiness()
    finally:
        execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")
    assert {name: domain.ready for name, domain in answers.items()} == {
        "core": True,
        "inventory": True,
        "hr": False,
        "finance": True,
    }
    error = answers["hr"].error
    assert error is not None
    code = "privilege" if bad == "no privilege" else "changed_table"
    assert (error.code, hr(answer)["error"], status) == (code, {"code": code}, 503)


def test_columns_of_other_types_can_be_read(migrated_database: str) -> None:
    execute("ALTER TABLE hr.django_migrations_hr ALTER COLUMN applied TYPE text")
    execute("ALTER TABLE finance.django_migrations_finance ADD COLUMN note text")
    assert get_readiness()[0] == 200


def test_on_an_empty_database(scratch_database: str) -> None:
    status, answer = get_readiness()
    assert status == 503
    assert all(domain["before"] > 0 for domain in answer["domains"])
    assert schemas() == ["public"]
    assert tables("public") == set()


def test_inside_a_transaction(scratch_database: str) -> None:
    """A missing table leaves the caller's transaction alone."""
    with transaction.atomic():
        assert not check_readiness().ready
        execute("SELECT 1")


def test_the_database_is_down(migrated_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connections["default"].close()
    monkeypatch.setitem(connections["default"].settings_dict, "HOST", "/nowhere")
    status, answer = get_readiness("?domain=hr")
    assert status == 503
    unknown = {"before": None, "after": None, "unknown": None}
    assert answer["domains"] == [
        {"domain": "hr", "ready": False, **unknown, "error": {"code": "connection"}}
    ]


def test_the_database_is_down__with_a_transaction_for_each_request(
    migrated_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections["default"].close()
    monkeypatch.setitem(connections["default"].settings_dict, "HOST", "/nowhere")
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)
    assert get_readiness("?domain=hr")[0] == 503


def test_one_of_two_databases_is_missing(migrated_module_database: str) -> None:
    with override_settings(DOMAIN_MIGRATIONS={"DATABASES": {"finance": "elsewhere"}}):
        status, answer = get_readiness()
    assert status == 503
    assert {domain["domain"]: domain["error"] for domain in answer["domains"]} == {
        "core": None,
        "inventory": None,
        "hr": None,
        "finance": {"code": "invalid_configuration"},
    }


def test_unknown_domain(migrated_module_database: str) -> None:
    assert get_readiness("?domain=hrr") == (
        404,
        {"format": 1, "ready": False, "error": {"code": "unknown_domain"}},
    )


TOKEN = {"READINESS_TOKEN": "s3cret", **settings.DOMAIN_MIGRATIONS}


def test_names_are_for_who_shows_the_token(hr_migrations: TemporaryMigrations) -> None:
    with hr_migrations.release(RELEASE), override_settings(DOMAIN_MIGRATIONS=TOKEN):
        for header in ("Bearer wrong", "Bearer ", "", "s3cret", "Bearer s3crét"):
            assert "names" not in hr(get_readiness("?domain=hr", authorization=header)[1])
        shown = hr(get_readiness("?domain=hr", authorization="Bearer s3cret")[1])["names"]
        assert shown == {
            "before": [
                {"app": "hr", "name": "0001_initial"},
                {"app": "hr", "name": "0002_more"},
            ],
            "after": [{"app": "hr", "name": "0003_less"}],
            "unknown": [],
        }
        error = get_readiness("?domain=hrr", authorization="Bearer s3cret")[1]["error"]
        assert error["message"] == 'There is no domain "hrr". Did you mean "hr"?'


def test_names_are_hidden_when_no_token_is_set(hr_migrations: TemporaryMigrations) -> None:
    with hr_migrations.release(RELEASE):
        assert "names" not in hr(get_readiness("?domain=hr", authorization="Bearer ")[1])


def test_ready_domains(hr_migrations: TemporaryMigrations) -> None:
    chosen = {"READINESS_DOMAINS": ["core", "finance"]}
    with hr_migrations.release(RELEASE), override_settings(DOMAIN_MIGRATIONS=chosen):
        assert [domain["domain"] for domain in get_readiness()[1]["domains"]] == ["core", "finance"]
        assert get_readiness()[0] == 200
        assert get_readiness("?domain=hr")[0] == 503


@override_settings(DOMAIN_MIGRATIONS={"NONE_OF_OURS": 1})
def test_wrong_settings_are_not_ready() -> None:
    assert get_readiness() == (
        503,
        {"format": 1, "ready": False, "error": {"code": "invalid_configuration"}},
    )


def test_without_a_slash(migrated_module_database: str) -> None:
    """A redirect would be taken for readiness."""
    assert Client().get("/ready").status_code == 200


def test_methods(migrated_module_database: str) -> None:
    client = Client()
    head = client.head("/ready/")
    assert (head.status_code, head.content) == (200, b"")
    for method in ("post", "put", "delete", "patch", "options"):
        response = getattr(client, method)("/ready/")
        assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
