"""References to objects of other domains: resolved in bulk, and searched and linked in the admin.

The classes for the admin are in :mod:`domain_migrations.references.admin`.
"""

from __future__ import annotations

from .resolution import references_of, resolve

__all__ = ["references_of", "resolve"]
