"""References to objects of other domains: resolved in bulk, and searched and linked in the admin.

The classes for the admin are in :mod:`domain_migrations.references.admin`.
"""

from __future__ import annotations

from .resolution import all_references, resolve

__all__ = ["all_references", "resolve"]
