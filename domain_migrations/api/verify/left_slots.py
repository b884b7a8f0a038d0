"""Replication slots that a move to another server has left: they keep the server's WAL."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ...engine.history.extractions import read_extraction
from ...engine.messages import Finding
from ...engine.sql.query import run_sql
from ..extract.sides import slot_pattern

UNUSED_SLOTS = """
SELECT slot_name::text, coalesce(pg_catalog.pg_size_pretty(pg_catalog.pg_wal_lsn_diff(
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
    restart_lsn)), 'unknown')
FROM pg_catalog.pg_replication_slots
WHERE database = current_database() AND slot_type = 'logical' AND NOT active
    AND (slot_name ~ %(pattern)s OR slot_name LIKE %(sync)s)
ORDER BY 1
"""
NO_SYNC = "-"


def slot_findings(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield a finding for each slot of a move of the domain that nobody reads."""
    if domain.is_core:
        return
    state = read_extraction(connection, domain)
    subscription = str(state.details.get("subscription") or "") if state else ""
    sync = f"pg\\_{subscription}\\_sync\\_%" if subscription else NO_SYNC
    params = {"pattern": slot_pattern(domain), "sync": sync}
    [rows] = run_sql(connection, UNUSED_SLOTS, params)
    for name, size in rows:
        hint = f"SELECT pg_drop_replication_slot('{name}');"
        if state is not None and not state.is_over:
            command = f"manage.py extract_domain {domain.name}"
            hint = (
                f'Start the server of "{state.target}" again. If it is lost: {command} abort --to'
                f" {state.target} --without-target"
            )
        yield Finding(
            "L010",
            "leftover",
            domain.name,
            name,
            f'The replication slot {name} of the move of the domain "{domain.name}" is not read:'
            f" the server keeps all WAL since then ({size}).",
            hint,
        )
