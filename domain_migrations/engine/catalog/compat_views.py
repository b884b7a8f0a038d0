"""Views under the old names of adopted tables, for old code that still runs during a deployment.

Each view selects every column of one table, so PostgreSQL writes through it. Its comment says
what it stands in for and until when, and is how it is recognised.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

from ...backends.postgresql.names import quote
from ...domains import CORE_SCHEMA
from ..messages import shortened
from ..sessions.connection import fetch_all

COMMENT = "domain_migrations: stands in for {schema}.{name} until {until}"
READ_COMMENT = re.compile(
    r"domain_migrations: stands in for (?P<name>.*) until (?P<until>\d{4}-\d\d-\d\d)"
)

SELECT_VIEWS = r"""
SELECT c.oid, c.relname, o.description
FROM pg_class c JOIN pg_description o ON o.classoid = 'pg_class'::regclass AND o.objoid = c.oid
    AND o.objsubid = 0 AND o.description LIKE 'domain\_migrations: stands in for %%'
WHERE c.relkind = 'v' AND c.relnamespace = to_regnamespace(quote_ident(%(core)s))
    AND EXISTS (SELECT FROM pg_depend d
        JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
        JOIN pg_class t ON d.refclassid = 'pg_class'::regclass AND t.oid = d.refobjid
        WHERE w.ev_class = c.oid AND t.oid <> c.oid
            AND (%(schema)s::text IS NULL
                OR t.relnamespace = to_regnamespace(quote_ident(%(schema)s))))
ORDER BY 1
"""


@dataclass(frozen=True)
class CompatView:
    """A view in core's schema that stands in for a table of a domain.

    Attributes:
        oid, name: of the view.
        until: the last day on which it is wanted.
    """

    oid: int
    name: str
    until: datetime.date

    def is_named_in(self, detail: str) -> bool:
        """Return whether PostgreSQL names the view in a text about dependents."""
        names = {self.name, quote(self.name)}
        return any(
            f"view {core}{name} " in detail for core in ("", f"{CORE_SCHEMA}.") for name in names
        )

    @property
    def is_expired(self) -> bool:
        return self.until < datetime.datetime.now(tz=datetime.UTC).date()


def advice_about_views(connection: BaseDatabaseWrapper, schema: str, detail: str) -> str:
    """Return what to do about the views that PostgreSQL names as dependents; "" if none is.

    Arguments:
        schema: of the tables for which they stand in.
        detail: which objects depend on others, in PostgreSQL's words.
    """
    views = read_compat_views(connection, schema) if "view " in detail else []
    found = [view for view in views if view.is_named_in(detail)]
    if not found:
        return ""
    names = shortened([f"{CORE_SCHEMA}.{view.name}" for view in found])
    those = "The view {} stands" if len(found) == 1 else "The views {} stand"
    return (
        f"{those.format(names)} in for what was adopted, for older code, until {found[0].until}."
        " Once none runs, remove compat_views_until from adoption.toml, and run the command again:"
        " it drops the views first."
    )


def read_compat_views(
    connection: BaseDatabaseWrapper, schema: str | None = None
) -> list[CompatView]:
    """Return the views in core's schema that stand in for something in another one.

    Arguments:
        schema: the other schema; any unless given.
    """
    params = {"core": CORE_SCHEMA, "schema": schema}
    return [
        CompatView(oid, name, datetime.date.fromisoformat(match["until"]))
        for oid, name, comment in fetch_all(connection, SELECT_VIEWS, params)
        if (match := READ_COMMENT.fullmatch(comment))
    ]
