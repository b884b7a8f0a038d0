"""What is shown of an object of another domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from ..fields import DomainReference


def link(pk: Any, found: Model | None) -> str:
    """Return a link to the object's admin page; its text or its id alone where there is none."""
    if found is None:
        return "" if pk is None else not_found(pk)
    options = found._meta
    try:
        url = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[pk])
    except NoReverseMatch:
        return str(found)
    return format_html('<a href="{}">{}</a>', url, found)


def not_found(pk: Any) -> str:
    """Return what is shown of an object that is gone."""
    return f"{pk} (not found)"


def column(field: DomainReference) -> Callable[[Model], str]:
    """Return what ``list_display`` and ``readonly_fields`` take, to show the link."""
    title = str(field.verbose_name).removesuffix(" id")

    @admin.display(description=title, ordering=field.name, empty_value=None)
    def show(obj: Model) -> str:
        return link(field.get_id(obj), getattr(obj, field.accessor_name))

    show.__name__ = field.name
    return show
