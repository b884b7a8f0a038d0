"""The repair of a domain: what its migrations make, compared with what the database has."""

from __future__ import annotations

from collections.abc import Container, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ...engine.alterations.changes import Change, schema_changes
from ...engine.alterations.definition import SchemaDefinition
from ...engine.catalog import drift_ids as ids
from ...engine.catalog.compat_views import compat_view_names
from ...engine.messages import Finding
from ...engine.snapshots.inspected_catalog import domain_histories, recorded_histories
from .applied import applied_keys
from .expected_schema import expected_schema
from .recorded_history import tolerant_loader
from .repair_findings import plain
from .repair_script import RepairScript
from .repair_sql import make_script
from .row_facts import RowFacts

LEFT_TO_OTHERS = "U" + ids.EXTRA_TABLE
"""The id of a table without a model, which the migrations may have created all the same."""


def repair_domain(
    connection: BaseDatabaseWrapper,
    domain: Domain,
    findings: Sequence[Finding],
    accepted: Sequence[Finding],
) -> RepairScript:
    """Return the SQL that makes the schema what the applied migrations make; nothing is changed.

    Arguments:
        findings: what was found in the domain, also for information only.
        accepted: what was found and accepted; it stays as it is.

    Raises:
        InsufficientPrivilege: the role may not create databases.
        MigrationFailed: the migrations cannot be applied to an empty database.
    """
    wrong = [finding for finding in findings if not finding.is_unmanaged]
    loader = tolerant_loader(connection, domain)
    migrations = set() if isinstance(loader, Finding) else applied_keys(loader)
    if isinstance(loader, Finding) or not any(app in domain.app_labels for app, _ in migrations):
        # Without a history, or migrations that can be loaded, nothing is known.
        return RepairScript(domain, connection.alias, unrepaired=tuple(wrong))
    own = [table.name for table in domain.engine_tables]
    own += compat_view_names(connection, domain.schema)
    own += recorded_histories(domain)
    core = {key for key in loader.applied_migrations if key in loader.graph.nodes}
    others = domain_histories(connection, domain).relations

    def read_live(expected: SchemaDefinition) -> SchemaDefinition:
        exclude = [*own, *(name for name in others if name not in expected.relations)]
        return SchemaDefinition.read(connection, domain.schema, exclude=exclude)

    expected = expected_schema(domain, connection.alias, migrations | core, read_live)
    changes = schema_changes(expected.live, expected.definition)
    created = {plain(table.name) for table in expected.definition.relations.values()}
    return make_script(
        domain,
        connection.alias,
        [*changes, *map(Change.back, reversed(expected.renames))],
        RowFacts(connection, expected.live),
        findings=wrong,
        ignored=[*accepted, *(finding for finding in findings if _stays(finding, created))],
    )


def _stays(finding: Finding, created: Container[str]) -> bool:
    """Return whether what was found is known and not repaired.

    That is the type of a key, and a table that a model leaves to others.
    """
    if finding.id == LEFT_TO_OTHERS:
        return plain(finding.object) not in created
    return finding.id == ids.AUTOMATIC_KEY
