"""A session in which deparsed text depends on nothing but the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

# What pg_get_…def prints depends on these; jit because planning costs more than it saves here.
SETTINGS = {
    "search_path": "",
    "quote_all_identifiers": "off",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "standard_conforming_strings": "on",
    "jit": "off",
}
SET_LOCALLY = "SELECT " + ", ".join(["set_config(%s, %s, true)"] * len(SETTINGS))


@contextmanager
def catalog_cursor(connection: BaseDatabaseWrapper) -> Iterator[CursorWrapper]:
    """Yield a cursor with the settings above, and take them and every lock back at the end.

    Reading happens in a transaction, or in a savepoint where one is open, that is rolled back:
    settings are restored without having been asked for, and locks that ``pg_get_viewdef`` takes
    do not outlive the reading. No transaction id is assigned, so a read-only one will do.
    """
    connection.ensure_connection()
    with connection.connection.transaction(force_rollback=True), connection.cursor() as cursor:
        cursor.execute(SET_LOCALLY, [part for pair in SETTINGS.items() for part in pair])
        yield cursor
