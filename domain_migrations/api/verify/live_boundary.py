"""Cross-domain references in a live database, past the checks of models and the guard.

Nothing is written, and no table needs to be readable.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, get_domains
from ...engine.boundary.recorded_references import crossings
from ...engine.boundary.schema_owners import SchemaOwners
from ...engine.messages import Finding
from .function_bodies import CrossDomainFinding, textual_references


def boundary_findings(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield the references that cross the domain's boundary, in either direction.

    A finding's ``domain`` is the one that breaks the rule, so verifying two domains finds a
    reference between them twice, as equal values.
    """
    for finding, used in cross_domain_findings(connection):
        if domain.name == finding.domain or domain == used:
            yield finding


def cross_domain_findings(connection: BaseDatabaseWrapper) -> Iterator[CrossDomainFinding]:
    """Yield each cross-domain reference once, with the domain that is used."""
    owners = SchemaOwners(get_domains()[0])
    owners.read(connection)
    for crossing in crossings(connection, owners):
        yield crossing.finding, crossing.used
    yield from textual_references(connection, owners)
