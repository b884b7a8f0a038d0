"""What the rows of the catalogs that a migration has written say about it."""

from __future__ import annotations

from collections.abc import Iterator

from .core_tables import changed_tables
from .evidence import Evidence
from .mark import PG_CLASS, PG_DEFAULT_ACL, PG_EVENT_TRIGGER, PG_EXTENSION, PG_NAMESPACE
from .refusals import EXTENSION, NOT_IN_PUBLIC, SCHEMA_NAME, WRITTEN, Refusal, hint_for, whose
from .written import Written, identify, read_written


def on_rows(evidence: Evidence, changed: list[int]) -> Iterator[Refusal]:
    """Judge functions, types, grants and all else that no lock tells of.

    Arguments:
        changed: the domain's relations that the transaction may have changed.
    """
    rows = read_written(
        evidence.connection, evidence.now, evidence.before, evidence.territory.quiet, changed
    )
    if rows:
        evidence.territory.read(evidence.connection)
    for row in rows:
        refusal = _judge(evidence, row)
        if refusal:
            yield refusal


def _judge(evidence: Evidence, row: Written) -> Refusal | None:
    territory, domain = evidence.territory, evidence.domain
    if row.catalog == PG_EVENT_TRIGGER:
        name = identify(evidence.connection, row.catalog, row.oid)
        return Refusal(
            WRITTEN,
            f"made or altered {name}, which fires for every domain",
            "Leave event triggers to the database's administrator.",
        )
    if row.catalog == PG_DEFAULT_ACL and not row.schema:
        hint = f"Add IN SCHEMA {domain.schema}."
        did = "altered the default privileges of every schema"
        return None if domain.is_core else Refusal(WRITTEN, did, hint)
    if territory.is_own(row.schema):
        return _judge_own(evidence, row)
    owner = territory.owner(row.schema)
    core = owner is not None and owner.is_core
    if core and row.catalog == PG_CLASS and _is_explained(evidence, row.oid):
        return None
    made = evidence.is_new(row.oid)
    hint = hint_for(domain, owner, shape=True)
    if core and made and row.catalog != PG_NAMESPACE:
        hint = NOT_IN_PUBLIC.format(schema=domain.schema)
    rank = EXTENSION if row.catalog == PG_EXTENSION else WRITTEN
    did = "made" if made else "altered"
    return Refusal(rank, f"{did} {_name(evidence, row)}, {whose(owner)}", hint)


def _judge_own(evidence: Evidence, row: Written) -> Refusal | None:
    """Judge a row of the domain's own schema itself: it may not be renamed."""
    domain = evidence.domain
    if row.catalog != PG_NAMESPACE or evidence.territory.owner(row.schema) != domain:
        return None
    if identify(evidence.connection, PG_NAMESPACE, row.oid) == f"schema {domain.schema}":
        return None
    hint = SCHEMA_NAME.format(schema=domain.schema)
    return Refusal(WRITTEN, f"renamed the schema {domain.schema}", hint)


def _is_explained(evidence: Evidence, table: int) -> bool:
    """Return whether a foreign key explains that the row of core's table was written."""
    return evidence.past.is_known and not list(changed_tables(evidence, [table]))


def _name(evidence: Evidence, row: Written) -> str:
    if row.catalog == PG_NAMESPACE and not evidence.is_new(row.oid):
        return f"schema {evidence.territory.names[row.oid]}"
    return identify(evidence.connection, row.catalog, row.oid)
