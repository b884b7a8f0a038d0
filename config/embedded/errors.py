"""Errors of the embedded server."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.db.utils import OperationalError


class EmbeddedServerError(OperationalError):
    """The embedded server did not start, although its folder is usable."""


class EmbeddedServerUnusable(ImproperlyConfigured):
    """The embedded server cannot run here without a change to the machine or the settings."""
