"""Filters and tags of the engine's admin pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def seconds(value: float | None) -> str:
    """Return a duration for people: milliseconds below a second, then seconds, then minutes."""
    if value is None:
        return ""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 120:
        return f"{value:.1f} s"
    return f"{int(value // 60)} min {int(value % 60)} s"


@register.simple_tag
def migration_link(domain: str, app: str, name: str) -> SafeString:
    """Return a migration's name as a link to its page, except a name that no file can have."""
    view, arguments = "admin:domain_migrations_migration", (domain, app, name)
    try:
        return format_html('<a href="{}">{}.{}</a>', reverse(view, args=arguments), app, name)
    except NoReverseMatch:
        return format_html("{}.{}", app, name)


@register.simple_tag(takes_context=True)
def page_url(context: Any, number: int) -> str:
    """Return this page's own address with another page number; the filter stays."""
    query = context["request"].GET.copy()
    query["page"] = str(number)
    return f"?{query.urlencode()}"
