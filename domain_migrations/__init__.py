"""Schema-per-domain database migrations for Django on PostgreSQL."""

from __future__ import annotations

__version__ = "0.1.0"
