"""The rule, looked at in a live database: what got in past the models and the guard.

Nothing is written, and no table needs to be readable but core's history.

======  ========================================================================================
id      found
======  ========================================================================================
B001    a foreign key to another domain's table, or from core to a domain's
B002    a view over another domain's objects
B003    a materialized view over them
B004    a trigger that runs another domain's function
B005    a column's default that uses another domain's sequence or function
B006    a generated column that uses them
B007    a column, table or type made of another domain's type
B008    a table that inherits from another domain's
B009    a partition of another domain's table
B010    a rule that uses another domain's objects
B011    a policy that uses them
B012    a sequence owned by a column of another domain
B013    a function that uses them, as PostgreSQL has recorded
B014    a function that names them in its text ("textual"), or in its search_path
B015    a constraint or index that uses another domain's function or type
B016    any other recorded dependency on another domain: an operator, statistics, a collation …
B017    a function whose text may name another domain, but could not be read
L001    a table in core's schema with the name of a domain's table
L002    a table in a domain's schema that no model has
L003    rows of a domain in core's history
L004    a migration that depends on another domain's
L005    an index left invalid
L006    a constraint left unvalidated
======  ========================================================================================

Ids are never used again for something else. A schema that no domain owns counts as core's.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ...engine.boundary.schema_owners import Owners
from .finding import Crossing, Finding
from .functions import textual_references
from .leftovers import leftovers
from .recorded_dependencies import recorded_references

__all__ = ["Crossing", "Finding", "boundary_findings", "cross_domain_findings", "leftover_findings"]


def boundary_findings(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield what crosses the domain's boundary, from inside or from outside.

    A finding's ``domain`` is the one that breaks the rule, so looking at all domains finds a
    crossing between two of them twice, in equal values.
    """
    for finding, used in cross_domain_findings(connection):
        if domain.name == finding.domain or domain == used:
            yield finding


def cross_domain_findings(connection: BaseDatabaseWrapper) -> Iterator[Crossing]:
    """Yield everything that crosses a boundary, once, and the domain that it leads to."""
    owners = Owners(connection)
    for look in (recorded_references, textual_references):
        yield from look(connection, owners)


def leftover_findings(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield what was left behind in the domain, or elsewhere in its name."""
    yield from leftovers(connection, domain)
