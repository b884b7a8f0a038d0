"""The map page: its picture, its lists and its permissions."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from tests.admin.sample_data import member
from tests.support.business import rolled_back, superuser_client
from tests.support.catalog import execute

CROSSING = "ALTER TABLE hr.positions ADD drug bigint CONSTRAINT stray REFERENCES inventory.drugs"


@pytest.fixture(autouse=True)
def rollback(migrated_module_database: str) -> Iterator[None]:
    with rolled_back():
        yield


def page(client: Client) -> str:
    response = client.get(reverse("admin:domain_migrations_map"))
    assert response.status_code == 200
    return response.content.decode()


def picture(text: str) -> str:
    found = re.search(r"<svg[^>]*domain-map.*?</svg>", text, re.DOTALL)
    assert found
    return found[0]


def test_domains_and_lines_are_links() -> None:
    text = page(superuser_client())
    drawn = picture(text)
    assert 'href="/admin/domain_migrations/domain/domain/inventory/"' in drawn
    for fragment in re.findall(r'href="#([^"]+)"', drawn):
        assert f'<ul id="{fragment}"' in text
    assert "hr.assignments.location_id → inventory.Location" in text
    assert " style=" not in text
    assert "<style" not in text


def test_a_violation_is_red_and_has_its_id() -> None:
    execute(CROSSING)
    text = page(superuser_client())
    assert ">B001</text>" in picture(text)
    assert "hr to inventory: 1 violation (B001)</summary>" in text
    assert "The foreign key hr.positions.stray references the table inventory.drugs" in text


def test_a_team_sees_its_own_domain_and_core() -> None:
    execute(CROSSING)
    client = Client()
    client.force_login(member("hr"))
    text = page(client)
    assert re.findall(r'aria-label="Domain (\w+)', picture(text)) == ["hr"]
    assert "finance" not in text
    assert "Violations not drawn as lines" in text
    assert "hr.positions.stray uses something of another domain." in text
    assert "inventory" not in text
    assert 'href="/admin/domain_migrations/domain/domain/core/"' not in text


def test_map_needs_a_visible_domain() -> None:
    client = Client()
    client.force_login(member())
    assert client.get(reverse("admin:domain_migrations_map")).status_code == 403


def test_lists_are_shown_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    text = page(superuser_client())
    assert "pip install &#x27;pygraphviz&gt;=2&#x27;" in text
    assert "hr to inventory: 1 reference by id</summary>" in text


def test_site_root_redirects_to_the_admin() -> None:
    response = superuser_client().get("/")
    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")
