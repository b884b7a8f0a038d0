"""The JSON views: their keys, and the permissions that they share with the pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from domain_migrations.exceptions import DatabaseUnavailable
from tests.admin.sample_data import FAILED, RUN, member
from tests.support.business import superuser_client
from tests.support.catalog import HISTORIES
from tests.support.commands import ROOT

pytestmark = pytest.mark.usefixtures("rollback")

VIEWS = ("status", "journal", "map")
DOCUMENTED = (ROOT / "docs/reference/json.md").read_text().partition("## The admin's views\n")[2]


def url(view: str) -> str:
    return reverse(f"admin:domain_migrations_{view}_json")


def answer(client: Client, view: str, **given: str) -> dict[str, Any]:
    response = client.get(url(view), given)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert "no-store" in response.headers["Cache-Control"]
    found: dict[str, Any] = response.json()
    assert found["format"] == 1
    return found


def test_status_has_what_the_overview_has() -> None:
    found = answer(superuser_client(), "status")["domains"]
    assert [domain["domain"] for domain in found] == list(HISTORIES)
    hr = next(domain for domain in found if domain["domain"] == "hr")
    counts = [hr[key] for key in ("state", "applied", "pending", "unknown", "problem")]
    assert counts == ["failed", 12, 2, 1, None]
    assert (hr["last_run"]["run"], hr["last_run"]["status"]) == (RUN, "failed")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", hr["last_run"]["started"])
    assert hr["verified"] is None
    assert hr["bytes"] > 0


def test_journal_takes_the_filter_of_its_page() -> None:
    client = superuser_client()
    found = answer(client, "journal", domain="hr", status="failed", since="soon")
    assert (found["page"], found["has_next"], found["ignored"]) == (1, False, ["since"])
    assert [(run["domain"], run["run"], run["error"]) for run in found["runs"]] == [
        ("hr", RUN, FAILED)
    ]
    assert answer(client, "journal", page="99")["runs"] == []


def test_map_has_the_keys_of_map_domains() -> None:
    found = answer(superuser_client(), "map")
    assert {node["domain"] for node in found["domains"]} == set(HISTORIES)
    assert {edge["kind"] for edge in found["edges"]} >= {"foreign_key"}


def test_staff_get_the_domains_that_they_may_view() -> None:
    client = Client()
    client.force_login(member("hr"))
    assert [domain["domain"] for domain in answer(client, "status")["domains"]] == ["hr"]
    assert {run["domain"] for run in answer(client, "journal")["runs"]} == {"hr"}
    assert answer(client, "journal", domain="finance")["runs"] == []
    core, hr = answer(client, "map")["domains"]
    assert (core["domain"], core["models"], hr["domain"]) == ("core", None, "hr")


def test_a_database_that_is_down_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise DatabaseUnavailable("It is down.", hint="Start it.")

    monkeypatch.setattr("domain_migrations.admin.json_views.map_domains", fail)
    response = superuser_client().get(url("map"))
    assert response.status_code == 503
    error = {"code": "connection", "message": "It is down. Start it."}
    assert response.json() == {"format": 1, "error": error}


@pytest.mark.parametrize("view", VIEWS)
def test_views_need_what_the_pages_need(view: str) -> None:
    staff = Client()
    staff.force_login(member())
    assert staff.get(url(view)).status_code == 403
    assert Client().get(url(view)).status_code == 302
    assert superuser_client().post(url(view)).status_code == 405


@pytest.mark.parametrize("view", VIEWS)
def test_every_key_is_documented(view: str) -> None:
    def keys(value: Any) -> set[str]:
        if isinstance(value, list):
            return set().union(*map(keys, value))
        return set(value).union(*map(keys, value.values())) if isinstance(value, dict) else set()

    found = keys(answer(superuser_client(), view))
    if view == "map":  # The command's own section has the others.
        found &= {"format"}
    assert {key for key in found if f'"{key}"' not in DOCUMENTED} == set()
