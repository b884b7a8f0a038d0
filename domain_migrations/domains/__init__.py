"""Domains, and the domain that an app or a model belongs to."""

from __future__ import annotations

from .domain import (
    CORE,
    CORE_SCHEMA,
    MAX_NAME_BYTES,
    Domain,
    DomainConfig,
    QualifiedName,
    get_domain,
    get_domain_for,
    get_domains,
    unknown_domain_error,
)

__all__ = (
    "CORE",
    "CORE_SCHEMA",
    "MAX_NAME_BYTES",
    "Domain",
    "DomainConfig",
    "QualifiedName",
    "get_domain",
    "get_domain_for",
    "get_domains",
    "unknown_domain_error",
)
