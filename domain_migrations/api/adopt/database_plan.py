"""The plan of an adoption in a database: what moves, what stays, and what blocks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...engine.runner.adoption.adoption_run import Work, owner_note
from ...engine.runner.adoption.cluster_moves import check_not_on_nodes
from ...engine.runner.adoption.foreign_keys import KEY_HINT, CrossingKey, forbidden_keys
from ...engine.runner.adoption.function_text import Uncertain
from ...engine.runner.adoption.functions import FunctionTexts
from ...engine.runner.adoption.moves import Move, is_pending
from ...engine.runner.adoption.objects import MovedObject
from ...engine.runner.adoption.records import count_rows
from ...engine.runner.adoption.schema_privileges import uncopied_defaults
from ...engine.sessions.connection import fetch_all, fetch_one
from ...exceptions import InvalidConfiguration
from .database_parts import kept_names, read_parts

SIZES = """
SELECT c.oid, pg_total_relation_size(c.oid), greatest(c.reltuples, 0)::bigint
FROM pg_class c WHERE c.oid = ANY(%(oids)s)
"""

UNCHANGED = (
    "Content types, permissions and log entries stay as they are, because the labels of the apps"
    " do not change."
)


@dataclass(frozen=True)
class PlannedTable:
    """A table that moves.

    Attributes:
        size: in bytes, with indexes and TOAST.
        rows: an estimate, unless they were counted.
    """

    old: str
    new: str
    size: int
    rows: int


@dataclass(frozen=True)
class Obstacle:
    """What blocks an adoption, and its remedy."""

    message: str
    hint: str

    def as_json(self) -> dict[str, str]:
        return {"message": self.message, "hint": self.hint}


@dataclass(frozen=True, kw_only=True)
class DatabasePlan:
    """What an adoption would do in one database.

    Attributes:
        is_pending: whether anything is to be moved; nothing else is known otherwise.
        tables: the tables.
        is_exact: whether their rows were counted.
        followers: kind, old and new name of what follows them.
        functions: the functions whose text names what moves.
        parts: kind of object → name, relation and more of each.
        keys: the foreign keys between what moves and the rest.
        history_rows: the number of rows of the history.
        notes: remarks, as sentences.
        blockers: what has to be corrected before.
    """

    database: str
    is_pending: bool
    tables: tuple[PlannedTable, ...] = ()
    is_exact: bool = False
    followers: tuple[tuple[str, str, str], ...] = ()
    functions: FunctionTexts = field(default_factory=lambda: FunctionTexts((), (), ()))
    parts: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    keys: tuple[CrossingKey, ...] = ()
    history_rows: int = 0
    notes: tuple[str, ...] = ()
    blockers: tuple[Obstacle, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "database": self.database,
            "pending": self.is_pending,
            "tables": [
                {"from": table.old, "to": table.new, "size": table.size, "rows": table.rows}
                for table in self.tables
            ],
            "rows_are_exact": self.is_exact,
            "followers": [
                {"kind": kind, "from": old, "to": new} for kind, old, new in self.followers
            ],
            "functions": [
                *(
                    {"name": each.identity, "mended": True, "diff": each.diff, **_lines(each.lines)}
                    for each in self.functions.changed
                ),
                *(
                    {"name": each.identity, "mended": False, "diff": "", **_lines(each.lines)}
                    for each in self.functions.uncertain
                ),
            ],
            **{
                kind: [{"name": name, "of": of, "what": what} for name, of, what in found]
                for kind, found in self.parts.items()
            },
            "foreign_keys": [
                {
                    "name": key.name,
                    "from": key.table,
                    "to": key.references,
                    "direction": "in" if key.points_in else "out",
                }
                for key in self.keys
            ],
            "history_rows": self.history_rows,
            "notes": list(self.notes),
            "blockers": [blocker.as_json() for blocker in self.blockers],
        }


def _lines(lines: Sequence[Uncertain]) -> dict[str, Any]:
    return {"lines": [{"line": line, "text": text} for line, text in lines]}


def plan_database(
    connection: BaseDatabaseWrapper, move: Move, *, count: bool = False
) -> DatabasePlan:
    """Return what a move would do in the database; changes nothing.

    Arguments:
        count: count the rows of each table, which reads all of them.
    """
    database = connection.alias
    try:
        if not is_pending(connection, move):
            return DatabasePlan(database=database, is_pending=False)
        work = Work.find(connection, move)
    except InvalidConfiguration as exc:
        blocker = Obstacle(exc.message, exc.hint)
        return DatabasePlan(database=database, is_pending=True, blockers=(blocker,))
    objects, keys = work.objects, work.keys
    tables = [item for item in objects if item.kind == "TABLE"]
    oids = [item.oid for item in objects if item.is_relation]
    parts = read_parts(connection, oids, move.source.schema)
    return DatabasePlan(
        database=database,
        is_pending=True,
        tables=tuple(_planned_tables(connection, tables, count=count)),
        is_exact=count,
        followers=tuple(
            (item.kind.lower(), str(item.old), str(item.new))
            for item in objects
            if item not in tables
        ),
        functions=work.texts,
        parts=parts,
        keys=keys,
        history_rows=count_rows(connection, move),
        notes=tuple(_notes(connection, move, work, parts)),
        blockers=tuple(_obstacles(connection, move, work.texts, forbidden_keys(move, keys))),
    )


def _planned_tables(
    connection: BaseDatabaseWrapper, tables: Sequence[MovedObject], *, count: bool
) -> list[PlannedTable]:
    oids = [item.oid for item in tables]
    sizes = {oid: row for oid, *row in fetch_all(connection, SIZES, {"oids": oids})}
    found = []
    for item in tables:
        size, rows = sizes[item.oid]
        if count:
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*item.old))
            (rows,) = fetch_one(connection, query)
        found.append(PlannedTable(str(item.old), str(item.new), size, rows))
    return found


def _obstacles(
    connection: BaseDatabaseWrapper, move: Move, texts: FunctionTexts, keys: Sequence[CrossingKey]
) -> list[Obstacle]:
    found = [
        Obstacle(
            f'The foreign key {key} would cross the boundary of the domain "{move.domain.name}".',
            f"{KEY_HINT} Or adopt both apps into one domain: --apps.",
        )
        for key in keys
    ]
    for check in (partial(texts.check, move), partial(check_not_on_nodes, connection, move)):
        try:
            check()
        except InvalidConfiguration as exc:
            found.append(Obstacle(exc.message, exc.hint))
    return found


def _notes(
    connection: BaseDatabaseWrapper,
    move: Move,
    work: Work,
    parts: dict[str, list[tuple[str, str, str]]],
) -> list[str]:
    notes = [UNCHANGED]
    if generic := _generic_relations(move):
        notes.append(f"Generic relations keep working: {', '.join(generic)}.")
    for name, _, what in parts["publications"]:
        if what == "schema":
            notes.append(
                f"The publication {name} is for all tables in {move.source.schema}: it no longer"
                f" has the moved ones. ALTER PUBLICATION {name} ADD TABLES IN SCHEMA"
                f" {move.target.schema};"
            )
    notes += [
        f"The default privileges of the role {role} are not copied: only its members can do that."
        for role in uncopied_defaults(connection, move)
    ]
    if note := owner_note(connection, move):
        notes.append(note)
    staying = [
        function.identity
        for function in work.texts.changed
        if not any(function.oid == item.oid for item in work.objects)
    ]
    if staying and not move.backwards:
        notes.append(
            f"{', '.join(staying)} stay in {move.source.schema} and name the domain's tables, which"
            " verify_domain reports: create them in a migration of the domain, qualified, and drop"
            " them in core's."
        )
    renamed = [item.oid for item in work.objects if item.old.name != item.new.name]
    if renamed:
        sequences, indexes, constraints = kept_names(connection, renamed)
        notes.append(
            f"Sequences ({sequences}), indexes ({indexes}) and constraints ({constraints}) of"
            " renamed tables keep their names, so that they differ from those of a fresh database."
        )
    return notes


def _generic_relations(move: Move) -> list[str]:
    """Return the generic foreign keys and relations of the apps' models."""
    names = ("GenericForeignKey", "GenericRelation")
    return [
        f"{model._meta.label}.{each.name}"
        for label in move.adoption.apps
        for model in apps.get_app_config(label).get_models()
        for each in model._meta.private_fields
        if type(each).__name__ in names
    ]
