"""Whether a snapshot still says what the migrations on disk would make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.db.migrations.graph import MigrationGraph

from ...domains import Domain
from ...exceptions import StaleSnapshot
from ..sources.checksum import VERSION, checksum
from ..sources.files import MigrationKey, migration_file
from .schema import FINGERPRINT
from .snapshot_file import Snapshot, display_path


def stale_reasons(snapshot: Snapshot, domain: Domain, graph: MigrationGraph) -> Iterator[str]:
    """Yield why the snapshot is not what a replay would give, a clause each; nothing if it is.

    Arguments:
        graph: of the migrations as an empty database would get them.
    """
    if snapshot.domain != domain.name:
        yield f'it is of the domain "{snapshot.domain}"'
        return
    if not snapshot.fingerprint.startswith(f"{FINGERPRINT}:"):
        yield "it was written by another version of the engine"
        return
    for key, known in snapshot.migrations.items():
        if key not in graph.nodes:
            yield f"{key} {_absence_reason(key)}"
        elif not known.startswith(f"{VERSION}:"):
            yield f"the checksum of {key} was taken by another version of the engine"
        elif checksum_on_disk(key) != known:
            yield f"{key} was edited"
    for key in _inserted_before_end(snapshot, domain, graph):
        yield f"{key} was inserted"


def _absence_reason(key: MigrationKey) -> str:
    return "was removed" if migration_file(key) is None else "was replaced by a squashed one"


def _inserted_before_end(
    snapshot: Snapshot, domain: Domain, graph: MigrationGraph
) -> Iterator[MigrationKey]:
    """Yield what would run between the migrations that the snapshot contains.

    What it does not contain must come after all that it contains of the same app, and before
    nothing.
    """
    contained = {key for key in snapshot.migrations if key in graph.nodes}
    for key in sorted(graph.nodes):
        if key[0] not in domain.app_labels or key in contained:
            continue
        before = set(graph.forwards_plan(key))
        after = set(graph.backwards_plan(key))
        left_out = {other for other in contained if other[0] == key[0]} - before
        if left_out or after & contained:
            yield MigrationKey(*key)


def checksum_on_disk(key: MigrationKey) -> str:
    """Return the checksum of a migration's file; nothing where there is none to be had."""
    path = migration_file(key)
    try:
        return checksum(path.read_bytes()) if path else ""
    except (SyntaxError, ValueError):
        return ""


def stale_error(domain: Domain, path: Path, reasons: list[str]) -> StaleSnapshot:
    """Return the error that says what is wrong with a snapshot."""
    return StaleSnapshot(
        f'The snapshot of the domain "{domain.name}" does not match its migrations:'
        f" {'; '.join(reasons)} ({display_path(path)}).",
        hint=f"Write it again: manage.py snapshot_domain {domain.name}",
    )
