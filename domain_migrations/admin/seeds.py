"""A domain's seeds on its page: what was seeded, when, and what is pending."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

from ..api.seed.document import SeedHeader, check_tags
from ..api.seed.readers import header_of
from ..api.seed.seed_files import SeedFile, seed_files
from ..conf import get_settings
from ..domains import Domain
from ..engine.history.seed_ledger import SeedRecord, read_ledger
from ..engine.messages import shortened
from . import states
from .states import State


@dataclass(frozen=True, kw_only=True)
class SeedRow:
    """One seed.

    Attributes:
        name: the path of its file; of a seed without a file, where the file was.
        tags: the environments that it is limited to; none for all.
        record: its latest run; None if it was never run.
        tables: the tables that the run wrote, for people.
    """

    name: str
    state: State
    tags: tuple[str, ...] = ()
    record: SeedRecord | None = None
    tables: str = ""


def read_seeds(connection: BaseDatabaseWrapper, domain: Domain) -> list[SeedRow]:
    """Return the domain's seeds in the order in which they run, then those without a file.

    Raises:
        SeedFailed: a file cannot be read.
    """
    ledger = read_ledger(connection, domain)
    active = check_tags(get_settings().seed_tags)
    rows = []
    for file in seed_files(domain):
        stat = file.path.stat()
        header, checksum = _read_file(file, stat.st_mtime_ns, stat.st_size)
        record = ledger.pop(file.key, None)
        state = _state(record, checksum, wanted=header.runs_with(active))
        tables = _tables(record, domain) if record else ""
        rows.append(
            SeedRow(name=str(file), state=state, tags=header.tags, record=record, tables=tables)
        )
    for record in ledger.values():
        name, tables = f"{record.app}/seeds/{record.name}", _tables(record, domain)
        rows.append(SeedRow(name=name, state=states.UNKNOWN, record=record, tables=tables))
    return rows


def _tables(record: SeedRecord, domain: Domain) -> str:
    """Return the first tables, without sequences, quotes and the domain's own schema."""
    plain = [name.replace('"', "").removeprefix(f"{domain.schema}.") for name in record.tables]
    return shortened([name for name in plain if not name.endswith("_seq")], 5)


def _state(record: SeedRecord | None, checksum: str, *, wanted: bool) -> State:
    """Return a seed's state.

    Arguments:
        wanted: whether ``seed_domain`` runs it with the tags of the settings.
    """
    if record is None:
        return states.PENDING if wanted else states.SKIPPED
    if record.checksum != checksum:
        return states.EDITED
    return states.SEEDED


@functools.lru_cache(maxsize=1024)
def _read_file(file: SeedFile, changed: int, size: int) -> tuple[SeedHeader, str]:
    """Return header and checksum; a large file is read again only after it has changed."""
    return header_of(file), file.checksum()
