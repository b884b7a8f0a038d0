"""Names that are taken in the schema to which a transfer moves something."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from ....domains import QualifiedName
from ....exceptions import InvalidConfiguration
from ...catalog.compat_views import read_compat_views
from ...messages import shortened
from ...sessions.connection import fetch_all
from ..adoption.moves import existing_relations
from ..adoption.objects import MovedObject

# A table takes along its indexes, the sequences of its columns, its row type and that one's array.
# What is renamed besides gets a new name for its array.
SELECT_TAKEN = """
WITH target AS (
    SELECT to_regnamespace(quote_ident(%(schema)s))::oid AS oid
), moved AS (
    SELECT * FROM unnest(%(oids)s::oid[], %(kinds)s::text[], %(olds)s::text[], %(news)s::text[])
        AS m (oid, kind, old, new)
), tables AS (
    SELECT c.*, m.old, m.new FROM moved m JOIN pg_class c USING (oid) WHERE m.kind LIKE '%%TABLE'
), relations AS (
    SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'index' END AS kind, c.relname AS name
    FROM tables t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class c ON c.oid = i.indexrelid
  UNION ALL
    SELECT 'sequence', c.relname FROM tables t
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
        AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
), types AS (
    SELECT 'row type' AS kind, t.new AS name FROM tables t
  UNION ALL
    SELECT 'row type', y.typname FROM tables t JOIN pg_type p ON p.oid = t.reltype
    JOIN pg_type y ON y.oid = p.typarray WHERE t.old = t.new
  UNION ALL
    SELECT 'type', y.typname FROM moved m JOIN pg_type p ON p.oid = m.oid
    JOIN pg_type y ON y.oid IN (p.oid, p.typarray) WHERE m.kind IN ('TYPE', 'DOMAIN')
)
SELECT r.kind, r.name FROM relations r, target
JOIN pg_class c ON c.relnamespace = target.oid WHERE c.relname = r.name
UNION ALL
SELECT y.kind, y.name FROM types y, target
JOIN pg_type p ON p.typnamespace = target.oid
LEFT JOIN pg_class c ON c.oid = p.typrelid AND c.relkind <> 'c'
LEFT JOIN pg_type e ON e.oid = p.typelem AND p.typcategory = 'A'
LEFT JOIN pg_class ec ON ec.oid = e.typrelid
WHERE p.typname = y.name AND coalesce(c.relname, ec.relname, '') <> ALL (%(free)s)
UNION ALL
SELECT lower(m.kind), m.old FROM moved m JOIN pg_proc f ON f.oid = m.oid, target
JOIN pg_proc g ON g.pronamespace = target.oid
WHERE m.kind IN ('FUNCTION', 'PROCEDURE')
    AND (g.proname, g.proargtypes) = (f.proname, f.proargtypes)
UNION ALL
SELECT 'statistics', m.old FROM moved m, target
JOIN pg_statistic_ext s ON s.stxnamespace = target.oid
WHERE m.kind = 'STATISTICS' AND s.stxname = m.new
ORDER BY 1, 2
"""


def check_names_are_free(
    connection: BaseDatabaseWrapper,
    objects: Sequence[MovedObject],
    source: str,
    target: str,
    free: Collection[QualifiedName],
) -> None:
    """Check that nothing in the new schema has the name of what moves there.

    Arguments:
        source, target: the schemas.
        free: names that nothing has by the time when the objects move.

    Raises:
        InvalidConfiguration: a name is taken, by a view for older code for example.
    """
    relations = [item for item in objects if item.is_relation]
    taken = existing_relations(connection, [item.new for item in relations]).difference(free)
    clashes = [f"{item.old} to {item.new}" for item in relations if item.new in taken]
    for view in read_compat_views(connection, within=target) if taken else ():
        if view.model and view.name in taken:
            raise InvalidConfiguration(
                f"{shortened(clashes)} cannot be moved: the view {view.name} stands in for"
                f" {view.table}, for older code.",
                hint=f"When no old code runs any more, {view.removal}; that comes before this one."
                " Nothing was changed.",
            )
    params = {
        "schema": target,
        "oids": [item.oid for item in objects],
        "kinds": [item.kind for item in objects],
        "olds": [item.old.name for item in objects],
        "news": [item.new.name for item in objects],
        "free": [name.name for name in free],
    }
    parts = fetch_all(connection, SELECT_TAKEN, params) if not clashes else []
    clashes += [
        f"{kind} {QualifiedName(source, name)} to {QualifiedName(target, name)}"
        for kind, name in parts
        if (kind, name.removeprefix("_")) not in parts or not name.startswith("_")
    ]
    if clashes:
        raise InvalidConfiguration(
            f"{shortened(clashes)} cannot be moved: the name is taken.",
            hint="Find out what has the name, and rename or drop it, or choose another name in"
            " both migrations. Nothing was changed.",
        )
