"""What can go wrong with the embedded server."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.db.utils import OperationalError


class EmbeddedServerError(OperationalError):
    """The embedded server did not start, although its folder could be used."""


class EmbeddedServerUnusable(ImproperlyConfigured):
    """The embedded server cannot work here at all, until somebody changes something."""
