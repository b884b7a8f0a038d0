"""The proof of a move: everything in both schemas is what it was, but for the schema."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

from ....exceptions import MigrationFailed
from ...catalog.fingerprint import read_objects
from ...messages import shortened
from ...sessions.connection import fetch_all
from .function_text import identifier, written
from .functions import ChangedFunction
from .moves import Move
from .objects import MovedObject

PARTS = """
SELECT c.relname FROM pg_class c
WHERE c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = ANY(%(oids)s))
    OR c.relkind = 'S' AND c.oid IN (SELECT objid FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass
            AND refobjid = ANY(%(oids)s) AND deptype IN ('a', 'i'))
"""
"""The indexes and sequences that follow their tables."""

CHANGING = ("schema", "default privileges", "extension")
Blocks = Counter[tuple[str, str]]


@dataclass(frozen=True)
class Proof:
    """What both schemas have before a move.

    Attributes:
        pattern: matches the old name of what is moved.
        names: old name, as the catalog writes it → new name.
    """

    move: Move
    pattern: re.Pattern[str]
    names: dict[str, str]
    functions: tuple[str, ...]
    before: Blocks

    @classmethod
    def begin(
        cls,
        connection: BaseDatabaseWrapper,
        move: Move,
        objects: Sequence[MovedObject],
        functions: Sequence[ChangedFunction],
        replaced: Collection[str] = (),
    ) -> Proof:
        """Read both schemas, before anything is locked.

        Arguments:
            replaced: the names of views in the new schema that are dropped before anything moves.
        """
        names = {written(item.old): written(item.new) for item in objects}
        oids = [item.oid for item in objects if item.is_relation]
        source, target = identifier(move.source.schema), identifier(move.target.schema)
        for (name,) in fetch_all(connection, PARTS, {"oids": oids}):
            names[f"{source}.{identifier(name)}"] = f"{target}.{identifier(name)}"
        longest = sorted(names, key=len, reverse=True)
        pattern = re.compile(rf'(?<![\w".$])(?:{"|".join(map(re.escape, longest))})(?![\w$])')
        changed = tuple(function.source for function in functions)
        empty = cls(move, pattern, names, changed, Counter())
        return cls(move, pattern, names, changed, empty.read(connection, replaced))

    def read(self, connection: BaseDatabaseWrapper, replaced: Collection[str] = ()) -> Blocks:
        """Return what both schemas have, under the new names.

        The queries are prepared: it is read again while the tables are locked.
        """
        left_out = {
            domain.schema: [table.name for table in domain.engine_tables]
            for domain in (self.move.source, self.move.target)
        }
        left_out[self.move.target.schema] += replaced
        return Counter(
            (self._mapped(f"{item.kind} {item.name}"), self._mapped(item.definition))
            for schema, names in left_out.items()
            for item in read_objects(
                connection, schema, exclude=names, include_privileges=True, prepared=True
            )
            if item.kind not in CHANGING and item.name != identifier(schema)
            if item.kind not in ("function", "procedure")
        )

    def _mapped(self, text: str) -> str:
        return self.pattern.sub(lambda match: self.names[match[0]], text)

    def check(self, connection: BaseDatabaseWrapper) -> None:
        """Compare what both schemas have now.

        Raises:
            MigrationFailed: with what differs.
        """
        after = self.read(connection)
        if differing := sorted(
            {title for title, _ in (self.before - after) + (after - self.before)}
        ):
            raise MigrationFailed(
                f"{self.move} has changed {shortened(differing)} more than its schema, so that"
                " everything was rolled back.",
                hint="Find the event trigger or the other session that has changed it, and run"
                " the command again.",
            )
