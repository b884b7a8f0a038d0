"""Statements that a migration of inventory may and may not run on the landscape."""

from __future__ import annotations

from domain_migrations.engine.boundary.rule import DOMAIN_DEPENDS
from domain_migrations.engine.guard.violations import (
    CORE_ROWS,
    CORE_SHAPE,
    SCHEMA_NAME,
    WHOLE_DATABASE,
)
from tests.engine.guard.violation_cases import CORE, HR, IN_INVENTORY, NOBODY, ONLY_INVENTORY

KEEP_NAME = SCHEMA_NAME.format(schema="inventory")
OWNERS = {"hr": f", {HR}", "core": f", {CORE}", "nobody": f", {NOBODY}"}

# (SQL, what the refusal says of it, the hint)
VIOLATIONS = (
    (
        "SELECT * FROM hr.employees",
        "took AccessShareLock on hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "UPDATE hr.employees SET name='x'",
        "took RowExclusiveLock on hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "DROP TABLE hr.employees CASCADE",
        "took AccessExclusiveLock on hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER TABLE hr.employees SET SCHEMA inventory",
        "took AccessExclusiveLock on hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "TRUNCATE hr.employees",
        "took AccessExclusiveLock on hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE FUNCTION hr.f() RETURNS int LANGUAGE sql AS 'select 1'",
        "made function hr.f(){hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'",
        "made function public.f(){core}.",
        IN_INVENTORY,
    ),
    (
        "CREATE OR REPLACE FUNCTION hr.salary(int) RETURNS int LANGUAGE sql AS 'select 1'",
        "altered function hr.salary(integer){hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "DROP FUNCTION hr.salary",
        "took AccessExclusiveLock on function salary in hr{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER FUNCTION hr.salary RENAME TO s2",
        "altered function hr.s2(integer){hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER FUNCTION hr.salary COST 5",
        "altered function hr.salary(integer){hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER FUNCTION hr.salary SET SCHEMA inventory",
        "moved function salary out of the schema hr{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "GRANT EXECUTE ON FUNCTION hr.salary TO PUBLIC",
        "altered function hr.salary(integer){hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE TYPE hr.t AS ENUM ('a')",
        "made type hr.t{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE TYPE t AS ENUM ('a')",
        "made type public.t{core}.",
        IN_INVENTORY,
    ),
    (
        "CREATE DOMAIN hr.d AS int",
        "made type hr.d{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER TYPE hr.mood ADD VALUE 'x'",
        "altered type hr.mood{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER TYPE hr.mood RENAME VALUE 'bad' TO 'x'",
        "altered type hr.mood{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "DROP TYPE hr.mood",
        "took AccessExclusiveLock on type mood in hr{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER TYPE hr.mood RENAME TO m2",
        "altered type hr.m2{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER DOMAIN hr.age ADD CHECK (VALUE<5)",
        "altered type hr.age{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER DOMAIN hr.age SET NOT NULL",
        "altered type hr.age{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER DOMAIN hr.age SET DEFAULT 5",
        "altered type hr.age{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "GRANT SELECT ON hr.employees TO PUBLIC",
        "altered table hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "GRANT SELECT (name) ON hr.employees TO PUBLIC",
        "altered table hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "GRANT SELECT ON users TO PUBLIC",
        "altered table public.users{core}.",
        CORE_SHAPE,
    ),
    (
        "GRANT SELECT ON centres TO PUBLIC",
        "altered table public.centres{core}.",
        CORE_SHAPE,
    ),
    (
        "GRANT USAGE ON SCHEMA hr TO PUBLIC",
        "altered schema hr{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "GRANT SELECT ON SEQUENCE hr.numbers TO PUBLIC",
        "altered sequence hr.numbers{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "GRANT USAGE ON TYPE hr.mood TO PUBLIC",
        "altered type hr.mood{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER SCHEMA hr RENAME TO hr2",
        "altered schema hr{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER SCHEMA inventory RENAME TO i2",
        "renamed the schema inventory.",
        KEEP_NAME,
    ),
    (
        "DROP SCHEMA hr CASCADE",
        "took AccessExclusiveLock on hr.django_migrations_hr{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE SCHEMA x",
        "made schema x{nobody}.",
        ONLY_INVENTORY,
    ),
    (
        "COMMENT ON SCHEMA hr IS 'x'",
        "took ShareUpdateExclusiveLock on schema hr{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "COMMENT ON TABLE hr.employees IS 'x'",
        "took ShareUpdateExclusiveLock on hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "COMMENT ON FUNCTION hr.salary IS 'x'",
        "took ShareUpdateExclusiveLock on function salary in hr{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "COMMENT ON COLUMN hr.employees.name IS 'x'",
        "took ShareUpdateExclusiveLock on hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "COMMENT ON TYPE hr.mood IS 'x'",
        "took ShareUpdateExclusiveLock on type mood in hr{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "SELECT nextval('hr.numbers')",
        "took RowExclusiveLock on hr.numbers{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "SELECT nextval('public.numbers')",
        "took RowExclusiveLock on public.numbers{core}.",
        CORE_ROWS,
    ),
    (
        "CREATE SEQUENCE hr.s",
        "took AccessExclusiveLock on hr.s{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE TABLE hr.t (id int)",
        "took AccessExclusiveLock on hr.t{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE TABLE t (id int)",
        "made public.t{core}.",
        IN_INVENTORY,
    ),
    (
        "CREATE VIEW inventory.v AS SELECT * FROM hr.employees",
        "made view inventory.v use table column hr.employees.actor{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE VIEW inventory.v AS SELECT hr.salary(1)",
        "made view inventory.v use function hr.salary(integer){hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER TABLE inventory.drugs ADD COLUMN m hr.mood",
        "made table column inventory.drugs.m use type hr.mood{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER TABLE inventory.drugs ALTER code SET DEFAULT hr.salary(1)::text",
        "made default value for inventory.drugs.code use function hr.salary(integer){hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER TABLE inventory.drugs ALTER id SET DEFAULT nextval('hr.numbers')",
        "made default value for inventory.drugs.id use sequence hr.numbers{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE TRIGGER x BEFORE UPDATE ON inventory.drugs FOR EACH ROW EXECUTE "
        "FUNCTION hr.touch()",
        "made trigger x on inventory.drugs use function hr.touch(){hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER TABLE inventory.lots ADD COLUMN e int REFERENCES hr.employees",
        "took ShareRowExclusiveLock on hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE TRIGGER x BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION public.touch()",
        "took ShareRowExclusiveLock on public.users{core}, and changed its trigger x.",
        CORE_SHAPE,
    ),
    (
        "DROP TRIGGER users_touch ON users",
        "took AccessExclusiveLock on public.users{core}, and no foreign key explains it.",
        CORE_SHAPE,
    ),
    (
        "ALTER TABLE users ADD COLUMN x int",
        "took AccessExclusiveLock on public.users{core}, and changed its column x.",
        CORE_SHAPE,
    ),
    (
        "ALTER TABLE users DROP COLUMN name",
        "took AccessExclusiveLock on public.users{core}, and changed its columns.",
        CORE_SHAPE,
    ),
    (
        "ALTER TABLE centres DROP CONSTRAINT centres_code_key",
        "took AccessExclusiveLock on public.centres{core}, and no foreign key explains it.",
        CORE_SHAPE,
    ),
    (
        "DROP INDEX public.drugs_code",
        "took AccessExclusiveLock on public.drugs{core}, and no foreign key explains it.",
        CORE_SHAPE,
    ),
    (
        "CREATE INDEX ON users (name)",
        "took ShareLock on public.users{core}.",
        CORE_SHAPE,
    ),
    (
        "LOCK TABLE users",
        "took AccessExclusiveLock on public.users{core}, and no foreign key explains it.",
        CORE_SHAPE,
    ),
    (
        "LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE",
        "took ShareRowExclusiveLock on public.users{core}, and no foreign key explains it.",
        CORE_SHAPE,
    ),
    (
        "TRUNCATE drugs",
        "took AccessExclusiveLock on public.drugs{core}, and changed the table itself.",
        CORE_SHAPE,
    ),
    (
        "UPDATE users SET name='x'",
        "took RowExclusiveLock on public.users{core}.",
        CORE_ROWS,
    ),
    (
        "DELETE FROM users",
        "took RowExclusiveLock on public.users{core}.",
        CORE_ROWS,
    ),
    (
        "DROP TABLE drugs",
        "took AccessExclusiveLock on public.drugs{core}, and no foreign key explains it.",
        CORE_SHAPE,
    ),
    (
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        "took AccessExclusiveLock on public.users{core}, and changed the table itself.",
        CORE_SHAPE,
    ),
    (
        "ALTER TABLE centres SET (fillfactor=50)",
        "took ShareUpdateExclusiveLock on public.centres{core}.",
        CORE_SHAPE,
    ),
    (
        "ALTER TABLE users RENAME TO u2",
        "took AccessExclusiveLock on public.users{core}, and changed the table itself.",
        CORE_SHAPE,
    ),
    (
        "ALTER TABLE users ALTER name DROP NOT NULL",
        "took AccessExclusiveLock on public.users{core}, and changed its column name.",
        CORE_SHAPE,
    ),
    (
        "ALTER TABLE users ALTER name DROP DEFAULT",
        "took AccessExclusiveLock on public.users{core}, and changed its column name.",
        CORE_SHAPE,
    ),
    (
        "ALTER TABLE users DROP CONSTRAINT users_name_check",
        "took AccessExclusiveLock on public.users{core}, and changed the table itself.",
        CORE_SHAPE,
    ),
    (
        "CREATE POLICY p ON users",
        "took AccessExclusiveLock on public.users{core}, and changed its policy p.",
        CORE_SHAPE,
    ),
    (
        "CREATE RULE r AS ON DELETE TO users DO INSTEAD NOTHING",
        "took AccessExclusiveLock on public.users{core}, and changed its rule r.",
        CORE_SHAPE,
    ),
    (
        "ALTER TABLE users DISABLE TRIGGER users_touch",
        "took ShareRowExclusiveLock on public.users{core}, and changed its trigger users_touch.",
        CORE_SHAPE,
    ),
    (
        "COMMENT ON TABLE users IS 'x'",
        "took ShareUpdateExclusiveLock on public.users{core}.",
        CORE_SHAPE,
    ),
    (
        "ANALYZE users",
        "took ShareUpdateExclusiveLock on public.users{core}.",
        CORE_SHAPE,
    ),
    (
        "CREATE STATISTICS public.st ON id, code FROM drugs",
        "took ShareUpdateExclusiveLock on public.drugs{core}.",
        CORE_SHAPE,
    ),
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA hr GRANT SELECT ON TABLES TO PUBLIC",
        "made default acl for role postgres in schema hr on tables{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
        "altered the default privileges of every schema.",
        "Add IN SCHEMA inventory.",
    ),
    (
        "CREATE OPERATOR hr.==== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
        "made operator hr.====(integer,integer){hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "DROP OPERATOR hr.=== (int,int)",
        "took AccessExclusiveLock on operator === in hr{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        'CREATE COLLATION hr.c2 FROM "C"',
        "made collation hr.c2{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "DROP COLLATION hr.plain",
        "took AccessExclusiveLock on collation plain in hr{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE AGGREGATE hr.a (int) (SFUNC=int4pl, STYPE=int)",
        "made aggregate hr.a(integer){hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE STATISTICS hr.st ON id, code FROM inventory.drugs",
        "made statistics object hr.st{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CALL hr.raise()",
        "took RowExclusiveLock on hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "REFRESH MATERIALIZED VIEW hr.counts",
        "took AccessExclusiveLock on hr.counts{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE TABLE nobodys.t (id int)",
        "took AccessExclusiveLock on nobodys.t{nobody}.",
        ONLY_INVENTORY,
    ),
    (
        "ALTER TABLE nobodys.imports ADD x int",
        "took AccessExclusiveLock on nobodys.imports{nobody}.",
        ONLY_INVENTORY,
    ),
    (
        "DROP TABLE inventory.legacy CASCADE",
        "took AccessExclusiveLock on hr.legacy{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE TABLE inventory.pp PARTITION OF hr.parts FOR VALUES FROM "
        "('2020-01-01') TO ('2021-01-01')",
        "took AccessExclusiveLock on hr.parts{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER SEQUENCE hr.numbers RESTART",
        "took ShareRowExclusiveLock on hr.numbers{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "DELETE FROM hr.django_migrations_hr",
        "took RowExclusiveLock on hr.django_migrations_hr{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE FUNCTION inventory.g() RETURNS hr.mood LANGUAGE sql AS 'select null::hr.mood'",
        "made function inventory.g() use type hr.mood{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE FUNCTION inventory.g(hr.employees) RETURNS int LANGUAGE plpgsql AS 'begin end'",
        "made function inventory.g(hr.employees) use type hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "DO $$ BEGIN EXECUTE 'UPDATE hr.employees SET name = 1'; END $$",
        "took RowExclusiveLock on hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "DROP VIEW hr.names",
        "took AccessExclusiveLock on hr.names{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "DROP SEQUENCE hr.numbers",
        "took AccessExclusiveLock on hr.numbers{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER TABLE users OWNER TO CURRENT_USER",
        "took AccessExclusiveLock on public.users{core}, and no foreign key explains it.",
        CORE_SHAPE,
    ),
    (
        "REINDEX TABLE users",
        "took ShareLock on public.users{core}.",
        CORE_SHAPE,
    ),
    (
        "CLUSTER users USING users_pkey",
        "took AccessExclusiveLock on public.users{core}, and changed its index users_pkey.",
        CORE_SHAPE,
    ),
    (
        "GRANT SELECT ON centres TO PUBLIC; ALTER TABLE inventory.drugs ADD c "
        "bigint REFERENCES centres",
        "took ShareRowExclusiveLock on public.centres{core}, and changed the table itself.",
        CORE_SHAPE,
    ),
    (
        "ALTER TABLE inventory.drugs ADD c bigint REFERENCES centres; DROP INDEX public.drugs_code",
        "took AccessExclusiveLock on public.drugs{core}, and no foreign key explains it.",
        CORE_SHAPE,
    ),
    (
        "CREATE TABLE hr.t AS SELECT 1",
        "took AccessExclusiveLock on hr.t{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER TABLE inventory.drugs ADD CHECK (id OPERATOR(hr.===) 1)",
        "made table constraint drugs_id_check on inventory.drugs use operator "
        "hr.===(integer,integer){hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE INDEX ON inventory.drugs (hr.salary(id))",
        "made index inventory.drugs_salary_idx use function hr.salary(integer){hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE POLICY p ON inventory.drugs USING (hr.salary(1)=1)",
        "made policy p on inventory.drugs use function hr.salary(integer){hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER TYPE hr.pair ADD ATTRIBUTE c int",
        "took AccessExclusiveLock on hr.pair{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER TABLE hr.employees RENAME TO e2",
        "took AccessExclusiveLock on hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE PUBLICATION p FOR TABLE hr.employees",
        "took ShareUpdateExclusiveLock on hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE PUBLICATION p2 FOR TABLES IN SCHEMA hr",
        "altered schema hr{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER TABLE inventory.drugs ADD c bigint REFERENCES centres; DROP INDEX public.drugs_code",
        "took AccessExclusiveLock on public.drugs{core}, and no foreign key explains it.",
        CORE_SHAPE,
    ),
    (
        "ALTER TABLE inventory.drugs ADD c bigint REFERENCES centres; ALTER "
        "TABLE centres DROP CONSTRAINT centres_code_key",
        "took AccessExclusiveLock on public.centres_code_key{core}.",
        CORE_SHAPE,
    ),
    (
        "ALTER TABLE inventory.drugs ADD c uuid REFERENCES users; DROP TRIGGER "
        "users_touch ON users",
        "took AccessExclusiveLock on trigger users_touch of users in public{core}.",
        CORE_SHAPE,
    ),
    (
        "ALTER TABLE inventory.drugs DROP CONSTRAINT drugs_creator_fkey; LOCK TABLE centres",
        "took AccessExclusiveLock on public.centres{core}, and no foreign key explains it.",
        CORE_SHAPE,
    ),
    (
        "ALTER TABLE inventory.lots SET SCHEMA hr",
        "moved inventory.lots to the schema hr{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "SAVEPOINT a; CREATE FUNCTION hr.q() RETURNS int LANGUAGE sql AS 'SELECT 1'; RELEASE a",
        "made function hr.q(){hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE VIEW inventory.vv AS SELECT 1 AS a; GRANT SELECT ON hr.employees TO PUBLIC",
        "altered table hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "CREATE FUNCTION inventory.ev() RETURNS event_trigger LANGUAGE plpgsql "
        "AS 'BEGIN END'; CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE "
        "FUNCTION inventory.ev()",
        "created or altered event trigger e, which concerns the whole database.",
        WHOLE_DATABASE,
    ),
    (
        "SET LOCAL search_path = hr; CREATE TABLE found (id int)",
        "took AccessExclusiveLock on hr.found{hr}.",
        DOMAIN_DEPENDS,
    ),
    (
        "ALTER TABLE inventory.moves ADD e int REFERENCES hr.employees",
        "took ShareRowExclusiveLock on hr.employees{hr}.",
        DOMAIN_DEPENDS,
    ),
)

LEGAL = (
    "CREATE TABLE inventory.t (id int primary key, u uuid references users)",
    "ALTER TABLE inventory.drugs ADD COLUMN centre bigint REFERENCES public.centres",
    "ALTER TABLE inventory.drugs DROP CONSTRAINT drugs_creator_fkey",
    "DROP TABLE inventory.lots",
    "DROP TABLE inventory.drugs CASCADE",
    "ALTER TABLE inventory.drugs ALTER id TYPE bigint",
    "ALTER TABLE inventory.drugs ALTER creator TYPE uuid USING creator",
    "CREATE FUNCTION inventory.f() RETURNS int LANGUAGE sql AS 'select 1'",
    "SELECT * FROM users",
    "SELECT * FROM users FOR KEY SHARE",
    "INSERT INTO inventory.drugs VALUES (9,'x','00000000-0000-0000-0000-000000000001')",
    "CREATE TRIGGER x BEFORE UPDATE ON inventory.drugs FOR EACH ROW EXECUTE "
    "FUNCTION public.touch()",
    "CREATE VIEW inventory.v AS SELECT d.id FROM inventory.drugs d JOIN users u ON u.id=d.creator",
    "CREATE TEMP TABLE tt (id int)",
    "TRUNCATE inventory.lots",
    "GRANT SELECT ON inventory.drugs TO PUBLIC",
    "COMMENT ON TABLE inventory.drugs IS 'x'",
    "ALTER TABLE inventory.drugs ADD COLUMN g grade",
    "SELECT nextval('inventory.numbers')",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA inventory GRANT SELECT ON TABLES TO PUBLIC",
    "SELECT count(*) FROM nobodys.imports",
    "COMMENT ON SCHEMA inventory IS 'x'",
    "GRANT USAGE ON SCHEMA inventory TO PUBLIC",
    "CREATE TABLE inventory.p1 PARTITION OF inventory.moves FOR VALUES FROM "
    "('2020-01-01') TO ('2021-01-01')",
    "ALTER TYPE inventory.form ADD VALUE 'x'",
    "DROP VIEW inventory.codes",
    "DROP INDEX inventory.drugs_code",
    "ALTER TABLE inventory.drugs RENAME TO d2",
    "DROP FUNCTION inventory.touch",
    "ALTER TABLE inventory.lots VALIDATE CONSTRAINT lots_drug_fkey",
    "DELETE FROM inventory.lots",
    "SELECT * FROM hr.django_migrations_hr",
    "REINDEX TABLE inventory.drugs",
    "CLUSTER inventory.drugs USING drugs_pkey",
    "ANALYZE inventory.drugs",
    "LOCK TABLE inventory.drugs",
    "SAVEPOINT a; UPDATE hr.employees SET name = 'x'; ROLLBACK TO a",
    "SAVEPOINT a; CREATE FUNCTION inventory.q() RETURNS int LANGUAGE sql AS 'SELECT 1'; RELEASE a",
    "CREATE TABLE inventory.z (id int); DROP TABLE inventory.z",
    "CREATE OR REPLACE FUNCTION inventory.touch() RETURNS trigger LANGUAGE "
    "plpgsql AS 'BEGIN RETURN NULL; END'",
    "CREATE TABLE inventory.mp PARTITION OF inventory.moves DEFAULT; ALTER "
    "TABLE inventory.moves ADD actor uuid REFERENCES users; ALTER TABLE "
    "inventory.moves DETACH PARTITION inventory.mp",
    "ALTER TABLE inventory.drugs ADD FOREIGN KEY (creator) REFERENCES users "
    "DEFERRABLE INITIALLY DEFERRED",
    "ALTER TABLE inventory.drugs ADD FOREIGN KEY (creator) REFERENCES users NOT VALID",
    "SELECT 'hr.employees'::regclass",
    "SELECT * FROM pg_stats WHERE schemaname = 'hr'",
    "SELECT count(*) FROM information_schema.columns",
    "COMMENT ON COLUMN inventory.drugs.code IS 'x'",
    "ALTER TABLE inventory.lots ADD parent int REFERENCES inventory.lots",
    "CREATE INDEX ON inventory.drugs (public.twice(id))",
    "CREATE DOMAIN inventory.code AS text CHECK (VALUE <> '')",
    "CREATE POLICY p ON inventory.drugs USING (true)",
    "CREATE RULE r AS ON DELETE TO inventory.lots DO INSTEAD NOTHING",
    "CREATE MATERIALIZED VIEW inventory.m AS SELECT count(*) FROM users",
    "INSERT INTO inventory.drugs (id, creator) SELECT 2, id FROM users",
    "CREATE TABLE inventory.wide (id int, note text)",
    "SELECT pg_advisory_xact_lock(1)",
)
