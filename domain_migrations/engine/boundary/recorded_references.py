"""References between schemas that PostgreSQL has recorded, and those that cross a boundary.

Nothing is written, and no table needs to be readable.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain
from ..messages import Finding
from ..sessions.connection import fetch_all
from ..sql.query import run_sql
from .rule import depends_hint, may_depend_on, owner_clause
from .schema_owners import SchemaOwners

STATEMENTS = {
    "foreign key": "ALTER TABLE {place} DROP CONSTRAINT {name};",
    "constraint": "ALTER TABLE {place} DROP CONSTRAINT {name};",
    "view": "DROP VIEW {place};",
    "materialized view": "DROP MATERIALIZED VIEW {place};",
    "trigger": "DROP TRIGGER {name} ON {place};",
    "default of": "ALTER TABLE {place} ALTER COLUMN {name} DROP DEFAULT;",
    "generated column": "ALTER TABLE {place} DROP COLUMN {name};",
    "rule": "DROP RULE {name} ON {place};",
    "policy": "DROP POLICY {name} ON {place};",
    "index": "DROP INDEX {place};",
    "function": "DROP FUNCTION {place};",
    "procedure": "DROP PROCEDURE {place};",
    "aggregate": "DROP AGGREGATE {place};",
    "sequence": "ALTER SEQUENCE {place} OWNED BY NONE;",
    "operator": "DROP OPERATOR {place};",
    "statistics object": "DROP STATISTICS {place};",
}
"""The statement that removes a reference, by the kind of object."""

BY_ID = {
    "B008": "ALTER TABLE {place} NO INHERIT {used};",
    "B009": "ALTER TABLE {used} DETACH PARTITION {place};",
}

# Starts from the used objects, because those of domains are few in a database of many; then what
# depends on them, and the owner of each kind of dependent. Parts count as their relation. What a
# partition inherits counts as its parent's, and a view's columns as its query's.
SELECT_CROSSINGS = r"""
WITH used AS MATERIALIZED (
    SELECT 'pg_class'::regclass::oid AS class, oid, relnamespace AS schema FROM pg_class
        WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
    UNION ALL SELECT 'pg_proc'::regclass, oid, pronamespace FROM pg_proc
    UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace FROM pg_type
    UNION ALL SELECT 'pg_operator'::regclass, oid, oprnamespace FROM pg_operator
    UNION ALL SELECT 'pg_collation'::regclass, oid, collnamespace FROM pg_collation
    UNION ALL SELECT 'pg_opclass'::regclass, oid, opcnamespace FROM pg_opclass
    UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfnamespace FROM pg_opfamily
    UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgnamespace FROM pg_ts_config
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictnamespace FROM pg_ts_dict
), d AS MATERIALIZED (
    SELECT DISTINCT x.classid AS class, x.objid AS oid,
        CASE WHEN x.classid = 'pg_class'::regclass THEN x.objsubid ELSE 0 END AS part,
        used.class AS used_class, used.oid AS used, used.schema AS used_schema
    FROM used JOIN pg_depend x ON x.refclassid = used.class AND x.refobjid = used.oid
    WHERE used.schema = ANY(%(used)s::oid[]) AND x.deptype NOT IN ('e', 'x')
        AND NOT EXISTS (SELECT FROM pg_depend e
            WHERE e.classid = x.classid AND e.objid = x.objid AND e.deptype = 'e')
), found AS (
    SELECT CASE contype WHEN 'f' THEN 'B001' ELSE 'B015' END AS id,
        CASE contype WHEN 'f' THEN 'foreign key' ELSE 'constraint' END AS kind,
        c.relnamespace AS schema, c.oid AS relation, k.conname AS name, d.*
    FROM d JOIN pg_constraint k ON d.class = 'pg_constraint'::regclass AND k.oid = d.oid
        JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.conparentid = 0 AND (k.conislocal OR k.contype = 'f')
  UNION ALL
    SELECT CASE WHEN w.rulename <> '_RETURN' THEN 'B010' WHEN c.relkind = 'v' THEN 'B002'
            ELSE 'B003' END,
        CASE WHEN w.rulename <> '_RETURN' THEN 'rule' WHEN c.relkind = 'v' THEN 'view'
            ELSE 'materialized view' END,
        c.relnamespace, c.oid, nullif(w.rulename, '_RETURN'), d.*
    FROM d JOIN pg_rewrite w ON d.class = 'pg_rewrite'::regclass AND w.oid = d.oid
        JOIN pg_class c ON c.oid = w.ev_class
  UNION ALL
    SELECT 'B004', 'trigger', c.relnamespace, c.oid, t.tgname, d.*
    FROM d JOIN pg_trigger t ON d.class = 'pg_trigger'::regclass AND t.oid = d.oid
        JOIN pg_class c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND t.tgparentid = 0
  UNION ALL
    SELECT CASE a.attgenerated WHEN '' THEN 'B005' ELSE 'B006' END,
        CASE a.attgenerated WHEN '' THEN 'default of' ELSE 'generated column' END,
        c.relnamespace, c.oid, a.attname, d.*
    FROM d JOIN pg_attrdef f ON d.class = 'pg_attrdef'::regclass AND f.oid = d.oid
        JOIN pg_class c ON c.oid = f.adrelid
        JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
    WHERE a.attislocal
  UNION ALL
    SELECT 'B007', 'type', c.relnamespace, c.oid, NULL, d.*
    FROM d JOIN pg_class c ON d.class = 'pg_class'::regclass AND c.oid = d.oid
    WHERE c.relkind = 'c'
  UNION ALL
    SELECT CASE d.used_class WHEN 'pg_type'::regclass THEN 'B007' ELSE 'B016' END,
        'column', c.relnamespace, c.oid, a.attname, d.*
    FROM d JOIN pg_class c ON d.class = 'pg_class'::regclass AND c.oid = d.oid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.part
    WHERE c.relkind IN ('r', 'p', 'f') AND d.part > 0 AND a.attislocal
  UNION ALL
    SELECT CASE WHEN d.used_class = 'pg_type'::regclass THEN 'B007'
            WHEN c.relispartition THEN 'B009' ELSE 'B008' END,
        'table', c.relnamespace, c.oid, NULL, d.*
    FROM d JOIN pg_class c ON d.class = 'pg_class'::regclass AND c.oid = d.oid
    WHERE c.relkind IN ('r', 'p', 'f') AND d.part = 0
  UNION ALL
    SELECT CASE c.relkind WHEN 'S' THEN 'B012' ELSE 'B015' END,
        CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'index' END,
        c.relnamespace, c.oid, NULL, d.*
    FROM d JOIN pg_class c ON d.class = 'pg_class'::regclass AND c.oid = d.oid
    WHERE c.relkind IN ('S', 'i', 'I') AND NOT c.relispartition
  UNION ALL
    SELECT 'B011', 'policy', c.relnamespace, c.oid, p.polname, d.*
    FROM d JOIN pg_policy p ON d.class = 'pg_policy'::regclass AND p.oid = d.oid
        JOIN pg_class c ON c.oid = p.polrelid
  UNION ALL
    SELECT 'B013', CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate'
            ELSE 'function' END, p.pronamespace, NULL, NULL, d.*
    FROM d JOIN pg_proc p ON d.class = 'pg_proc'::regclass AND p.oid = d.oid
  UNION ALL
    SELECT 'B007', 'type', t.typnamespace, NULL, NULL, d.*
    FROM d JOIN pg_type t ON d.class = 'pg_type'::regclass AND t.oid = d.oid
    WHERE t.typrelid = 0 AND t.typcategory <> 'A'
  UNION ALL
    SELECT 'B015', 'constraint of the type', t.typnamespace, NULL, NULL,
        'pg_type'::regclass, t.oid, 0, d.used_class, d.used, d.used_schema
    FROM d JOIN pg_constraint k ON d.class = 'pg_constraint'::regclass AND k.oid = d.oid
        JOIN pg_type t ON t.oid = k.contypid
  UNION ALL
    SELECT 'B016', i.type, n.oid, NULL, NULL, d.*
    FROM d, LATERAL pg_identify_object(d.class, d.oid, 0) i
        JOIN pg_namespace n ON n.nspname = i.schema
    WHERE d.class NOT IN ('pg_constraint'::regclass, 'pg_rewrite'::regclass,
        'pg_trigger'::regclass, 'pg_attrdef'::regclass, 'pg_class'::regclass,
        'pg_policy'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass)
)
SELECT DISTINCT found.id, found.kind, found.schema, found.used_schema,
    CASE WHEN relation IS NULL THEN itself.identity
        ELSE format('%%I.%%I', n.nspname, c.relname) END,
    quote_ident(found.name), other.type, other.identity,
    CASE WHEN relation IS NULL THEN found.class ELSE 'pg_class'::regclass::oid END::bigint,
    coalesce(relation, found.oid)::bigint, found.used_class::bigint, found.used::bigint
FROM found
    LEFT JOIN pg_class c ON c.oid = found.relation
    LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL pg_identify_object(found.class, found.oid, 0) itself
    CROSS JOIN LATERAL pg_identify_object(found.used_class, found.used, 0) other
WHERE (found.schema <> found.used_schema OR %(within)s) AND NOT EXISTS (SELECT FROM pg_depend e
    WHERE e.classid = 'pg_class'::regclass AND e.objid = found.relation AND e.deptype = 'e')
    -- Views under the old names of moved tables; see L008.
    AND NOT (found.id = 'B002' AND EXISTS (SELECT FROM pg_description o
        WHERE o.classoid = 'pg_class'::regclass AND o.objoid = found.relation AND o.objsubid = 0
            AND o.description ~ '^domain_migrations: stands in for .* until \d{4}-\d\d-\d\d'))
ORDER BY 5, 6, 1, 8
"""

SELECT_SCHEMA = "SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = %s"

VERBS = {
    "B001": "references",
    "B008": "inherits from",
    "B009": "is a partition of",
    "B012": "is owned by a column of",
}


class RecordedReference(NamedTuple):
    """A reference of an object to one in another schema.

    Attributes:
        id: of the finding that it is where it crosses a boundary.
        place: the object, or the relation that it is a part of, as PostgreSQL writes it.
        name: of the part, quoted where it has to be.
        object, used_object: the catalogs and oids of the place and of what is used.
    """

    id: str
    kind: str
    schema: int
    used_schema: int
    place: str
    name: str | None
    used_kind: str
    used: str
    object: tuple[int, int]
    used_object: tuple[int, int]

    @property
    def title(self) -> str:
        return f"{self.place}.{self.name}" if self.name else self.place

    @property
    def clause(self) -> str:
        """Who uses what, as a part of a sentence."""
        verb = VERBS.get(self.id, "uses")
        return f"the {self.kind} {self.title} {verb} the {self.used_kind} {self.used}"

    @property
    def sentence(self) -> str:
        """Who uses what, without an end."""
        return f"T{self.clause[1:]}"

    @property
    def statement(self) -> str:
        """The statement that removes it; empty where more is to be done."""
        if self.id == "B007":
            return ""
        found = BY_ID.get(self.id) or STATEMENTS.get(self.kind, "")
        return found.format(**self._asdict())

    @property
    def removal(self) -> str:
        """What to do about it, as a sentence."""
        if self.id == "B007":
            return "Use a type of its own domain or of core."
        if not self.statement:
            return "Drop it, or build it from objects of its own domain and of core."
        return f"Remove it with: {self.statement}"


class Crossing(NamedTuple):
    """A reference that breaks the rule, with the domains of its ends."""

    reference: RecordedReference
    user: Domain
    used: Domain

    @property
    def finding(self) -> Finding:
        reference, user = self.reference, self.user
        message = f"{reference.sentence}, {owner_clause(self.used)}."
        hint = f"{depends_hint(user)} {reference.removal}"
        return Finding(reference.id, "boundary", user.name, reference.title, message, hint)


def crossings(connection: BaseDatabaseWrapper, owners: SchemaOwners) -> Iterator[Crossing]:
    """Yield each recorded reference that breaks the rule.

    Arguments:
        owners: seen from core, so that the schemas of all domains are another domain's.
    """
    for reference in _read(connection, owners.other_domains):
        user, used = owners.owner_or_core(reference.schema), owners.owner(reference.used_schema)
        if user is not None and used is not None and not may_depend_on(user, used):
            yield Crossing(reference, user, used)


def crossings_after(
    connection: BaseDatabaseWrapper,
    owners: SchemaOwners,
    moved: Collection[tuple[int, int]],
    source: int,
    target: Domain,
) -> Iterator[Crossing]:
    """Yield each recorded reference that would break the rule if objects were in another schema.

    Arguments:
        owners: as for ``crossings``.
        moved: the catalogs and oids of the objects, with their parts.
        source: the schema that they leave.
        target: the domain that gets them.
    """
    for reference in _read(connection, [*owners.other_domains, source], within=True):
        leaves, follows = reference.object in moved, reference.used_object in moved
        if leaves == follows:
            continue
        user = target if leaves else owners.owner_or_core(reference.schema)
        used = target if follows else owners.owner(reference.used_schema)
        if user is not None and used is not None and not may_depend_on(user, used):
            yield Crossing(reference, user, used)


def uses_from_outside(connection: BaseDatabaseWrapper, schema: str) -> Iterator[str]:
    """Yield a sentence for each use of a schema that would be a finding if it were a domain's.

    Arguments:
        schema: its name, unquoted.
    """
    [(oid,)] = fetch_all(connection, SELECT_SCHEMA, [schema])
    for reference in _read(connection, [oid]):
        yield f"{reference.sentence}, which verify_domain will report. {reference.removal}"


def _read(
    connection: BaseDatabaseWrapper, used_schemas: Sequence[int], *, within: bool = False
) -> Iterator[RecordedReference]:
    """Yield the references of objects outside to what is in one of the schemas.

    Arguments:
        within: also those of objects in the same schema.
    """
    params = {"used": list(used_schemas), "within": within}
    [rows] = run_sql(connection, SELECT_CROSSINGS, params)
    for *row, catalog, oid, used_catalog, used_oid in rows:
        yield RecordedReference._make((*row, (catalog, oid), (used_catalog, used_oid)))
