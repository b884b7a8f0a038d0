"""A grammar of statements on the landscape, allowed ones and forbidden ones."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["legal", "changes", "touches"]
"""What a statement does outside of its domain: nothing that it may not, change something for
good, or only read it, lock it, depend on it or write what was there already."""

# {n} is new in each statement, {y} a new year.
INVENTORY_MAY = (
    "INSERT INTO inventory.drugs VALUES ({n}, 'X{n}', NULL)",
    "INSERT INTO inventory.drugs SELECT {n}, name, id FROM public.users LIMIT 1",
    "UPDATE inventory.drugs SET code = code || '{n}'",
    "DELETE FROM inventory.lots",
    "TRUNCATE inventory.lots",
    "CREATE TABLE inventory.t{n} (id int PRIMARY KEY, actor uuid REFERENCES public.users)",
    "CREATE TABLE inventory.t{n} (id bigserial PRIMARY KEY, centre bigint REFERENCES"
    " public.centres ON DELETE CASCADE, grade public.grade, twice int DEFAULT public.twice(2))",
    "CREATE TABLE inventory.users (id int)",
    "CREATE TABLE inventory.employees (id int PRIMARY KEY, name text)",
    "CREATE TABLE inventory.t{n} AS SELECT * FROM public.users",
    "CREATE TABLE inventory.t{n} PARTITION OF inventory.moves"
    " FOR VALUES FROM ('{y}-01-01') TO ('{y}-12-31')",
    "ALTER TABLE inventory.drugs ADD COLUMN c{n} int DEFAULT 1",
    "ALTER TABLE inventory.drugs ADD CONSTRAINT k{n} FOREIGN KEY (creator)"
    " REFERENCES public.users DEFERRABLE INITIALLY DEFERRED",
    "ALTER TABLE inventory.lots ADD COLUMN c{n} int REFERENCES public.drugs",
    "ALTER TABLE inventory.drugs ADD CONSTRAINT k{n} FOREIGN KEY (creator)"
    " REFERENCES public.users NOT VALID;"
    " ALTER TABLE inventory.drugs VALIDATE CONSTRAINT k{n}",
    "ALTER TABLE inventory.drugs DROP CONSTRAINT drugs_creator_fkey",
    "ALTER TABLE inventory.lots ALTER quantity TYPE bigint",
    "ALTER TABLE inventory.lots RENAME COLUMN quantity TO amount{n}",
    "ALTER TABLE inventory.lots RENAME TO lots{n}",
    "ALTER TABLE inventory.drugs ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE inventory.drugs SET (fillfactor = 70)",
    "CREATE POLICY p{n} ON inventory.drugs USING (code <> '')",
    "CREATE INDEX i{n} ON inventory.drugs (code)",
    "DROP INDEX inventory.drugs_code",
    "REINDEX TABLE inventory.drugs",
    "CREATE VIEW inventory.v{n} AS SELECT code, name FROM inventory.drugs"
    " JOIN public.users ON users.id = creator",
    "CREATE MATERIALIZED VIEW inventory.v{n} AS SELECT count(*) FROM public.users",
    "CREATE OR REPLACE VIEW inventory.codes AS SELECT code FROM inventory.drugs WHERE id > {n}",
    "CREATE FUNCTION inventory.f{n}() RETURNS int LANGUAGE sql AS 'SELECT public.twice(1)'",
    "CREATE OR REPLACE FUNCTION inventory.touch() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NULL; END'",
    "CREATE TRIGGER g{n} BEFORE UPDATE ON inventory.drugs"
    " FOR EACH ROW EXECUTE FUNCTION inventory.touch()",
    "CREATE TRIGGER g{n} BEFORE UPDATE ON inventory.lots"
    " FOR EACH ROW EXECUTE FUNCTION public.touch()",
    "CREATE TYPE inventory.y{n} AS ENUM ('a', 'b')",
    "CREATE DOMAIN inventory.y{n} AS int CHECK (VALUE > 0)",
    "ALTER TYPE inventory.form ADD VALUE 'v{n}'",
    "COMMENT ON TABLE inventory.drugs IS '{n}'",
    "COMMENT ON COLUMN inventory.drugs.code IS '{n}'",
    "COMMENT ON FUNCTION inventory.touch() IS '{n}'",
    "COMMENT ON SCHEMA inventory IS '{n}'",
    "GRANT SELECT ON inventory.drugs TO PUBLIC",
    "GRANT USAGE ON SCHEMA inventory TO PUBLIC",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA inventory GRANT SELECT ON TABLES TO PUBLIC",
    "CREATE SEQUENCE inventory.s{n}",
    "SELECT nextval('inventory.numbers')",
    "ALTER SEQUENCE inventory.numbers RESTART WITH {n}",
    "CREATE STATISTICS inventory.x{n} ON id, code FROM inventory.drugs",
    "DROP VIEW inventory.codes",
    "DROP TABLE inventory.lots",
    "DROP TABLE inventory.drugs CASCADE",
    "DROP FUNCTION inventory.touch()",
    "DROP TYPE inventory.form",
    "SELECT count(*) FROM public.users",
    "SELECT name FROM public.users FOR KEY SHARE",
    "SELECT code FROM public.drugs FOR UPDATE",
    "CREATE TEMPORARY TABLE t{n} ON COMMIT DROP AS SELECT * FROM public.users",
    "LOCK TABLE inventory.drugs",
)

# What is wrong in whoever's schema it is done; {s} is one that the domain must leave alone, and
# has a table of {rows} with a column {column}.
CHANGES_OF_OTHERS = (
    "CREATE TABLE {s}.t{n} (id int)",
    "CREATE VIEW {s}.v{n} AS SELECT 1 AS one",
    "CREATE MATERIALIZED VIEW {s}.v{n} AS SELECT 1 AS one",
    "CREATE SEQUENCE {s}.s{n}",
    "CREATE FUNCTION {s}.f{n}() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE PROCEDURE {s}.f{n}() LANGUAGE sql AS 'SELECT 1'",
    "CREATE AGGREGATE {s}.a{n} (int) (SFUNC = int4pl, STYPE = int)",
    "CREATE TYPE {s}.y{n} AS ENUM ('a')",
    "CREATE TYPE {s}.y{n} AS (a int)",
    "CREATE TYPE {s}.y{n} AS RANGE (SUBTYPE = int)",
    "CREATE DOMAIN {s}.y{n} AS int",
    'CREATE COLLATION {s}.c{n} FROM "C"',
    "CREATE OPERATOR {s}.=#= (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
    "CREATE TEXT SEARCH CONFIGURATION {s}.x{n} (COPY = simple)",
    "CREATE STATISTICS {s}.x{n} ON id, {column} FROM {s}.{rows}",
    "ALTER TABLE {s}.{rows} ADD COLUMN c{n} int",
    "ALTER TABLE {s}.{rows} ALTER COLUMN {column} SET DEFAULT '{n}'",
    "ALTER TABLE {s}.{rows} ALTER COLUMN {column} SET STATISTICS 77",
    "ALTER TABLE {s}.{rows} RENAME COLUMN {column} TO c{n}",
    "ALTER TABLE {s}.{rows} RENAME TO t{n}",
    "ALTER TABLE {s}.{rows} SET (fillfactor = 70)",
    "ALTER TABLE {s}.{rows} ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE {s}.{rows} REPLICA IDENTITY FULL",
    "ALTER TABLE {s}.{rows} ADD CONSTRAINT k{n} CHECK (id IS NOT NULL)",
    "ALTER TABLE {s}.{rows} OWNER TO pg_database_owner",
    "CREATE INDEX i{n} ON {s}.{rows} ({column})",
    "CREATE TRIGGER g{n} BEFORE UPDATE ON {s}.{rows} FOR EACH ROW EXECUTE FUNCTION {own}.touch()",
    "CREATE RULE r{n} AS ON INSERT TO {s}.{rows} DO ALSO NOTHING",
    "CREATE POLICY p{n} ON {s}.{rows} USING (true)",
    "COMMENT ON TABLE {s}.{rows} IS '{n}'",
    "COMMENT ON COLUMN {s}.{rows}.{column} IS '{n}'",
    "COMMENT ON SCHEMA {s} IS '{n}'",
    "GRANT SELECT ON {s}.{rows} TO PUBLIC",
    "GRANT SELECT ({column}) ON {s}.{rows} TO PUBLIC",
    "GRANT CREATE ON SCHEMA {s} TO PUBLIC",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT SELECT ON TABLES TO PUBLIC",
    "ALTER TABLE {own}.t SET SCHEMA {s}",
    "ALTER FUNCTION {own}.touch() SET SCHEMA {s}",
    "ALTER TYPE {own}.plain SET SCHEMA {s}",
    "ALTER SEQUENCE {own}.free SET SCHEMA {s}",
    "ALTER SCHEMA {s} OWNER TO pg_database_owner",
    "DROP TABLE {s}.{rows} CASCADE",
)
ROWS_OF_OTHERS = (
    "INSERT INTO {s}.{rows} (id) VALUES ({n})",
    "DELETE FROM {s}.{rows}",
    "WITH gone AS (DELETE FROM {s}.{rows} RETURNING id) SELECT count(*) FROM gone",
    "TRUNCATE {s}.{rows} CASCADE",
)
TOUCHES_OF_OTHERS = (
    "UPDATE {s}.{rows} SET id = id",
    "DELETE FROM {s}.{rows} WHERE false",
    "LOCK TABLE {s}.{rows} IN EXCLUSIVE MODE",
    "ANALYZE {s}.{rows}",
)
READS_OF_OTHERS = (
    "SELECT count(*) FROM {s}.{rows}",
    "SELECT {column} FROM {s}.{rows} FOR UPDATE",
    "CREATE TABLE {own}.t{n} AS SELECT * FROM {s}.{rows}",
    "CREATE TABLE {own}.t{n} (LIKE {s}.{rows})",
    "CREATE TABLE {own}.t{n} () INHERITS ({s}.{rows})",
    "CREATE TABLE {own}.t{n} (id int REFERENCES {s}.{rows})",
    "CREATE VIEW {own}.v{n} AS SELECT * FROM {s}.{rows}",
    "CREATE MATERIALIZED VIEW {own}.v{n} AS SELECT * FROM {s}.{rows}",
    "CREATE FUNCTION {own}.f{n}() RETURNS SETOF {s}.{rows} LANGUAGE plpgsql AS 'BEGIN RETURN; END'",
    "COPY {s}.{rows} TO '/dev/null'",
)
HR_CHANGES = (
    "UPDATE hr.employees SET name = '{n}'",
    "CALL hr.raise()",
    "SELECT nextval('hr.numbers')",
    "SELECT setval('hr.numbers', {n})",
    "ALTER SEQUENCE hr.numbers INCREMENT {n}",
    "ALTER TYPE hr.mood ADD VALUE 'v{n}'",
    "ALTER TYPE hr.mood RENAME VALUE 'good' TO 'v{n}'",
    "ALTER TYPE hr.pair ADD ATTRIBUTE c{n} int",
    "ALTER DOMAIN hr.age SET DEFAULT {n}",
    "ALTER DOMAIN hr.age ADD CONSTRAINT k{n} CHECK (VALUE < 200)",
    "CREATE OR REPLACE FUNCTION hr.salary(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT {n}'",
    "ALTER FUNCTION hr.salary(int) COST {n}",
    "ALTER FUNCTION hr.salary(int) RENAME TO f{n}",
    "COMMENT ON FUNCTION hr.salary(int) IS '{n}'",
    "COMMENT ON TYPE hr.mood IS '{n}'",
    "COMMENT ON INDEX hr.employees_name IS '{n}'",
    "COMMENT ON CONSTRAINT employees_pkey ON hr.employees IS '{n}'",
    "COMMENT ON VIEW hr.names IS '{n}'",
    "REVOKE EXECUTE ON FUNCTION hr.salary(int) FROM PUBLIC",
    "REVOKE USAGE ON TYPE hr.mood FROM PUBLIC",
    "GRANT USAGE ON SEQUENCE hr.numbers TO PUBLIC",
    "CREATE OR REPLACE VIEW hr.names AS SELECT name FROM hr.employees WHERE id > {n}",
    "ALTER VIEW hr.names RENAME TO v{n}",
    "ALTER INDEX hr.employees_name RENAME TO i{n}",
    "ALTER SCHEMA hr RENAME TO hr{n}",
    "DROP INDEX hr.employees_name",
    "DROP VIEW hr.names",
    "DROP FUNCTION hr.salary(int)",
    "DROP PROCEDURE hr.raise()",
    "DROP TYPE hr.mood",
    "DROP DOMAIN hr.age",
    "DROP SEQUENCE hr.numbers",
    "DROP COLLATION hr.plain",
    "DROP OPERATOR hr.=== (int, int)",
    "DROP SCHEMA hr CASCADE",
    "ALTER TABLE hr.employees DROP CONSTRAINT employees_actor_fkey",
    "CREATE TABLE hr.p{n} PARTITION OF hr.parts FOR VALUES FROM ('{y}-01-01') TO ('{y}-12-31')",
    "ALTER TABLE hr.employees SET SCHEMA {own}",
)
HR_TOUCHES = (
    "SELECT * FROM hr.names",
    "REFRESH MATERIALIZED VIEW hr.counts",
    "CREATE TABLE {own}.t{n} (mood hr.mood)",
    "CREATE TABLE {own}.t{n} (pay int DEFAULT hr.salary(1))",
    "CREATE TABLE {own}.t{n} (name text COLLATE hr.plain)",
    "CREATE TYPE {own}.y{n} AS (mood hr.mood)",
    "CREATE DOMAIN {own}.y{n} AS hr.age",
    "CREATE FUNCTION {own}.f{n}(hr.mood) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE VIEW {own}.v{n} AS SELECT hr.salary(1) AS pay",
    "CREATE TABLE {own}.t{n} (id int CHECK (hr.salary(id) > 0))",
    "CREATE TABLE {own}.t{n} (id int, pay int GENERATED ALWAYS AS (hr.salary(id)) STORED)",
    "ALTER TABLE {own}.t ADD COLUMN c{n} hr.mood",
    "CREATE TRIGGER g{n} BEFORE UPDATE ON {own}.t FOR EACH ROW EXECUTE FUNCTION hr.touch()",
    "CREATE INDEX i{n} ON {own}.t (hr.salary(id))",
    "DO $x$ BEGIN PERFORM count(*) FROM hr.employees; END $x$",
)
CORE_CHANGES = (
    "CREATE TABLE t{n} (id int)",
    "CREATE FUNCTION f{n}() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "UPDATE public.users SET name = '{n}'",
    "INSERT INTO public.users VALUES (gen_random_uuid(), '{n}')",
    "INSERT INTO public.centres (code) VALUES ('{n}')",
    "SELECT nextval('public.numbers')",
    "ALTER SEQUENCE public.numbers INCREMENT {n}",
    "ALTER TYPE public.grade ADD VALUE 'v{n}'",
    "CREATE OR REPLACE FUNCTION public.twice(int) RETURNS int LANGUAGE sql IMMUTABLE"
    " AS 'SELECT {n}'",
    "COMMENT ON FUNCTION public.twice(int) IS '{n}'",
    "COMMENT ON TRIGGER users_touch ON public.users IS '{n}'",
    "COMMENT ON CONSTRAINT users_pkey ON public.users IS '{n}'",
    "COMMENT ON INDEX public.drugs_code IS '{n}'",
    "REVOKE EXECUTE ON FUNCTION public.twice(int) FROM PUBLIC",
    "ALTER TABLE public.users DISABLE TRIGGER users_touch",
    "ALTER TABLE public.users DROP CONSTRAINT users_name_check",
    "ALTER TABLE public.users ALTER name DROP NOT NULL",
    "ALTER TABLE public.audit DROP CONSTRAINT audit_actor_fkey",
    "ALTER TABLE public.audit ADD CONSTRAINT k{n} FOREIGN KEY (id) REFERENCES {own}.t",
    "ALTER INDEX public.drugs_code RENAME TO i{n}",
    "DROP TRIGGER users_touch ON public.users",
    "DROP INDEX public.drugs_code",
    "DROP FUNCTION public.twice(int)",
    "DROP TYPE public.grade",
    "DROP SEQUENCE public.numbers",
    "DROP TABLE public.centres",
    "DROP TABLE public.users CASCADE",
    "CREATE SCHEMA s{n}",
    "DROP TABLE {own}.legacy CASCADE",
)
CORE_TOUCHES = (
    "UPDATE public.users SET name = name",
    "DELETE FROM public.audit",
    "INSERT INTO public.drugs SELECT 1, '' WHERE false",
)
CORE_MAY = (
    "CREATE TABLE public.t{n} (id int PRIMARY KEY, actor uuid REFERENCES public.users)",
    "CREATE TABLE t{n} (id int)",
    "ALTER TABLE public.users ADD COLUMN c{n} int",
    "ALTER TABLE public.drugs ADD CONSTRAINT k{n} FOREIGN KEY (id) REFERENCES public.audit"
    " NOT VALID",
    "ALTER TABLE public.users ALTER name TYPE varchar(500)",
    "UPDATE public.users SET name = '{n}'",
    "INSERT INTO public.centres (code) VALUES ('{n}')",
    "DELETE FROM public.audit",
    "CREATE FUNCTION public.f{n}() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION public.twice(int) RETURNS int LANGUAGE sql IMMUTABLE"
    " AS 'SELECT {n}'",
    "CREATE TRIGGER g{n} BEFORE UPDATE ON public.drugs"
    " FOR EACH ROW EXECUTE FUNCTION public.touch()",
    "CREATE VIEW public.v{n} AS SELECT * FROM public.users",
    "CREATE TYPE public.y{n} AS ENUM ('a')",
    "ALTER TYPE public.grade ADD VALUE 'v{n}'",
    "COMMENT ON TABLE public.users IS '{n}'",
    "GRANT SELECT ON public.users TO PUBLIC",
    "CREATE INDEX i{n} ON public.drugs (code)",
    "DROP INDEX public.drugs_code",
    "DROP TABLE public.employees",
    "CREATE SEQUENCE public.s{n}",
    "SELECT nextval('public.numbers')",
)

CAUGHT = "EXCEPTION WHEN division_by_zero THEN NULL; END; END $do$"
"""The end of a DO block whose inner block is a savepoint."""

OTHERS: Mapping[str, tuple[str, str]] = {
    "hr": ("employees", "name"),
    "public": ("drugs", "code"),
    "nobodys": ("imports", "note"),
    "inventory": ("drugs", "code"),
}
"""A table of each schema, with a column beside its id."""


@dataclass(frozen=True)
class Statement:
    """One thing a migration does.

    Attributes:
        rolled_back: it is in a savepoint that is rolled back.
    """

    sql: str
    kind: Kind
    rolled_back: bool = False

    @property
    def effect(self) -> Kind:
        return "legal" if self.rolled_back else self.kind


class Grammar:
    """Makes random statements of a domain's migrations."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.number = 1000

    def statements(self, domain: str) -> list[Statement]:
        """A migration's statements: up to four, of which about every second is illegal."""
        count = self.chance.randint(1, 4)
        wrong = self.chance.randrange(count) if self.chance.random() < 0.6 else None
        return [
            self._wrapped(domain, *self._statement(domain, wrong=number == wrong))
            for number in range(count)
        ]

    def _statement(self, domain: str, *, wrong: bool) -> tuple[str, Kind]:
        self.number += 1
        own = "public" if domain == "core" else domain
        kind: Kind = "legal"
        schema = own
        template = self.chance.choice(CORE_MAY if domain == "core" else INVENTORY_MAY)
        if wrong:
            schema = self.chance.choice(
                ["hr", "inventory"] if domain == "core" else ["hr", "public", "nobodys"]
            )
            kind, templates = self.chance.choice(list(illegal(schema)))
            template = self.chance.choice(templates)
        rows, column = OTHERS[schema]
        values = {"s": schema, "own": own, "rows": rows, "column": column}
        year = 2000 + self.number % 7000
        return template.format(n=self.number, y=year, **values), kind

    def _wrapped(self, domain: str, statement: str, kind: Kind) -> Statement:
        own = "public" if domain == "core" else domain
        n = self.number
        block = f"BEGIN EXECUTE $q${statement}$q$; "
        way = self.chance.randrange(12)
        if statement.startswith(("ANALYZE", "REINDEX", "CALL", "DO", "COPY")) or way < 5:
            return Statement(statement, kind)
        if way == 5:
            return Statement(f"DO $do$ {block}END $do$", kind)
        if way == 6:
            caught = (
                f"DO $do$ BEGIN {block}EXCEPTION WHEN division_by_zero THEN NULL; END; END $do$"
            )
            return Statement(caught, kind)
        if way == 7:
            return Statement(f"SAVEPOINT s{n}; {statement}; RELEASE SAVEPOINT s{n}", kind)
        if way == 8:
            called = f"CREATE FUNCTION {own}.do{n}() RETURNS void LANGUAGE plpgsql AS $do$ {block}"
            return Statement(f"{called}END $do$; SELECT {own}.do{n}()", kind)
        if way == 9:
            deferred = (
                f"CREATE TABLE {own}.q{n} (id int);"
                f" CREATE FUNCTION {own}.q{n}() RETURNS trigger LANGUAGE plpgsql"
                f" AS $do$ {block}RETURN NULL; END $do$;"
                f" CREATE CONSTRAINT TRIGGER later AFTER INSERT ON {own}.q{n}"
                f" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {own}.q{n}();"
                f" INSERT INTO {own}.q{n} VALUES (1)"
            )
            return Statement(deferred, kind)
        if "val(" in statement:  # Sequences do not go back.
            return Statement(statement, kind)
        if way == 10:
            rolled_back = f"SAVEPOINT s{n}; {statement}; ROLLBACK TO SAVEPOINT s{n}"
            return Statement(rolled_back, kind, rolled_back=True)
        rolled_back = f"DO $do$ BEGIN {block}RAISE division_by_zero; {CAUGHT}"
        return Statement(rolled_back, kind, rolled_back=True)


def illegal(schema: str) -> Sequence[tuple[Kind, Sequence[str]]]:
    """What another domain, or core, may not do in the schema."""
    everyones: list[tuple[Kind, Sequence[str]]] = [("changes", CHANGES_OF_OTHERS)]
    if schema == "nobodys":  # Its rows are for everyone.
        return everyones
    everyones += [("changes", ROWS_OF_OTHERS), ("touches", TOUCHES_OF_OTHERS)]
    if schema == "public":
        return [*everyones, ("changes", CORE_CHANGES), ("touches", CORE_TOUCHES)]
    everyones.append(("touches", READS_OF_OTHERS))
    if schema == "hr":
        everyones += [("changes", HR_CHANGES), ("touches", HR_TOUCHES)]
    return everyones
