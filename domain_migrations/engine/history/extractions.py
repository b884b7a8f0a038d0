"""Extractions: domains that leave for another server, as the journal of the source records them.

Each step appends one row (``direction`` = ``extract``) with the phase as its name, so any machine
can continue. The latest row is the state. The journal is copied to the other server with the rest
of the schema, so the state is seen there, too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.timezone import now

from ...domains import Domain
from ...exceptions import ChangedTable, ExtractionInProgress
from ..sessions.connection import fetch_one
from .journal import Journal, Status
from .journal_queries import read_object
from .tables import existing_journals, query_tables

Phase = Literal["preparing", "copying", "switching", "switched", "finished", "aborting", "aborted"]
Side = Literal["source", "target"]

SchemaObject = tuple[str, str]
"""Its kind, as ``DROP`` names it, and its identity."""

DIRECTION: Literal["extract"] = "extract"
TEXTS = ("source", "target", "name", "source_id")
"""The attributes of an extraction that are always there."""

OVER: frozenset[Phase] = frozenset({"finished", "aborted"})

LATEST = """
(SELECT {domain}, name, details FROM {table} WHERE direction = 'extract' ORDER BY id DESC LIMIT 1)
"""
IDENTIFICATION = "SELECT system_identifier::text, current_database() FROM pg_control_system()"


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """The state of an extraction.

    Attributes:
        phase: ``preparing`` until the copy runs, ``copying``, ``switching`` from the moment when
            the source is closed, ``switched`` when the target is open; then it can be finished.
        source: the alias of the database that the domain leaves.
        target: the alias of the database that it moves to.
        name: of the publications, subscriptions and slots.
        source_id: the server and database of the source, to tell the two sides apart.
        triggers: ``(table, trigger, tgenabled)`` of those that would run for copied rows, too.
        core_tables: core's tables that the target gets as well, read-only.
        made_tables: whether the extraction made the tables in the target.
        objects_before: what the schema had in the target before; None if it did not exist.
    """

    phase: Phase
    source: str
    target: str
    name: str
    source_id: str
    triggers: tuple[tuple[str, str, str], ...] = ()
    core_tables: tuple[str, ...] = ()
    made_tables: bool = False
    objects_before: tuple[SchemaObject, ...] | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        return self.phase in OVER

    def at(self, phase: Phase, **details: Any) -> Extraction:
        """Return the state of the next phase."""
        return replace(self, phase=phase, details=details)


def record_extraction(journal: Journal, extraction: Extraction) -> None:
    """Append the state to the journal, in the transaction that the connection is in."""
    status: Status = "done" if extraction.is_over else "running"
    details = json.loads(json.dumps(asdict(extraction)))
    journal.write(status, DIRECTION, started=now(), name=extraction.phase, details=details)


def read_extraction(connection: BaseDatabaseWrapper, domain: Domain) -> Extraction | None:
    """Return the latest state in the domain's journal in this database, None without any.

    Raises:
        ChangedTable: someone has changed its row.
    """
    rows = query_tables(connection, LATEST, existing_journals(connection, [domain], readable=True))
    for _, phase, column in rows:
        if phase in get_args(Phase):
            try:
                return _extraction(phase, read_object(column))
            except (TypeError, ValueError) as exc:
                raise ChangedTable(
                    f'The last row of {domain.journal_table} with the direction "extract" does not'
                    f" say how the domain moves: its details were changed ({exc}).",
                    hint="Restore the row from a backup. If the domain does not move, delete the"
                    " rows with that direction.",
                ) from exc
    return None


def _extraction(phase: Phase, values: dict[str, Any]) -> Extraction:
    """Return the state that the details of a row describe.

    Raises:
        TypeError, ValueError: they are not what a step has written.
    """
    known = {name: values[name] for name in Extraction.__dataclass_fields__ if name in values}
    if lacking := [name for name in TEXTS if not isinstance(known.get(name), str)]:
        raise ValueError(f"no {lacking[0]}")
    known["phase"] = phase
    known["triggers"] = tuple(tuple(row) for row in known.get("triggers", ()))
    known["core_tables"] = tuple(known.get("core_tables", ()))
    if known.get("objects_before") is not None:
        known["objects_before"] = tuple(map(tuple, known["objects_before"]))
    return Extraction(**known)


def database_id(connection: BaseDatabaseWrapper) -> str:
    """Return what identifies the server and the database, whatever alias names them."""
    return "/".join(fetch_one(connection, IDENTIFICATION))


def refuse_during_extraction(connection: BaseDatabaseWrapper, domain: Domain) -> None:
    """Refuse to change a schema that is being copied, or has left.

    Raises:
        ExtractionInProgress: the domain has not arrived yet, or is another server's.
    """
    state = read_extraction(connection, domain)
    if state is None or state.phase == "aborted":
        return
    command = f"manage.py extract_domain {domain.name}"
    if state.phase == "finished":
        if database_id(connection) == state.source_id:
            raise ExtractionInProgress(
                f'The domain "{domain.name}" has left this database for "{state.target}".',
                hint=f'Set DOMAIN_MIGRATIONS["DATABASES"] to {{"{domain.name}":'
                f' "{state.target}"}}, and omit --database.',
            )
        return
    raise ExtractionInProgress(
        f'The schema of the domain "{domain.name}" cannot change while the domain moves from'
        f' "{state.source}" to "{state.target}" (now {state.phase}).',
        hint=f"End the move first: {command} status --to {state.target} says how; or give it up:"
        f" {command} abort --to {state.target}",
    )
