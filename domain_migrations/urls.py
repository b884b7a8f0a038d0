"""URLs to include in a project: ``path("", include("domain_migrations.urls"))``."""

from __future__ import annotations

from django.urls import path

from .views import readiness

app_name = "domain_migrations"
urlpatterns = [
    path("ready/", readiness, name="ready"),
    # Django's redirect to the slash would count as an answer with some probes.
    path("ready", readiness),
]
