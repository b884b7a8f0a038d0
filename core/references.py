"""Rows of another domain, known by their id and resolved in code.

No domain imports another, and no foreign key crosses: a domain stores the id and asks here, by
the model's name. Where the other domain is not installed, or the row is gone, there is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html


def resolve(model: str, ids: Iterable[Any]) -> dict[Any, Model]:
    """Return the rows with these ids, by id, in one query; ``model`` as in "inventory.Location"."""
    wanted = {pk for pk in ids if pk is not None}
    try:
        manager = apps.get_model(model)._default_manager
    except LookupError:
        return {}
    return manager.in_bulk(wanted) if wanted else {}


def admin_link(model: str, pk: Any, row: Model | None) -> str:
    """Return a link to the row's admin page; its id alone where there is no row or no page."""
    if row is None:
        return "" if pk is None else str(pk)
    app_label, _, name = model.partition(".")
    try:
        url = reverse(f"admin:{app_label}_{name.lower()}_change", args=[pk])
    except NoReverseMatch:
        return str(row)
    return format_html('<a href="{}">{}</a>', url, row)
