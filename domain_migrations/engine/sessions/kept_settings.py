"""The settings of a run's session, which every migration begins with."""

from __future__ import annotations

from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ...backends.postgresql.base import READABLE_STYLES
from .connection import execute, fetch_all, settings_sql

READABLE = {
    **READABLE_STYLES,
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "transform_null_equals": "off",
}
"""Settings on which the texts depend that the engine and psycopg send and read."""

SELECT_SETTINGS = """
SELECT name, setting FROM pg_catalog.pg_settings
WHERE context IN ('user', 'superuser') AND NOT starts_with(name, 'transaction_')
  OR name = 'transaction_timeout'
UNION ALL
SELECT name, current_setting(name) FROM unnest(ARRAY['session_authorization', 'role']) AS name
"""
"""The settings that a session can change, but for those of its transaction; the view lacks two."""


ENCODING = "client_encoding"

EMPTY = "''"


class ChangedSetting(NamedTuple):
    """A setting that was changed, and changed back."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.name} from {self.before or EMPTY} to {self.after or EMPTY}"


class KeptSettings:
    """The settings that a session had at one moment, and is given back later."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.values: dict[str, str] = {}

    def keep(self) -> None:
        """Keep the settings that the session has now."""
        self.values = dict(fetch_all(self.connection, SELECT_SETTINGS))

    def restore(self) -> list[ChangedSetting]:
        """Give the session the kept settings back, and return those that had changed.

        Inside of a transaction, where those that end with it look like the others, no
        change is returned.
        """
        if not self.values:
            return []
        encoding = self.restore_encoding()
        in_transaction = self.connection.in_atomic_block
        roles = [one for one in self._changed() if one.name in ("session_authorization", "role")]
        if roles:  # Another role may lack the privilege to change the rest back.
            execute(self.connection, "RESET SESSION AUTHORIZATION")
            execute(self.connection, settings_sql({"role": self.values["role"]}, local=False))
        rest = self._changed()
        if rest:
            values = {one.name: one.before for one in rest}
            execute(self.connection, settings_sql(values, local=in_transaction))
        return [] if in_transaction else [*encoding, *roles, *rest]

    def restore_encoding(self) -> list[ChangedSetting]:
        """Give the session its encoding back; with another one, names may be read as bytes."""
        before = self.values.get(ENCODING)
        after = self.connection.connection.info.parameter_status(ENCODING)
        if before is None or after is None or after == before:
            return []
        execute(self.connection, settings_sql({ENCODING: before}, local=False))
        return [ChangedSetting(ENCODING, before, after)]

    def _changed(self) -> list[ChangedSetting]:
        rows = fetch_all(self.connection, SELECT_SETTINGS)
        return [
            ChangedSetting(name, self.values[name], value)
            for name, value in rows
            if self.values.get(name, value) != value
        ]
