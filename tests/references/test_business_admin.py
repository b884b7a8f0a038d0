"""All admin pages of the business models: search, filters and the number of queries."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import ForeignKey
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from domain_migrations.fields import DomainReference
from domain_migrations.references.admin import DomainReferenceAdmin
from inventory.models import PurchaseOrderItem
from tests.support.business import (
    admin_models,
    admin_url,
    count_queries,
    make_user,
    rolled_back,
    superuser_client,
)
from tests.support.row_helpers import fill, without_rules

DOMAINS = ("core", "inventory", "hr", "finance")
MODELS = list(chain.from_iterable(map(admin_models, DOMAINS)))
NO_FILTER = {"core.Role", "core.Permission", "inventory.DosageForm", "inventory.DrugUnit"}
NO_FILTER |= {"inventory.BudgetType", "inventory.BudgetCategory"}
MANY = 3

every = pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)


@pytest.fixture(scope="module")
def no_rules(migrated_module_database: str) -> Iterator[None]:
    with without_rules():
        yield


@pytest.fixture
def client(no_rules: None) -> Iterator[Client]:
    with rolled_back():
        yield superuser_client()


@every
def test_pages_are_usable(model: type) -> None:
    page = admin.site._registry[model]
    label = model._meta.label
    assert page.search_fields, label
    assert page.list_display != ("__str__",), label
    assert page.list_filter or label in NO_FILTER, label


@every
def test_references_are_searched_for(client: Client, model: type, rf: RequestFactory) -> None:
    """A select with all rows of the other table would be read for each inline row."""
    page = admin.site._registry[model]
    request = rf.get("/")
    request.user = make_user(is_superuser=True, is_staff=True)
    if not page.has_change_permission(request):
        return
    for each in (page, *(inline(model, admin.site) for inline in page.inlines)):
        offered = [
            field.name
            for field in each.model._meta.local_fields
            if isinstance(field, ForeignKey)
            and field.editable
            and field.remote_field.model is not model
            and field.name not in (*each.readonly_fields, *each.autocomplete_fields)
        ]
        assert not each.has_change_permission(request) or offered == [], each


@every
def test_references_to_other_domains_are_links(model: type) -> None:
    if any(isinstance(field, DomainReference) for field in model._meta.fields):
        assert isinstance(admin.site._registry[model], DomainReferenceAdmin)


@every
def test_a_list_takes_as_many_queries_when_it_is_long(client: Client, model: type) -> None:
    fill(model, 1)
    url = admin_url(model, "changelist")
    count_queries(client, url)
    few = count_queries(client, url)
    fill(model, MANY)
    assert count_queries(client, url) == few
    assert few < 25


@pytest.mark.parametrize(
    "model",
    [model for model in MODELS if model._meta.managed],
    ids=lambda model: model._meta.label,
)
def test_a_page_takes_as_many_queries_with_many_rows_in_it(client: Client, model: type) -> None:
    rows = fill(model, 1)
    page = admin.site._registry[model]
    url = admin_url(model, "change", rows[0].pk)
    keys = {
        inline.model: next(
            field.name
            for field in inline.model._meta.local_fields
            if field.remote_field
            and field.remote_field.model is model
            and field.name == (inline.fk_name or field.name)
        )
        for inline in page.inlines
    }
    for inline, key in keys.items():
        fill(inline, 1, **{key: rows[0]})
    count_queries(client, url)
    few = count_queries(client, url)
    for inline, key in keys.items():
        fill(inline, MANY, **{key: rows[0]})
    assert count_queries(client, url) == few


def test_ordered_items_are_found_by_their_text(client: Client) -> None:
    def search() -> list[str]:
        parameters = {"app_label": "inventory", "model_name": "receiptitem"}
        parameters |= {"field_name": "order_item", "term": "x"}
        answer = client.get("/admin/autocomplete/", parameters).json()
        return [found["text"] for found in answer["results"]]

    [item] = fill(PurchaseOrderItem, 1)
    text = f"{item.packs} packs of {item.drug.trade_name} ({item.order.number})"
    assert search() == [text]
    with CaptureQueriesContext(connection) as few:
        search()
    fill(PurchaseOrderItem, MANY)
    with CaptureQueriesContext(connection) as many:
        assert len(search()) == MANY + 1
    assert len(many) == len(few)
