"""Helpers for tests of the business apps: rollbacks, users, admin pages and query counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from django.contrib import admin
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import CostCentre, User

_numbers = count(1)


@contextmanager
def rolled_back() -> Iterator[None]:
    """Open a transaction that is rolled back at the end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def check_deferred() -> None:
    """Run the deferred checks now; raise what the commit would raise."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def make_user(**fields: Any) -> User:
    number = next(_numbers)
    return User.objects.create(**{"username": f"somchai{number}", **fields})


def make_cost_centre(**fields: Any) -> CostCentre:
    number = next(_numbers)
    names = {"name_en": f"Ward {number}", "name_th": f"หอผู้ป่วย {number}"}
    return CostCentre.objects.create(**{"code": f"WARD-{number}", **names, **fields})


def superuser_client() -> Client:
    client = Client()
    client.force_login(make_user(is_staff=True, is_superuser=True))
    return client


def admin_models(app_label: str) -> list[Any]:
    """Return the models of an app that have admin pages."""
    return [model for model in admin.site._registry if model._meta.app_label == app_label]


def admin_url(model: Any, page: str, *arguments: Any) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=arguments)


def count_queries(client: Client, url: str) -> int:
    """Return the number of queries of a page, which must exist."""
    with CaptureQueriesContext(connections["default"]) as queries:
        response = client.get(url)
    assert response.status_code == 200, response.status_code
    return len(queries)
