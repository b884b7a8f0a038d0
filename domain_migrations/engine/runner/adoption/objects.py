"""Objects that an adoption moves to another schema: the tables, and what belongs to them alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper

from ....backends.postgresql.names import quote
from ....domains import QualifiedName, get_domains
from ...catalog.compat_views import CompatView
from ...sessions.connection import fetch_all
from ...sources.files import migration_files
from .moves import Move, existing_relations, taken_name

# Partitions and children do not follow their parent.
SELECT_TABLES = """
WITH RECURSIVE tree AS (
    SELECT c.oid FROM pg_class c
    WHERE c.relnamespace = to_regnamespace(quote_ident(%(schema)s)) AND c.relname = ANY(%(names)s)
        AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
    UNION
    SELECT c.oid FROM tree
        JOIN pg_inherits i ON i.inhparent = tree.oid
        JOIN pg_class c ON c.oid = i.inhrelid
    WHERE c.relnamespace = to_regnamespace(quote_ident(%(schema)s))
)
SELECT c.oid, CASE c.relkind WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'v' THEN 'VIEW'
        WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,
    c.relname, quote_ident(c.relname)
FROM tree JOIN pg_class c USING (oid) ORDER BY c.relname
"""

SELECT_STATISTICS = """
SELECT s.oid, 'STATISTICS', s.stxname, quote_ident(s.stxname)
FROM pg_statistic_ext s
WHERE s.stxrelid = ANY(%(relations)s)
    AND s.stxnamespace = to_regnamespace(quote_ident(%(schema)s))
ORDER BY s.stxname
"""

# An owned sequence and the row type of a table follow the table. The dependents of an array are
# its element's; those of an index, a default, a rule and so on are their relation's.
SELECT_CANDIDATES = """
WITH home AS (
    SELECT to_regnamespace(quote_ident(%(schema)s))::oid AS oid
), candidate AS MATERIALIZED (
    SELECT 'pg_class'::regclass::oid AS class, c.oid, c.relname AS name,
        CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
            ELSE 'SEQUENCE' END AS kind
    FROM pg_class c, home
    WHERE c.relnamespace = home.oid AND c.relkind IN ('v', 'm', 'S')
        AND NOT EXISTS (SELECT FROM pg_depend o WHERE o.classid = 'pg_class'::regclass
            AND o.objid = c.oid AND c.relkind = 'S' AND o.deptype IN ('a', 'i'))
  UNION ALL
    SELECT 'pg_type'::regclass::oid, t.oid, t.typname,
        CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END
    FROM pg_type t LEFT JOIN pg_class r ON r.oid = t.typrelid, home
    WHERE t.typnamespace = home.oid
        AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND r.relkind = 'c')
  UNION ALL
    SELECT 'pg_proc'::regclass::oid, p.oid, p.proname,
        CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END
    FROM pg_proc p, home
    WHERE p.pronamespace = home.oid AND p.prokind IN ('f', 'p')
        AND (p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype)
            OR p.proname = ANY(%(named)s))
), member AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), edge AS (
    SELECT d.refclassid AS class,
        CASE WHEN d.refclassid = 'pg_type'::regclass THEN coalesce(e.oid, d.refobjid)
            ELSE d.refobjid END AS oid,
        CASE WHEN u.relation IS NULL THEN d.classid ELSE 'pg_class'::regclass::oid END
            AS user_class,
        coalesce(u.relation, d.objid) AS user_oid
    FROM pg_depend d
    LEFT JOIN pg_type e ON d.refclassid = 'pg_type'::regclass AND e.typarray = d.refobjid
    CROSS JOIN LATERAL (SELECT coalesce(
        (SELECT indrelid FROM pg_index
            WHERE d.classid = 'pg_class'::regclass AND indexrelid = d.objid),
        CASE WHEN d.classid = 'pg_class'::regclass THEN d.objid END,
        (SELECT adrelid FROM pg_attrdef WHERE d.classid = 'pg_attrdef'::regclass AND oid = d.objid),
        (SELECT nullif(conrelid, 0) FROM pg_constraint
            WHERE d.classid = 'pg_constraint'::regclass AND oid = d.objid),
        (SELECT ev_class FROM pg_rewrite
            WHERE d.classid = 'pg_rewrite'::regclass AND oid = d.objid),
        (SELECT tgrelid FROM pg_trigger
            WHERE d.classid = 'pg_trigger'::regclass AND oid = d.objid),
        (SELECT polrelid FROM pg_policy
            WHERE d.classid = 'pg_policy'::regclass AND oid = d.objid)
    )) AS u (relation)
    WHERE d.deptype IN ('n', 'a')
        AND d.refclassid IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass)
        AND NOT EXISTS (SELECT FROM pg_constraint k  -- of the domain itself
            WHERE d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
                AND d.refclassid = 'pg_type'::regclass AND k.contypid = d.refobjid)
)
SELECT c.class, c.oid, c.kind, c.name,
    CASE WHEN c.class = 'pg_proc'::regclass THEN
        quote_ident(c.name) || '(' || pg_get_function_identity_arguments(c.oid) || ')'
        ELSE quote_ident(c.name) END,
    ARRAY(SELECT DISTINCT edge.user_class || ' ' || edge.user_oid FROM edge
        WHERE edge.class = c.class AND edge.oid = c.oid
            AND (edge.user_class, edge.user_oid) <> (c.class, c.oid)),
    ARRAY(SELECT DISTINCT edge.oid::bigint FROM edge
        WHERE c.kind IN ('VIEW', 'MATERIALIZED VIEW') AND edge.class = 'pg_class'::regclass
            AND edge.user_class = c.class AND edge.user_oid = c.oid AND edge.oid <> c.oid)
FROM candidate c
WHERE NOT EXISTS (SELECT FROM member WHERE classid = c.class AND objid = c.oid)
ORDER BY c.kind, c.name
"""


PG_CLASS, PG_PROC, PG_TYPE = 1259, 1255, 1247
"""The oids of these catalogs, the same in every database."""


class MovedObject(NamedTuple):
    """An object that moves to another schema.

    Attributes:
        kind: as ``ALTER`` names it.
        old, new: its name before and afterwards, unquoted; a function's without arguments.
        identity: how a statement names it in its old schema, quoted, with a function's arguments.
    """

    oid: int
    kind: str
    old: QualifiedName
    new: QualifiedName
    identity: str

    @property
    def is_relation(self) -> bool:
        return self.kind in ("TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE")

    def __str__(self) -> str:
        return f"{self.old.schema}.{self.identity}"

    def statements(self, taken: Collection[QualifiedName]) -> Iterator[str]:
        """Yield the statements that move and rename it.

        Arguments:
            taken: names that other objects have in the new schema.
        """
        source, target = quote(self.old.schema), quote(self.new.schema)
        rename = f"RENAME TO {quote(self.new.name)}"
        if self.old.name == self.new.name:
            yield f"ALTER {self.kind} {source}.{self.identity} SET SCHEMA {target}"
        elif QualifiedName(self.new.schema, self.old.name) in taken:
            yield f"ALTER {self.kind} {source}.{self.identity} {rename}"
            yield f"ALTER {self.kind} {source}.{quote(self.new.name)} SET SCHEMA {target}"
        else:
            yield f"ALTER {self.kind} {source}.{self.identity} SET SCHEMA {target}"
            yield f"ALTER {self.kind} {target}.{self.identity} {rename}"


@dataclass(frozen=True)
class Candidate:
    """An object that follows if nothing else uses it.

    Attributes:
        users: the objects that depend on it, relations for their parts.
        used: the relations that a view reads.
    """

    key: str
    moved: MovedObject
    users: frozenset[str]
    used: frozenset[int]


def moved_objects(
    connection: BaseDatabaseWrapper,
    move: Move,
    *,
    named: Collection[str] = (),
    replaced: Collection[CompatView] = (),
) -> list[MovedObject]:
    """Return what the move takes along, tables first.

    Views and materialized views over the tables, and types, sequences and trigger functions that
    only they use follow, unless a model of another app is that view. So do functions that the
    apps' migrations name in the new schema.

    Arguments:
        named: the names of functions that move back.
        replaced: views that are dropped before anything moves.

    Raises:
        InvalidConfiguration: a name is taken in the new schema.
    """
    source = move.source.schema
    names = {old.name: new for old, new in move.tables.items()}
    params = {"schema": source, "names": list(names)}
    tables = [
        _moved(move, oid, kind, name, identity, names.get(name))
        for oid, kind, name, identity in fetch_all(connection, SELECT_TABLES, params)
    ]
    names_in_code = set(named) if move.backwards else _names_in_migrations(move)
    gone = [view.oid for view in replaced]
    oids = [table.oid for table in tables]
    followers = _followers(connection, move, oids, gone, names_in_code)
    relations = [item.oid for item in (*tables, *followers) if item.is_relation]
    statistics = [
        _moved(move, *row)
        for row in fetch_all(
            connection, SELECT_STATISTICS, {"schema": source, "relations": relations}
        )
    ]
    found = [*tables, *followers, *statistics]
    free = {view.name for view in replaced}
    _check_free(connection, move, found, free)
    return found


def _moved(
    move: Move,
    oid: int,
    kind: str,
    name: str,
    identity: str,
    new: QualifiedName | None = None,
) -> MovedObject:
    old = QualifiedName(move.source.schema, name)
    return MovedObject(oid, kind, old, new or QualifiedName(move.target.schema, name), identity)


def _followers(
    connection: BaseDatabaseWrapper,
    move: Move,
    tables: Sequence[int],
    gone: Sequence[int],
    named: set[str],
) -> list[MovedObject]:
    params = {"schema": move.source.schema, "named": sorted(named)}
    kept = _names_of_other_models(move)
    found: dict[str, Candidate] = {}
    for class_oid, oid, kind, name, identity, users, used in fetch_all(
        connection, SELECT_CANDIDATES, params
    ):
        if not (kind.endswith("VIEW") and name in kept) and oid not in tables:
            key = f"{class_oid} {oid}"
            item = _moved(move, oid, kind, name, identity)
            found[key] = Candidate(key, item, frozenset(users), frozenset(used))
    chosen = _over(found.values(), set(tables))
    return exclusive_followers(found, chosen, [*tables, *gone], named)


def exclusive_followers(
    found: dict[str, Candidate],
    chosen: dict[str, Candidate],
    relations: Iterable[int],
    named: Collection[str] = (),
) -> list[MovedObject]:
    """Return those of the objects that nothing uses but what moves.

    Arguments:
        found: the candidates by key.
        chosen: those that move if nothing else uses them.
        relations: the oids of what moves in any case, or is gone.
        named: the names of functions that move if nothing else uses them.
    """
    found, chosen = dict(found), dict(chosen)
    moved = {f"{PG_CLASS} {oid}" for oid in relations}
    # Whatever is used by something that stays, stays too.
    while True:
        together = moved | chosen.keys()
        for candidate in found.values():
            if candidate.moved.is_relation and candidate.moved.kind != "SEQUENCE":
                continue
            is_named = candidate.moved.old.name in named
            if candidate.users & together or is_named:
                chosen.setdefault(candidate.key, candidate)
        together = moved | chosen.keys()
        staying = [key for key, item in chosen.items() if not item.users <= together]
        if not staying:
            return [item.moved for item in chosen.values()]
        for key in staying:
            del chosen[key], found[key]


def _over(candidates: Iterable[Candidate], tables: set[int]) -> dict[str, Candidate]:
    """Return the views over the tables, and those over such views."""
    views = [item for item in candidates if item.moved.kind.endswith("VIEW")]
    reached, chosen = set(tables), dict[str, Candidate]()
    while found := [item for item in views if item.key not in chosen and item.used & reached]:
        chosen |= {item.key: item for item in found}
        reached |= {item.moved.oid for item in found}
    return chosen


def _names_in_migrations(move: Move) -> set[str]:
    """Return what the migrations of the apps name in the domain's schema."""
    schema = re.escape(move.domain.schema)
    pattern = re.compile(rf"\b{schema}[\\\"]*\.[\\\"]*(\w+)", re.IGNORECASE)
    return {
        name
        for label in move.adoption.apps
        for path in migration_files(label)
        for name in pattern.findall(path.read_text(encoding="utf-8", errors="replace"))
    }


def _names_of_other_models(move: Move) -> set[str]:
    """Return the names in the old schema that models of other apps have as their table."""
    labels = {label for domain in get_domains() for label in domain.app_labels}
    return {
        table.name
        for label in labels.difference(move.adoption.apps)
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        if (table := QualifiedName.of(model._meta.db_table)).schema == move.source.schema
    }


def _check_free(
    connection: BaseDatabaseWrapper,
    move: Move,
    objects: Sequence[MovedObject],
    free: Collection[QualifiedName],
) -> None:
    relations = [item for item in objects if item.is_relation]
    taken = existing_relations(connection, [item.new for item in relations])
    for item in relations:
        if item.new in taken and item.new not in free:
            raise taken_name(move, item.old, item.new)
