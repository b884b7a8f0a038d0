"""The keys of rows that were changed since a moment, decoded from the server's WAL.

A temporary slot, which ends with its session, notes the moment. Its changes are read in the format
that subscriptions read, so no plugin has to be installed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import QualifiedName
from ...engine.sessions.connection import execute

CREATE_SLOT = "SELECT pg_catalog.pg_create_logical_replication_slot(%s, 'pgoutput', true)"
READ_CHANGES = """
SELECT data FROM pg_catalog.pg_logical_slot_get_binary_changes(
    %s, NULL, NULL, 'proto_version', '1', 'publication_names', %s)
"""

Key = tuple[str | None, ...]


class ChangedRows:
    """The changes of the published tables since the object was made.

    Arguments:
        session: a session of its own, which holds the slot.

    Attributes:
        keys: table → the values of the replica identity of each changed row, as text.
        truncated: tables that were emptied.
    """

    def __init__(self, session: BaseDatabaseWrapper, publication: str) -> None:
        self.session = session
        self.publication = publication
        self.slot = f"{publication}_w"
        self.keys: dict[QualifiedName, set[Key]] = {}
        self.truncated: set[QualifiedName] = set()
        self._relations: dict[int, tuple[QualifiedName, list[int]]] = {}
        execute(session, CREATE_SLOT, [self.slot])

    def read(self) -> None:
        """Add what was changed since the last call; returns at the end of the flushed WAL."""
        params = [self.slot, f'"{self.publication}"']
        # Django's own cursors read only text.
        with (
            self.session.wrap_database_errors,
            psycopg.Cursor(self.session.connection) as cursor,
        ):
            cursor.execute(READ_CHANGES, params, binary=True)
            for (message,) in cursor:
                self._decode(bytes(message))

    def _decode(self, message: bytes) -> None:
        kind = message[:1]
        if kind == b"R":
            self._add_relation(message)
        elif kind in (b"I", b"U", b"D"):
            (relation,) = struct.unpack_from("!I", message, 1)
            table, key_columns = self._relations[relation]
            for values in _tuples(message, 5):
                key = tuple(values[column] for column in key_columns)
                self.keys.setdefault(table, set()).add(key)
        elif kind == b"T":
            (number,) = struct.unpack_from("!I", message, 1)
            for relation in struct.unpack_from(f"!{number}I", message, 6):
                self.truncated.add(self._relations[relation][0])

    def _add_relation(self, message: bytes) -> None:
        (relation,) = struct.unpack_from("!I", message, 1)
        schema, offset = _text(message, 5)
        name, offset = _text(message, offset)
        (number,) = struct.unpack_from("!H", message, offset + 1)
        offset += 3
        key_columns = []
        for column in range(number):
            if message[offset] & 1:
                key_columns.append(column)
            _, offset = _text(message, offset + 1)
            offset += 8
        self._relations[relation] = QualifiedName(schema, name), key_columns


def _text(message: bytes, offset: int) -> tuple[str, int]:
    """Return the text that ends with a zero byte, and the offset after it."""
    end = message.index(b"\0", offset)
    return message[offset:end].decode(), end + 1


def _tuples(message: bytes, offset: int) -> Iterator[list[str | None]]:
    """Yield the old row or key, and the new row, as far as the message has them."""
    while offset < len(message):
        (number,) = struct.unpack_from("!H", message, offset + 1)
        offset += 3
        values: list[str | None] = []
        for _ in range(number):
            kind = message[offset : offset + 1]
            offset += 1
            if kind == b"t":
                (length,) = struct.unpack_from("!I", message, offset)
                values.append(message[offset + 4 : offset + 4 + length].decode())
                offset += 4 + length
            else:
                values.append(None)
        yield values
