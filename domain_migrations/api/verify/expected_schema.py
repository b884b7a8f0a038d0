"""The schema that a domain's applied migrations make, in a scratch database."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from ...domains import Domain
from ...engine.alterations.definition import SchemaDefinition
from ...engine.alterations.renames import Rename, follow_renames
from ...engine.catalog.compat_views import compat_view_names
from ..migrated_scratch import migrated_scratch


@dataclass(frozen=True)
class ExpectedSchema:
    """What the migrations make, and what the database has.

    Attributes:
        definition: what they make, under the names that the database has.
        renames: how these names came about, in their order.
    """

    definition: SchemaDefinition
    live: SchemaDefinition
    renames: list[Rename]


def expected_schema(
    domain: Domain,
    alias: str,
    migrations: Collection[tuple[str, str]],
    read_live: Callable[[SchemaDefinition], SchemaDefinition],
) -> ExpectedSchema:
    """Return what the migrations make in an empty database on the alias's server.

    Arguments:
        migrations: those to apply, of the domain and of core, with all that they depend on.
        read_live: reads the schema of the database, given what the migrations make.

    Raises:
        InsufficientPrivilege: the role may not create databases.
        MigrationFailed: the migrations cannot be applied.
    """
    own = [table.name for table in domain.engine_tables]
    with migrated_scratch(domain, alias, migrations) as connection:

        def read() -> SchemaDefinition:
            views = compat_view_names(connection, domain.schema)
            return SchemaDefinition.read(connection, domain.schema, exclude=[*own, *views])

        made = read()
        live = read_live(made)
        definition, renames = follow_renames(connection, made, live, read)
        return ExpectedSchema(definition, live, renames)
