"""Views under the old names of moved tables, for old code that still runs during a deployment.

An adoption leaves them in core's schema, a transfer in that of the domain that had the table. Each
selects every column of one table, so PostgreSQL writes through it. Its comment says what it stands
in for and until when, and is how it is recognised.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ...backends.postgresql.names import quote
from ...domains import QualifiedName
from ..messages import shortened
from ..sessions.connection import fetch_all

COMMENT = "domain_migrations: stands in for {table.schema}.{table.name} until {until}"
OF_TRANSFER = ", left by the transfer of {model}"
READ_COMMENT = re.compile(
    r"domain_migrations: stands in for .* until (?P<until>\d{4}-\d\d-\d\d)"
    r"(?:, left by the transfer of (?P<model>\S+))?"
)

SELECT_VIEWS = r"""
SELECT DISTINCT ON (c.oid) c.oid, n.nspname, c.relname, m.nspname, t.relname, o.description,
    t.relrowsecurity AND NOT coalesce(
        (SELECT lower(option_value) IN ('true', 'on', 'yes', '1')
            FROM pg_options_to_table(c.reloptions) WHERE option_name = 'security_invoker'), false)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_description o ON o.classoid = 'pg_class'::regclass AND o.objoid = c.oid
    AND o.objsubid = 0 AND o.description LIKE 'domain\_migrations: stands in for %%'
JOIN pg_rewrite w ON w.ev_class = c.oid
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
    AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid
JOIN pg_class t ON t.oid = d.refobjid
JOIN pg_namespace m ON m.oid = t.relnamespace
WHERE c.relkind = 'v'
    AND (%(within)s::text IS NULL OR n.nspname = %(within)s)
    AND (%(of)s::text IS NULL OR m.nspname = %(of)s)
ORDER BY c.oid
"""


@dataclass(frozen=True)
class CompatView:
    """A view that stands in for a table that is in another schema now.

    Attributes:
        oid, name: of the view.
        table: what it stands in for.
        until: the last day on which it is wanted.
        model: the one whose table was transferred, as it was called before; "" where the table was
            adopted.
        shows_hidden_rows: whether it shows rows of the table that row security hides.
    """

    oid: int
    name: QualifiedName
    table: QualifiedName
    until: datetime.date
    model: str
    shows_hidden_rows: bool

    def is_named_in(self, detail: str) -> bool:
        """Return whether PostgreSQL names the view in a text about dependents."""
        names = {self.name.name, quote(self.name.name)}
        schemas = {"", f"{self.name.schema}.", f"{quote(self.name.schema)}."}
        return any(f"view {schema}{name} " in detail for schema in schemas for name in names)

    @property
    def is_expired(self) -> bool:
        return is_past(self.until)

    @property
    def end(self) -> str:
        """How to get rid of it, as the end of a sentence that begins with when."""
        if not self.model:
            return (
                "remove compat_views_until from adoption.toml, and run the command again: it drops"
                " the views first."
            )
        return f"{self.removal}."

    @property
    def removal(self) -> str:
        """How to get rid of one that a transfer has left, as a clause."""
        app = self.model.partition(".")[0]
        operation = f"RemoveCompatViews([{self.name.db_table!r}])"
        return f"drop it in a migration of {app}, with {operation} as its operation"


def is_past(day: datetime.date) -> bool:
    """Return whether a day is over, in UTC."""
    return day < datetime.datetime.now(tz=datetime.UTC).date()


def comment_statement(
    view: QualifiedName, table: QualifiedName, until: datetime.date, model: str = ""
) -> str:
    """Return the statement with the comment by which a view is recognised."""
    comment = COMMENT.format(table=table, until=until)
    if model:
        comment += OF_TRANSFER.format(model=model)
    name = sql.Identifier(*view)
    return sql.SQL("COMMENT ON VIEW {} IS {}").format(name, sql.Literal(comment)).as_string(None)


def drop_statement(view: CompatView) -> str:
    """Return the statement that drops a view."""
    return sql.SQL("DROP VIEW {}").format(sql.Identifier(*view.name)).as_string(None)


def advice_about_views(connection: BaseDatabaseWrapper, schema: str, text: str) -> str:
    """Return what to do about the views that are in the way; "" if none is.

    Arguments:
        schema: of the tables for which they stand in, or of the views.
        text: which objects depend on others, or which name is taken, in PostgreSQL's words.
    """
    found: list[CompatView] = []
    if "view " in text:
        views = read_compat_views(connection, of=schema)
        found = [view for view in views if view.is_named_in(text)]
    elif "already exists" in text:
        views = read_compat_views(connection, within=schema)
        found = [view for view in views if f'relation "{view.name.name}" already' in text]
    if not found:
        return ""
    names = shortened([str(view.name) for view in found])
    those = "The view {} stands" if len(found) == 1 else "The views {} stand"
    first = found[0]
    for_what = str(first.table) if first.model else "what was adopted"
    return (
        f"{those.format(names)} in for {for_what}, for older code, until {first.until}."
        f" Once none runs, {first.end}"
    )


def read_compat_views(
    connection: BaseDatabaseWrapper, *, within: str | None = None, of: str | None = None
) -> list[CompatView]:
    """Return the views that stand in for tables in other schemas.

    Arguments:
        within: the schema of the views; any unless given.
        of: the schema of the tables; any unless given.
    """
    return [
        CompatView(
            oid,
            QualifiedName(schema, name),
            QualifiedName(table_schema, table_name),
            until,
            match["model"] or "",
            shows_hidden_rows,
        )
        for oid, schema, name, table_schema, table_name, comment, shows_hidden_rows in fetch_all(
            connection, SELECT_VIEWS, {"within": within, "of": of}
        )
        if (match := READ_COMMENT.fullmatch(comment)) and (until := parsed_day(match["until"]))
    ]


def parsed_day(text: str) -> datetime.date | None:
    """Return the day of a comment, which somebody may have edited; None if there is no such day."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def compat_view_names(connection: BaseDatabaseWrapper, schema: str) -> list[str]:
    """Return the names of the views in a schema that stand in for tables in others."""
    return [view.name.name for view in read_compat_views(connection, within=schema)]


def read_views_of_adoptions(connection: BaseDatabaseWrapper, schema: str) -> list[CompatView]:
    """Return the views that adoptions have left for tables that are in the schema now."""
    return [view for view in read_compat_views(connection, of=schema) if not view.model]
