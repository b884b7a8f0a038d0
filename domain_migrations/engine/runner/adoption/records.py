"""The rows that an adoption moves between histories, and those that it writes into the journal."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.timezone import now
from psycopg import sql

from ....exceptions import InvalidConfiguration
from ...guard.created_objects import bounded
from ...history.existing_tables import existing_tables
from ...history.journal import Journal
from ...history.journal_queries import created_objects, read_object
from ...history.run_context import RunContext
from ...history.tables import ensure_history
from ...messages import shortened
from ...sessions.connection import execute, fetch_all, fetch_one
from ...sources.checksum import checksum_on_disk
from ...sources.files import MigrationKey
from .moves import Move

DETAILS = "adoption"
"""In the details of a journal row: what was moved, so that it can be moved back exactly."""

READ_ROWS = "SELECT id, app, name FROM {} WHERE app = ANY(%s) ORDER BY id"

MOVE_ROWS = """
INSERT INTO {target} (app, name, applied)
SELECT app, name, applied FROM {source} WHERE app = ANY({apps}) ORDER BY id
"""

# The numbers that the rows had in core's history, where nothing else has them now.
RETURN_ROWS = """
INSERT INTO {target} (id, app, name, applied)
SELECT coalesce(
    CASE WHEN NOT EXISTS (SELECT FROM {target} t WHERE t.id = n.id) THEN n.id END,
    nextval(pg_get_serial_sequence({text}, 'id'))
), s.app, s.name, s.applied
FROM {source} s
LEFT JOIN json_to_recordset({numbers}::json) AS n (id bigint, app text, name text)
    ON (n.app, n.name) = (s.app, s.name)
WHERE s.app = ANY({apps}) ORDER BY s.id
"""

LAST_ADOPTION = """
SELECT details -> 'adoption' FROM {}
WHERE direction = 'run' AND jsonb_typeof(details -> 'adoption') = 'object'
    AND details -> 'adoption' -> 'apps' ?| %s
ORDER BY id DESC LIMIT 1
"""


IS_USED = """
SELECT EXISTS (SELECT FROM pg_depend d
    WHERE d.refclassid = 'pg_namespace'::regclass AND d.deptype = 'n'
        AND d.refobjid = to_regnamespace(quote_ident(%s)))
"""


@dataclass(frozen=True)
class MovedRow:
    """A row of the history, as it was before it was moved."""

    id: int
    key: MigrationKey


def count_rows(connection: BaseDatabaseWrapper, move: Move) -> int:
    """Return the number of rows that change their history."""
    query = sql.SQL("SELECT count(*) FROM {} WHERE app = ANY(%s)")
    source = sql.Identifier(*move.source.history_table)
    (count,) = fetch_one(connection, query.format(source), [list(move.adoption.apps)])
    return int(count)


def move_rows(
    connection: BaseDatabaseWrapper, move: Move, numbers: Mapping[str, int] | None = None
) -> list[MovedRow]:
    """Move the apps' rows to the other history, with their times and in their order.

    Arguments:
        numbers: the ids to give them, by ``app.name``; new ones unless given.
    """
    apps = list(move.adoption.apps)
    source, target = (sql.Identifier(*d.history_table) for d in (move.source, move.target))
    rows = fetch_all(connection, sql.SQL(READ_ROWS).format(source), [apps])
    ensure_history(connection, move.target)
    known = [
        {"id": number, "app": app, "name": name}
        for key, number in (numbers or {}).items()
        for app, _, name in [key.partition(".")]
    ]
    query = sql.SQL(RETURN_ROWS if known else MOVE_ROWS).format(
        source=source,
        target=target,
        apps=sql.Literal(apps),
        text=sql.Literal(target.as_string()),
        numbers=sql.Literal(json.dumps(known)),
    )
    execute(connection, query)
    execute(connection, sql.SQL("DELETE FROM {} WHERE app = ANY(%s)").format(source), [apps])
    return [MovedRow(number, MigrationKey(app, name)) for number, app, name in rows]


class Files(NamedTuple):
    """What the journal records of the migrations, read before anything is locked.

    Attributes:
        checksums: of the files of those that are recorded.
        created: what their custom SQL created, as far as the other journal has recorded that.
    """

    checksums: Mapping[MigrationKey, str]
    created: Mapping[MigrationKey, Collection[str]]

    @classmethod
    def read(cls, connection: BaseDatabaseWrapper, move: Move) -> Files:
        source = sql.Identifier(*move.source.history_table)
        rows = fetch_all(connection, sql.SQL(READ_ROWS).format(source), [list(move.adoption.apps)])
        keys = [MigrationKey(app, name) for _, app, name in rows]
        created = {} if move.backwards else created_objects(connection, move.source)
        return cls({key: checksum_on_disk(key) for key in keys}, created)


def log_move(
    connection: BaseDatabaseWrapper,
    move: Move,
    context: RunContext,
    rows: list[MovedRow],
    files: Files,
    details: Mapping[str, Any],
) -> None:
    """Record the move in the journal of the domain that has the apps now.

    Each migration gets a row that accepts its file as it is on disk.
    """
    journal = Journal(connection, move.target, context)
    journal.open()
    started = now()
    keys = {row.key for row in rows}
    checksums, created = files
    steps = [(*key, checksums[key]) for key in sorted(keys - created.keys())]
    if steps:
        statement = journal.insert_all_sql(steps, "adopted", "forwards", started=started)
        execute(connection, statement)
    for app, name in sorted(keys & created.keys()):
        key = MigrationKey(app, name)
        journal.write(
            "adopted",
            "forwards",
            app=app,
            name=name,
            checksum=checksums[key],
            started=started,
            details=bounded(sorted(_moved_names(created[key], move, details["objects"]))),
        )
    numbers = {str(row.key): row.id for row in rows}
    journal.write(
        "done",
        "run",
        started=started,
        details={
            DETAILS: {
                "apps": list(move.adoption.apps),
                "backwards": move.backwards,
                "rows": numbers,
                **details,
            }
        },
    )


def _moved_names(
    created: Iterable[str], move: Move, objects: Iterable[Sequence[str]]
) -> Iterator[str]:
    """Yield created objects with the names that they have now.

    Indexes and constraints are in the schema of their table, and only tables have new names.
    """
    names = {old: new for _, old, new in objects}
    for each in created:
        number, _, name = each.partition(" ")
        found = next((old for old in names if name == old or name.startswith(f"{old}.")), "")
        if found:
            yield f"{number} {names[found]}{name.removeprefix(found)}"
        elif name.startswith(f"{move.source.schema}."):
            yield f"{number} {move.target.schema}{name.removeprefix(move.source.schema)}"
        else:
            yield each


@dataclass(frozen=True)
class MoveLog:
    """What the journal has recorded about the adoption that is undone.

    Attributes:
        numbers: ``app.name`` → the number of its row in core's history.
        functions: identity of a function → the text it was given, and the text before it.
        functions_moved: the names of the functions that were moved.
        created_schema: whether the adoption created the schema.
        revocations: the statements that take back what was granted in the schema.
    """

    numbers: dict[str, int] = field(default_factory=dict)
    functions: dict[str, Sequence[str]] = field(default_factory=dict)
    functions_moved: frozenset[str] = frozenset()
    created_schema: bool = False
    revocations: tuple[str, ...] = ()

    @classmethod
    def read(cls, connection: BaseDatabaseWrapper, move: Move) -> MoveLog:
        """Return the latest adoption of the apps; an empty one if it was not recorded."""
        journal = move.domain.journal_table
        if not existing_tables(connection, [journal]):
            return cls()
        query = sql.SQL(LAST_ADOPTION).format(sql.Identifier(*journal))
        row = fetch_one(connection, query, [list(move.adoption.apps)])
        found = read_object(row[0]) if row else {}
        objects = found.get("objects", [])
        return cls(
            numbers=found.get("rows", {}),
            functions=found.get("functions", {}),
            functions_moved=frozenset(
                new.partition(".")[2]
                for kind, _, new in objects
                if kind in ("FUNCTION", "PROCEDURE")
            ),
            created_schema=found.get("created_schema", False),
            revocations=tuple(found.get("revocations", ())),
        )

    def check_nothing_later(self, connection: BaseDatabaseWrapper, move: Move) -> None:
        """Refuse to undo an adoption after which migrations were applied.

        Raises:
            InvalidConfiguration: with the migrations.
        """
        source = sql.Identifier(*move.source.history_table)
        rows = fetch_all(connection, sql.SQL(READ_ROWS).format(source), [list(move.adoption.apps)])
        keys = [f"{app}.{name}" for _, app, name in rows]
        if self.numbers and (later := [key for key in keys if key not in self.numbers]):
            raise InvalidConfiguration(
                f"{move} cannot begin: {shortened(later)} {_were(later)} applied after the"
                " adoption.",
                hint="Deploy the code in which the app is a domain, revert what came later with"
                f" manage.py migrate_domain {move.domain.name} MIGRATION, and undo the adoption"
                " again. Nothing was changed.",
            )


def _were(items: Sequence[str]) -> str:
    return "was" if len(items) == 1 else "were"


def drop_domain(connection: BaseDatabaseWrapper, move: Move, log: MoveLog) -> None:
    """Drop the engine's tables of a domain that has no rows left, and the schema it was given."""
    domain = move.domain
    history = sql.Identifier(*domain.history_table)
    query = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(history)
    (has_rows,) = fetch_one(connection, query)
    if has_rows:
        return
    for table in existing_tables(connection, reversed(domain.engine_tables)):
        execute(connection, sql.SQL("DROP TABLE {}").format(sql.Identifier(*table)))
    (is_used,) = fetch_one(connection, IS_USED, [domain.schema])
    if log.created_schema and not is_used:
        execute(connection, sql.SQL("DROP SCHEMA {}").format(sql.Identifier(domain.schema)))
