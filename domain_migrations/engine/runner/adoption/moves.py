"""Moves: what the declarations of adoptions leave to be moved in a database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from django.db.backends.base.base import BaseDatabaseWrapper

from ....backends.postgresql.names import truncate
from ....domains import CORE, Domain, QualifiedName, get_domain
from ....exceptions import InvalidConfiguration
from ...catalog.compat_views import read_views_of_adoptions
from ...history.half_move_causes import created_models
from ...history.half_moves import own_models
from ...history.tables import HistoryRow, read_histories
from ...messages import shortened
from ...sessions.connection import fetch_all
from ...sources.adoptions import Adoption, read_adoptions
from ...sources.files import MigrationKey, adoption_file, migration_files
from ...sources.parsing import header_of
from ..options import MigrateOptions
from ..targets import ZERO

EXISTING_RELATIONS = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN unnest(%s::text[], %s::text[]) AS w(schema, name)
    ON n.nspname = w.schema AND c.relname = w.name
"""


@dataclass(frozen=True)
class Move:
    """The tables and the rows of the history that change their domain together.

    Attributes:
        adoption: the declaration.
        backwards: whether they move back to core.
        only_drops_views: whether nothing but the views under the old names is left to be done.
    """

    adoption: Adoption
    backwards: bool = False
    only_drops_views: bool = False

    @property
    def domain(self) -> Domain:
        """The domain that adopts, or gives back."""
        return self.adoption.as_domain

    @property
    def source(self) -> Domain:
        return self.domain if self.backwards else get_domain(CORE)

    @property
    def target(self) -> Domain:
        return get_domain(CORE) if self.backwards else self.domain

    @cached_property
    def tables(self) -> Mapping[QualifiedName, QualifiedName]:
        """Where each declared table is → where it is to be."""
        moves = self.adoption.moves
        return {new: old for old, new in moves.items()} if self.backwards else moves

    def __str__(self) -> str:
        apps = ", ".join(self.adoption.apps)
        return f"The adoption of {apps}" if not self.backwards else f"The return of {apps} to core"


def pending_moves(connection: BaseDatabaseWrapper, domain: Domain) -> list[Move]:
    """Return what the declarations in the domain's apps leave to be moved in the database.

    Raises:
        InvalidConfiguration: a declaration is invalid or contradicts the code, or the tables and
            the history are not in the same place.
    """
    found = []
    for adoption in read_adoptions(domain.app_labels):
        move = declared_move(adoption, domain)
        if is_pending(connection, move):
            _check_models(connection, move)
            found.append(move)
        elif _has_unwanted_views(connection, move):
            found.append(replace(move, only_drops_views=True))
    return found


def waiting_rows(connection: BaseDatabaseWrapper, domains: Sequence[Domain]) -> list[HistoryRow]:
    """Return the rows that declarations leave to be moved, which are applied all the same.

    Arguments:
        domains: whose declarations to look at.

    Raises:
        InvalidConfiguration: see ``pending_moves``.
    """
    return [
        row
        for domain in domains
        if any(map(adoption_file, domain.app_labels))
        for move in pending_moves(connection, domain)
        if not move.only_drops_views
        for row in _rows(read_histories(connection, [move.source])[move.source.name], move).values()
    ]


def check_rollback(options: MigrateOptions, moves: Iterable[Move]) -> None:
    """Check that a rollback does not begin with a move, for which nobody asked.

    Raises:
        InvalidConfiguration: tables or rows are still to be moved.
    """
    reverts = options.rollback is not None or options.target == ZERO
    for move in moves:
        if reverts and not move.only_drops_views:
            raise InvalidConfiguration(
                f"{move} is still to be run in this database, and a rollback does not run it.",
                hint=f"To run it: manage.py migrate_domain {move.domain.name}. To leave the"
                " database as it is, deploy the earlier code. Nothing was changed.",
            )


def _has_unwanted_views(connection: BaseDatabaseWrapper, move: Move) -> bool:
    is_unwanted = not move.backwards and move.adoption.compat_views_until is None
    return is_unwanted and bool(read_views_of_adoptions(connection, move.adoption.schema))


def declared_move(adoption: Adoption, domain: Domain) -> Move:
    """Return the move that a declaration in an app of the domain asks for.

    Raises:
        InvalidConfiguration: the code says something else.
    """
    if foreign := [label for label in adoption.apps if label not in domain.app_labels]:
        raise _contradiction(adoption, f"{shortened(foreign)} is not one of its apps", domain)
    if domain.is_core:
        if not adoption.undo:
            raise InvalidConfiguration(
                f"{adoption.path} moves {shortened(adoption.apps)} into the domain"
                f' "{adoption.domain}", but the code leaves the app in core.',
                hint="Deploy the code that makes its config a DomainConfig, or put it all back"
                f" with: manage.py adopt_domain {adoption.domain} --undo",
            )
        return Move(adoption, backwards=True)
    if adoption.undo:
        raise InvalidConfiguration(
            f"{adoption.path} moves {shortened(adoption.apps)} back to core, but the code has the"
            f' app in the domain "{domain.name}".',
            hint="Deploy the code in which it belongs to core, or remove undo = true.",
        )
    if (adoption.domain, adoption.schema) != (domain.name, domain.schema):
        raise _contradiction(adoption, f"the schema is {domain.schema}", domain)
    return Move(adoption)


def _contradiction(adoption: Adoption, what: str, domain: Domain) -> InvalidConfiguration:
    return InvalidConfiguration(
        f'{adoption.path} is about the domain "{adoption.domain}" in the schema'
        f' {adoption.schema}, but in the code, whose domain is "{domain.name}", {what}.',
        hint=f"Write it again: manage.py adopt_domain {domain.name} --write",
    )


def is_pending(connection: BaseDatabaseWrapper, move: Move) -> bool:
    """Return whether the database has the tables and the history in their old place.

    Raises:
        InvalidConfiguration: it has them in both places, or the tables in one and the history in
            the other.
    """
    histories = read_histories(connection, [move.source, move.target])
    at_source = _rows(histories[move.source.name], move)
    at_target = _rows(histories[move.target.name], move)
    names = [*move.tables, *move.tables.values()]
    found = existing_relations(connection, names)
    if move.backwards:
        views = read_views_of_adoptions(connection, move.source.schema)
        found -= {view.name for view in views}
    if not at_source:
        left = [old for old, new in move.tables.items() if old in found and new not in found]
        if at_target and left:
            raise _half(move, f"the rows of the history were moved, and {_are(left)} still there")
        return False
    if both := at_source.keys() & at_target.keys():
        rows = shortened([f"{app}.{name}" for app, name in sorted(both)])
        raise InvalidConfiguration(
            f"{move} cannot begin: both {move.source.history_table} and"
            f" {move.target.history_table} record {rows}.",
            hint="Delete the rows of the history that does not go with the tables."
            " Nothing was changed.",
        )
    for old, new in move.tables.items():
        if new in found and old in found:
            raise taken_name(move, old, new)
    if moved := [new for new in move.tables.values() if new in found]:
        raise _half(move, f"{_are(moved)} moved, and the rows of the history are not")
    expected = set(_expected(move, at_source))
    if lost := sorted(expected - found):
        raise InvalidConfiguration(
            f"{move} cannot begin: {move.source.history_table} records the migrations that create"
            f" {shortened(lost)}, which {'does' if len(lost) == 1 else 'do'} not exist.",
            hint="Restore the tables, or correct the names in the declaration."
            " Nothing was changed.",
        )
    return True


def _check_models(connection: BaseDatabaseWrapper, move: Move) -> None:
    """Check that the declaration moves the tables of all models, to where the models have them.

    Raises:
        InvalidConfiguration: a table would not be moved, or get a name that no model has.
    """
    labels = move.adoption.apps
    candidates: dict[QualifiedName, QualifiedName] = {}
    for model in own_models(Domain("", "", labels)):
        table = QualifiedName.of(model._meta.db_table)
        if table not in move.tables.values():
            default = truncate(f"{model._meta.app_label}_{model._meta.model_name}")
            for name in (default, table.name):
                candidates[QualifiedName(move.source.schema, name)] = table
    found = existing_relations(connection, [*candidates, *candidates.values()])
    left = {old: new for old, new in candidates.items() if old in found and new not in found}
    if any(map(_renames, _unrecorded(connection, move))):
        left = {old: new for old, new in left.items() if old not in move.tables}
    for old, new in sorted(left.items()):
        declared = move.tables.get(old)
        instead = f"declares it as {declared}" if declared else "does not declare it"
        raise InvalidConfiguration(
            f"{move} cannot begin: the code has {old} as {new}, and {move.adoption.path}"
            f" {instead}.",
            hint="Correct the names under [tables], or restore the file from version control."
            " Nothing was changed.",
        )


def _unrecorded(connection: BaseDatabaseWrapper, move: Move) -> Iterator[MigrationKey]:
    recorded = _rows(read_histories(connection, [move.source])[move.source.name], move)
    for label in move.adoption.apps:
        for path in migration_files(label):
            if (label, path.stem) not in recorded:
                yield MigrationKey(label, path.stem)


def _renames(key: MigrationKey) -> bool:
    """Return whether tables have another name before the migration than after it."""
    names = {operation.name for operation in header_of(key).operations}
    return not names.isdisjoint({"AlterModelTable", "RenameModel", "RenameField", "AlterField"})


def existing_relations(
    connection: BaseDatabaseWrapper, names: list[QualifiedName]
) -> set[QualifiedName]:
    """Return the names that a table, view, sequence or index has."""
    params = [[name.schema for name in names], [name.name for name in names]]
    return {QualifiedName(*row) for row in fetch_all(connection, EXISTING_RELATIONS, params)}


def taken_name(move: Move, old: object, new: object) -> InvalidConfiguration:
    """Return the error for a name that something else has in the place where it is moved to."""
    return InvalidConfiguration(
        f"{move} cannot begin: {old} is to become {new}, which exists already.",
        hint=f"Find out what {new} is, and rename or drop it; {old} has the rows of the app."
        " Nothing was changed.",
    )


def _rows(rows: list[HistoryRow], move: Move) -> dict[tuple[str, str], HistoryRow]:
    return {row.key: row for row in rows if row.app in move.adoption.apps}


def _expected(move: Move, rows: Mapping[tuple[str, str], HistoryRow]) -> Iterator[QualifiedName]:
    """Yield the tables that have to exist, because applied migrations create their models."""
    created = created_models(row.key for row in rows.values())
    target = {new: old for old, new in move.tables.items()}
    labels = set(move.adoption.apps)
    for model in own_models(Domain("", "", tuple(sorted(labels)))):
        if (model._meta.app_label, model._meta.model_name) in created:
            table = QualifiedName.of(model._meta.db_table)
            if table in target:
                yield target[table]


def _half(move: Move, state: str) -> InvalidConfiguration:
    old, new = move.source.schema, move.target.schema
    return InvalidConfiguration(
        f"{move} was done by hand, in part: {state}.",
        hint=f"Complete it by hand, or put it back: the tables belong in {new} together with the"
        f" rows of {move.target.history_table}, or in {old} with those of"
        f" {move.source.history_table}. Nothing was changed.",
    )


def _are(tables: list[QualifiedName]) -> str:
    return f"{shortened(tables)} {'is' if len(tables) == 1 else 'are'}"
