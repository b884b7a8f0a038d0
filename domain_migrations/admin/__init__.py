"""The engine's admin pages: the state of every domain and the journal of every run.

The pages only read. Installing the app is enough: ``admin.autodiscover`` finds this package.
"""

from __future__ import annotations

from django.contrib import admin

from ..models import Domain
from .site import DomainAdmin

admin.site.register(Domain, DomainAdmin)

__all__ = ["DomainAdmin"]
