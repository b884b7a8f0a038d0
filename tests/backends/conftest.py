"""Three connections to one database: this backend, and stock Django's on two schemas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from psycopg import sql

from domain_migrations.backends.postgresql.names import format_table_name
from tests.backends.cases.sequence import APP, Spell

STOCK = "django.db.backends.postgresql"
QUALIFIED = "inventory"
THIRD = "third"


@dataclass(frozen=True)
class Place:
    """Where a story takes place: a schema, and a connection whose tables get there."""

    schema: str
    connection: BaseDatabaseWrapper
    spell: Spell

    def run(
        self, operations: list[Operation], state: ProjectState, *, atomic: bool = True
    ) -> ProjectState:
        """Apply the operations as one migration does; return the state after them."""
        migration = _migration(operations, atomic)
        with self.connection.schema_editor(atomic=atomic) as editor:
            return migration.apply(state.clone(), editor)

    def revert(
        self, operations: list[Operation], state: ProjectState, *, atomic: bool = True
    ) -> None:
        """Unapply the operations, from the state before them, as one migration does."""
        migration = _migration(operations, atomic)
        with self.connection.schema_editor(atomic=atomic) as editor:
            migration.unapply(state.clone(), editor)


def _migration(operations: list[Operation], atomic: bool) -> Migration:
    migration = Migration("0001_story", APP)
    migration.operations = operations
    migration.atomic = atomic
    return migration


@pytest.fixture(scope="module")
def stock(module_database: str) -> Iterator[Callable[..., BaseDatabaseWrapper]]:
    """`stock(name, **options)`: a connection of Django's own backend to the same database.

    It stays open for the module: a new session's first queries cost more than a test's others.
    """
    opened: list[str] = []

    def connect(name: str = "stock", **options: str) -> BaseDatabaseWrapper:
        if name not in opened:
            settings = {**connections["default"].settings_dict, "ENGINE": STOCK, "OPTIONS": options}
            connections.settings[name] = settings
            opened.append(name)
        return connections[name]

    yield connect
    for name in opened:
        connections[name].close()
        del connections[name]
        del connections.settings[name]


@pytest.fixture
def empty_schemas(module_database: str) -> None:
    """Nothing in the database but an empty `public` and an empty third schema."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'"
            " AND nspname <> 'information_schema'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
        for name in ("public", THIRD):
            cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))


@pytest.fixture
def qualified(empty_schemas: None) -> Place:
    """Qualified tables on this backend."""
    return Place(QUALIFIED, connections["default"], lambda name: format_table_name(QUALIFIED, name))


@pytest.fixture
def plain(empty_schemas: None, stock: Callable[..., BaseDatabaseWrapper]) -> Place:
    """The same tables unqualified on stock Django, in `public`."""
    return Place("public", stock("stock"), lambda name: name)


@pytest.fixture
def third(empty_schemas: None, stock: Callable[..., BaseDatabaseWrapper]) -> Place:
    """Once more in a third schema: whoever looks for a name alone finds three of it."""
    connection = stock("third", options=f"-c search_path={THIRD}")
    return Place(THIRD, connection, lambda name: name)
