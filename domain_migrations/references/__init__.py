"""References to objects of other domains.

The admin classes are in :mod:`domain_migrations.references.admin`.
"""

from __future__ import annotations

from .resolution import all_references, resolve

__all__ = ["all_references", "resolve"]
