"""Every answer of the project has a policy."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings

from config.middleware import HEADER, content_security, content_security_policy


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/admin/login/", 200),
        ("/admin/", 302),
        ("/admin/domain_migrations/domain/", 302),
        ("/nowhere/", 404),
        ("/", 302),
    ],
)
def test_django_s_own_answers_have_a_policy(address: str, status: int) -> None:
    response = Client().get(address)
    assert response.status_code == status
    assert response.headers[HEADER] == content_security_policy()


def test_pages_about_errors_for_developers_are_as_django_makes_them() -> None:
    with override_settings(DEBUG=True):
        assert HEADER not in Client().get("/nowhere/").headers
        assert HEADER in Client().get("/admin/login/").headers


def test_policy_of_a_view_stays() -> None:
    def view(_: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={HEADER: "default-src 'self'"})

    assert content_security(view)(HttpRequest()).headers[HEADER] == "default-src 'self'"
