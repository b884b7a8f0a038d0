"""The guard's rule for the tables that the engine keeps: histories, journals and seed ledgers."""

from __future__ import annotations

from collections.abc import Iterator

from ...domains import QualifiedName
from .held_locks import DDL_MODES, WRITE_MODE
from .transaction import TransactionView
from .violations import JOURNAL, Priority, Violation


def find_engine_table_changes(view: TransactionView) -> Iterator[Violation]:
    """Judge locks on the tables that the engine keeps for the domain, and on core's.

    Rows of a history may be written, as apps that are renamed do, but not those of a journal.
    """
    domains = {view.domain, *(one for one in view.owners.domains.values() if one.is_core)}
    tables = {table for domain in domains for table in domain.engine_tables}
    journals = {domain.journal_table for domain in domains}
    for lock in view.locks:
        names = view.describe(lock)
        before = view.as_before(lock)
        table = QualifiedName(view.owners.names.get(before.schema or 0, ""), before.name or "")
        is_write = lock.mode == WRITE_MODE and table in journals
        if lock.is_relation and table in tables and (is_write or lock.mode in DDL_MODES):
            text = f"took {lock.mode} on {names.text}, which the engine keeps"
            yield Violation(Priority.NEW_IN_PUBLIC, text, JOURNAL, names.names)
