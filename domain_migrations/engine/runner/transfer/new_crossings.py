"""References that a transfer lets cross a boundary, looked up before it is committed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ....domains import get_domains
from ....exceptions import InvalidConfiguration
from ...boundary.recorded_references import Crossing, RecordedReference, crossings
from ...boundary.schema_owners import SchemaOwners
from ...messages import shortened
from ...sessions.connection import fetch_all

SELECT_NAMES = """
WITH home AS (
    SELECT to_regnamespace(quote_ident(%(schema)s))::oid AS oid
), object AS (
    SELECT 'pg_class'::regclass AS class, c.oid FROM pg_class c, home
        WHERE c.relnamespace = home.oid
    UNION ALL SELECT 'pg_type'::regclass, t.oid FROM pg_type t, home
        WHERE t.typnamespace = home.oid
    UNION ALL SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p, home
        WHERE p.pronamespace = home.oid
)
SELECT home.oid::bigint, o.class::bigint, o.oid::bigint, i.identity
FROM home, object o, LATERAL pg_identify_object(o.class, o.oid, 0) i
"""


class NamesBefore(NamedTuple):
    """What can leave a schema, before it does.

    Attributes:
        schema: its oid.
        identities: by catalog and oid.
    """

    schema: int
    identities: Mapping[tuple[int, int], str]

    def has_left(self, key: tuple[int, int], schema: int) -> bool:
        """Return whether an object was in the schema, and is in another one now."""
        return schema != self.schema and key in self.identities

    def as_before(self, reference: RecordedReference) -> RecordedReference:
        """Return a reference with the names that its ends had, which they get back."""
        return reference._replace(
            place=self.identities.get(reference.object, reference.place),
            used=self.identities.get(reference.used_object, reference.used),
        )


def names_in(connection: BaseDatabaseWrapper, schema: str) -> NamesBefore:
    """Return the names of the relations, types and functions in a schema."""
    rows = fetch_all(connection, SELECT_NAMES, {"schema": schema})
    oid = rows[0][0] if rows else 0
    return NamesBefore(oid, {(catalog, number): name for _, catalog, number, name in rows})


def check_crossings(connection: BaseDatabaseWrapper, transfer: str, before: NamesBefore) -> None:
    """Refuse a transfer after which what has moved, or what uses it, crosses a boundary.

    Arguments:
        transfer: its name, which begins the message.

    Raises:
        InvalidConfiguration: with each reference, and the statement that removes it.
    """
    owners = SchemaOwners(get_domains()[0])
    owners.read(connection)
    found = [
        Crossing(before.as_before(reference), user, used)
        for reference, user, used in crossings(connection, owners)
        if before.has_left(reference.object, reference.schema)
        or before.has_left(reference.used_object, reference.used_schema)
    ]
    if not found:
        return
    boundaries = dict.fromkeys(f'"{each.used.name}"' for each in found)
    removals = dict.fromkeys(each.reference.removal for each in found)
    raise InvalidConfiguration(
        f"{transfer} cannot begin, because the boundary of {shortened(list(boundaries))} would be"
        f" crossed: {shortened([each.reference.clause for each in found])}.",
        hint=f"{' '.join(removals)} Do that in a migration before; what is still needed can be"
        " created again in one after, from objects that it may use then. Nothing was changed.",
    )
