from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from tests.admin.landscape import FAILED, RUN, names
from tests.support.business import superuser_client


def url(page: str, **arguments: str) -> str:
    return reverse(f"admin:domain_migrations_{page}", kwargs=arguments)


@pytest.fixture
def client(landscape: str) -> Client:
    return superuser_client()


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.status_code
    return re.sub(r"\s+", " ", response.content.decode())


def test_smoke(client):
    from pathlib import Path

    for n, a in enumerate(
        [
            url("domain_changelist"),
            url("detail", name="hr"),
            url("detail", name="core"),
            url("journal"),
            url("run", run=RUN),
            url("migration", name="hr", app="hr", migration=names("hr")[0]),
            url("migration", name="inventory", app="inventory", migration="0001_initial"),
            url("migration", name="hr", app="hr", migration="0099_gone"),
        ]
    ):
        t = text(client, a)
        Path(f"/tmp/team/admin-{n}.html").write_text(t)
        assert "alert(1)</script>" not in t
