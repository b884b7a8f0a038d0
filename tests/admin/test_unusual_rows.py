"""Rows that this version of the engine has not written: pages and commands show what they can."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from tests.support.business import rolled_back, superuser_client
from tests.support.catalog import execute
from tests.support.commands import call

HISTORY = "hr.django_migrations_hr"
LATEST = f"id = (SELECT max(id) FROM {HISTORY})"
RUN = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"
ROW = {
    "direction": "forwards",
    "status": "done",
    "app": "hr",
    "name": "0001_initial",
    "details": "{}",
    "footprint": "{}",
    "started": "2026-11-22 10:00+00",
    "seconds": "1",
}


@pytest.fixture(autouse=True)
def migrated(migrated_module_database: str) -> Iterator[None]:
    with rolled_back():
        yield


def add_row(**values: str) -> None:
    row = {**ROW, **values}
    if row["direction"] in ("run", "verify"):
        row |= {"app": "", "name": ""}
    execute(
        f"INSERT INTO {HISTORY}_journal (run, batch, checksum, os_user, host, project_version,"
        f" engine_version, django_version, error, sqlstate, {', '.join(row)})"
        f" VALUES ('{RUN}', 9, '', '', '', '', '', '', '', '', {', '.join(['%s'] * len(row))})",
        *row.values(),
    )


def check_pages(*, run: bool = False) -> list[str]:
    client = superuser_client()
    addresses = [
        reverse("admin:domain_migrations_domain_changelist"),
        reverse("admin:domain_migrations_detail", args=["hr"]),
        reverse("admin:domain_migrations_migration", args=["hr", "hr", "0001_initial"]),
        reverse("admin:domain_migrations_journal"),
        *([reverse("admin:domain_migrations_run", args=[RUN])] if run else []),
    ]
    pages = [client.get(address) for address in addresses]
    assert [page.status_code for page in pages] == [200] * len(addresses)
    return [page.content.decode() for page in pages]


def check_commands() -> None:
    for arguments, options in (
        (["show_domains", "hr"], {"verbosity": 2}),
        (["show_domains"], {"format": "json"}),
        (["showmigrations", "hr"], {"verbosity": 2}),
        (["showmigrations", "hr"], {"verbosity": 2, "plan": True}),
        (["migrate_domain", "hr"], {"rollback": 1, "plan": True}),
        (["verify_domain", "hr"], {"only": ["history,checksum"]}),
    ):
        error = call(*arguments, **options).error
        assert error is None or hasattr(error, "returncode"), error


@pytest.mark.parametrize("time", ["NULL", "'infinity'", "'-infinity'", "'0044-03-15 BC'"])
def test_history_without_a_usable_time(time: str) -> None:
    execute(f"ALTER TABLE {HISTORY} ALTER applied DROP NOT NULL")
    execute(f"UPDATE {HISTORY} SET applied = {time} WHERE {LATEST}")
    check_commands()
    check_pages()
    shown = call("show_domains", "hr", verbosity=2).stdout.splitlines()
    assert shown[-1] == "  [X] hr.0013_alter_verbose_names (at an unknown time)"
    assert " [X] 0013_alter_verbose_names\n" in call("showmigrations", "hr", verbosity=2).stdout
    execute(f"UPDATE {HISTORY} SET applied = {time}")
    assert "last change at an unknown time" in call("show_domains", "hr").stdout


@pytest.mark.parametrize(
    "values",
    [
        {"details": "[]"},
        {"details": "5"},
        {"details": "null"},
        {"details": '{"snapshot": 5}'},
        {"details": '{"finished": "x", "deferred": null}', "status": "running"},
        {"details": '{"finished": -1, "deferred": [1, null]}', "status": "running"},
        {"details": "null", "status": "running"},
        {"details": '{"finished": 99}', "status": "running"},
        {"details": "[]", "direction": "verify", "status": "failed"},
        {"details": "{}", "direction": "verify", "status": "failed"},
        {"details": '{"kinds": 1, "count": "x", "findings": [1]}', "direction": "verify"},
        {"details": '{"findings": [{"id": "X1", "new": 1}]}', "direction": "verify"},
        {"footprint": "[1]"},
        {"footprint": '{"hr.a": {"b": 1}, "c": null}'},
        {"started": "infinity"},
        {"started": "-infinity", "direction": "run"},
        {"seconds": "NaN"},
        {"seconds": "Infinity", "direction": "run"},
        {"seconds": "1e300"},
        {"seconds": "-5"},
        {"status": "paused"},
        {"status": "paused", "direction": "run"},
        {"direction": "sideways"},
        {"app": "", "name": ""},
        {"name": "a/b"},
    ],
    ids=str,
)
def test_journal_row_of_another_version(values: dict[str, Any]) -> None:
    add_row(**values)
    check_commands()
    check_pages(run=True)


def test_name_that_no_file_can_have_is_no_link() -> None:
    execute(f"INSERT INTO {HISTORY} (app, name, applied) VALUES ('hr', 'a/b', now())")
    _, domain, *_ = check_pages()
    assert 'data-label="Migration">hr.a/b</th>' in domain


def test_stored_finding_of_another_version_is_shown() -> None:
    details = '{"findings": [{"id": "X1", "object": "hr.odd", "new": 1}], "count": 7}'
    add_row(details=details, direction="verify", status="failed")
    overview, domain, *_ = check_pages()
    assert "7 findings" in overview
    assert "<strong>X1</strong> hr.odd" in domain


def test_journal_of_another_shape_is_a_problem_on_the_page() -> None:
    execute(f"ALTER TABLE {HISTORY}_journal DROP COLUMN sqlstate")
    client = superuser_client()
    for page, arguments in (("detail", ["hr"]), ("migration", ["hr", "hr", "0001_initial"])):
        with transaction.atomic():
            response = client.get(reverse(f"admin:domain_migrations_{page}", args=arguments))
            transaction.set_rollback(True)
        assert response.status_code == 200
        assert "lacks the column &quot;sqlstate&quot;" in response.content.decode()
