"""The one rule: a domain may use itself and core; core uses only itself."""

from __future__ import annotations

from ...domains import CORE, Domain


def may_depend_on(domain: Domain, other: Domain) -> bool:
    """Return whether something of ``domain`` may refer to something of ``other``."""
    return other.name == domain.name or other.is_core


def violation_clause(domain: Domain, other: Domain) -> str:
    """Return the rule as a clause for a message, for a pair that may not be."""
    if domain.is_core:
        return f'core uses no domain, and it belongs to the domain "{other.name}"'
    return f'it belongs to the domain "{other.name}"'


DOMAIN_DEPENDS = (
    "A domain uses itself and core, nothing else: keep the other's id and resolve it in code,"
    " or share the table in core."
)


CORE_DEPENDS = (
    "Core uses no domain: move what both need to core, or do it in the domain's migration."
)


def owner_clause(owner: Domain | None) -> str:
    """Return a clause about the owner of a schema."""
    if owner is None:
        return "which belongs to no domain"
    if owner.name == CORE:
        return "which belongs to core"
    return f'which belongs to the domain "{owner.name}"'
