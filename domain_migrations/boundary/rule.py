"""The one rule: a domain may use itself and core; core uses only itself."""

from __future__ import annotations

from ..domains import Domain


def may_use(domain: Domain, other: Domain) -> bool:
    """Return whether something of ``domain`` may refer to something of ``other``."""
    return other.name == domain.name or other.is_core


def why_not(domain: Domain, other: Domain) -> str:
    """Return the rule as a clause for a message, for a pair that may not be."""
    if domain.is_core:
        return f'core uses no domain, and it belongs to the domain "{other.name}"'
    return f'it belongs to the domain "{other.name}"'
