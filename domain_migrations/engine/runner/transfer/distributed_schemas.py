"""Transfers on a Citus cluster, where a table stays in the schema that it was distributed in."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from ....domains import Domain
from ....exceptions import InvalidConfiguration
from ...cluster.cluster import read_cluster


def check_not_distributed(
    connection: BaseDatabaseWrapper, what: str, source: Domain, target: Domain
) -> None:
    """Refuse a transfer from or into a schema that is distributed in the database.

    Raises:
        InvalidConfiguration: one of the schemas is.
    """
    cluster = read_cluster(connection)
    if cluster is None:
        return
    for schema in (source.schema, target.schema):
        if cluster.is_distributed(schema):
            raise InvalidConfiguration(
                f"{what} is not possible: the schema {schema} is distributed, and Citus lets no"
                " table of a distributed schema change its schema.",
                hint="Create a model with a table of its own in the other app, copy the rows in a"
                " migration, and delete the old model afterwards. Nothing was changed.",
            )
