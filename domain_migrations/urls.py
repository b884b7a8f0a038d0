"""URLs to include in a project: ``path("", include("domain_migrations.urls"))``."""

from __future__ import annotations

from django.urls import path

from .views import readiness

app_name = "domain_migrations"
urlpatterns = [
    path("ready/", readiness, name="ready"),
    # Some probes would treat Django's redirect to the slash as success.
    path("ready", readiness),
]
