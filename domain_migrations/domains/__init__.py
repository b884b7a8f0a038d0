"""Domains, and the domain that an app or a model belongs to."""

from __future__ import annotations

from .domain import (
    CORE,
    CORE_SCHEMA,
    MAX_NAME_BYTES,
    Domain,
    DomainConfig,
    QualifiedName,
    domain_of,
    get_domain,
    get_domains,
    unknown_domain,
)

__all__ = (
    "CORE",
    "CORE_SCHEMA",
    "MAX_NAME_BYTES",
    "Domain",
    "DomainConfig",
    "QualifiedName",
    "domain_of",
    "get_domain",
    "get_domains",
    "unknown_domain",
)
