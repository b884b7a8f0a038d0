"""Statements that change one thing in ``all_objects.sql``, and how a comparison says it."""

from __future__ import annotations

CHANGES: dict[str, list[str]] = {
    "COMMENT ON SCHEMA lab IS NULL": [
        "schema lab differs: comment 'the, lab' / nothing",
    ],
    "CREATE TABLE lab.new (id int PRIMARY KEY, note text UNIQUE)": [
        "table lab.new: added",
    ],
    "DROP TABLE lab.u": [
        "table lab.u: missing",
    ],
    "ALTER TABLE lab.u RENAME TO u2": [
        "table lab.u: missing",
        "table lab.u2: added",
    ],
    "ALTER TABLE lab.u SET SCHEMA public": [
        "table lab.u: missing",
    ],
    "ALTER TABLE lab.u SET LOGGED": [
        "table lab.u differs: unlogged / nothing",
    ],
    "ALTER TABLE lab.u REPLICA IDENTITY DEFAULT": [
        "table lab.u differs: replica identity full / nothing",
    ],
    "COMMENT ON TABLE lab.item IS 'y'": [
        "table lab.item differs: comment 'x' / comment 'y'",
    ],
    "ALTER TABLE lab.item SET (fillfactor=80)": [
        (
            "table lab.item differs: with autovacuum_enabled=false, fillfactor=70 / with "
            "autovacuum_enabled=false, fillfactor=80"
        ),
    ],
    "ALTER TABLE lab.item SET (toast.autovacuum_enabled=false)": [
        "table lab.item differs: nothing / toast with autovacuum_enabled=false",
    ],
    "ALTER TABLE lab.item DISABLE ROW LEVEL SECURITY": [
        "table lab.item differs: row security enabled / nothing",
    ],
    "ALTER TABLE lab.item FORCE ROW LEVEL SECURITY": [
        "table lab.item differs: nothing / row security forced",
    ],
    "ALTER TABLE lab.child NO INHERIT lab.kind": [
        "table lab.child differs: inherits lab.kind / nothing",
        'column lab.child."Odd name" differs: inherited / nothing',
        "column lab.child.id differs: inherited / nothing",
        "column lab.child.json differs: inherited / nothing",
        "column lab.child.name differs: inherited / nothing",
        "column lab.child.order differs: inherited / nothing",
    ],
    "ALTER TABLE lab.parted DETACH PARTITION lab.parted_1": [
        (
            "table lab.parted_1 differs: inherits lab.parted, partition FOR VALUES FROM "
            "('2020-01-01') TO ('2021-01-01') / nothing"
        ),
        "column lab.parted_1.at differs: inherited / nothing",
        "column lab.parted_1.id differs: inherited / nothing",
        "constraint lab.parted_1.parted_1_pkey differs: inherited / nothing",
        "index lab.parted_1_at_idx differs: part of lab.parted_at / nothing",
    ],
    "ALTER TABLE lab.item ADD COLUMN new int": [
        "column lab.item.new: added",
    ],
    'ALTER TABLE lab.kind DROP COLUMN "Odd name" CASCADE': [
        'column lab.child."Odd name": missing',
        'column lab.kind."Odd name": missing',
        "view lab.v20: missing",
        "view lab.v21: missing",
    ],
    "ALTER TABLE lab.item RENAME COLUMN iv TO iv2": [
        "column lab.item.iv: missing",
        "column lab.item.iv2: added",
        "view lab.v18 differs: iv / iv2 AS iv",
    ],
    "ALTER TABLE lab.u ALTER COLUMN id TYPE bigint": [
        "column lab.u.id differs: integer / bigint",
    ],
    "ALTER TABLE lab.item ALTER COLUMN kind_id DROP NOT NULL": [
        "column lab.item.kind_id differs: not null / nothing",
    ],
    "ALTER TABLE lab.item ALTER COLUMN iv SET DEFAULT '2 days'": [
        (
            "column lab.item.iv differs: default '1 day 02:03:00'::interval / default '2 "
            "days'::interval"
        ),
    ],
    "ALTER TABLE lab.item ALTER COLUMN iv DROP DEFAULT": [
        "column lab.item.iv differs: default '1 day 02:03:00'::interval / nothing",
    ],
    "ALTER TABLE lab.item ALTER COLUMN dbl DROP EXPRESSION": [
        "column lab.item.dbl differs: generated (qty * 2) stored / nothing",
    ],
    "ALTER TABLE lab.kind ALTER COLUMN id SET GENERATED ALWAYS": [
        "column lab.kind.id differs: identity by default / identity always",
    ],
    "ALTER TABLE lab.kind ALTER COLUMN id DROP IDENTITY": [
        "column lab.kind.id differs: identity by default / nothing",
        "sequence lab.kind_id_seq: missing",
    ],
    'ALTER TABLE lab.u ALTER COLUMN id TYPE text COLLATE "POSIX"': [
        'column lab.u.id differs: integer / text, collate "POSIX"',
    ],
    "ALTER TABLE lab.item ALTER COLUMN j SET STORAGE EXTERNAL": [
        "column lab.item.j differs: nothing / storage external",
    ],
    "ALTER TABLE lab.item ALTER COLUMN j SET COMPRESSION pglz": [
        "column lab.item.j differs: nothing / compression pglz",
    ],
    "ALTER TABLE lab.item ALTER COLUMN name SET STATISTICS 8": [
        "column lab.item.name differs: statistics 7 / statistics 8",
    ],
    "ALTER TABLE lab.item ALTER COLUMN qty RESET (n_distinct)": [
        "column lab.item.qty differs: with n_distinct=4 / nothing",
    ],
    "COMMENT ON COLUMN lab.item.j IS 'new'": [
        "column lab.item.j differs: nothing / comment 'new'",
    ],
    "ALTER TABLE lab.item DROP CONSTRAINT named": [
        "constraint lab.item.named: missing",
    ],
    "ALTER TABLE lab.item RENAME CONSTRAINT named TO renamed": [
        "constraint lab.item.named: missing",
        "constraint lab.item.renamed: added",
    ],
    "ALTER TABLE lab.item ADD CONSTRAINT new CHECK (qty <> 7)": [
        "constraint lab.item.new: added",
    ],
    "ALTER TABLE lab.item VALIDATE CONSTRAINT notvalid": [
        "constraint lab.item.notvalid differs: CHECK ((id > 0)) NOT VALID / CHECK ((id > 0))",
    ],
    "ALTER TABLE lab.item ALTER CONSTRAINT item_kind NOT DEFERRABLE": [
        (
            "constraint lab.item.item_kind differs: FOREIGN KEY (kind_id) REFERENCES "
            "lab.kind(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED / FOREIGN KEY "
            "(kind_id) REFERENCES lab.kind(id) ON DELETE CASCADE"
        ),
    ],
    (
        "ALTER TABLE lab.item DROP CONSTRAINT item_kind, ADD CONSTRAINT item_kind FOREIGN"
        " KEY (kind_id) REFERENCES lab.kind ON DELETE RESTRICT DEFERRABLE INITIALLY "
        "DEFERRED"
    ): [
        (
            "constraint lab.item.item_kind differs: FOREIGN KEY (kind_id) REFERENCES "
            "lab.kind(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED / FOREIGN KEY "
            "(kind_id) REFERENCES lab.kind(id) ON DELETE RESTRICT DEFERRABLE INITIALLY "
            "DEFERRED"
        ),
    ],
    "ALTER TABLE lab.item DISABLE TRIGGER ALL": [
        "trigger lab.item.ct differs: nothing / disabled",
        "constraint lab.item.item_kind differs: nothing / triggers disabled",
        "constraint lab.item.item_num_qty_key differs: nothing / triggers disabled",
    ],
    (
        "CREATE UNIQUE INDEX handmade ON lab.kind (name); ALTER TABLE lab.kind REPLICA IDENTITY"
        " USING INDEX handmade; DROP INDEX lab.handmade"
    ): [
        "table lab.kind differs: nothing / replica identity lost",
    ],
    "COMMENT ON CONSTRAINT item_kind ON lab.item IS 'fk'": [
        "constraint lab.item.item_kind differs: nothing / comment 'fk'",
    ],
    "ALTER TABLE lab.item SET WITHOUT CLUSTER": [
        "constraint lab.item.item_pkey differs: clustered / nothing",
    ],
    "ALTER INDEX lab.item_pkey SET (fillfactor=60)": [
        (
            "constraint lab.item.item_pkey differs: index CREATE UNIQUE INDEX item_pkey ON "
            "lab.item USING btree (id) / index CREATE UNIQUE INDEX item_pkey ON lab.item "
            "USING btree (id) WITH (fillfactor='60')"
        ),
    ],
    "DROP INDEX lab.item_j": [
        "index lab.item_j: missing",
    ],
    "ALTER INDEX lab.item_j RENAME TO item_jj": [
        "index lab.item_j: missing",
        "index lab.item_jj: added",
    ],
    "CREATE INDEX new ON lab.item (qty)": [
        "index lab.new: added",
    ],
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'lab.item_j'::regclass": [
        "index lab.item_j differs: nothing / not valid",
    ],
    "COMMENT ON INDEX lab.item_j IS NULL": [
        "index lab.item_j differs: comment 'idx' / nothing",
    ],
    "ALTER INDEX lab.item_name ALTER COLUMN 1 SET STATISTICS 50": [
        "index lab.item_name differs: nothing / statistics 1: 50",
    ],
    "ALTER TABLE lab.kind REPLICA IDENTITY USING INDEX kind_name_key": [
        "constraint lab.kind.kind_name_key differs: nothing / replica identity",
    ],
    "ALTER SEQUENCE lab.numbers INCREMENT 6": [
        (
            "sequence lab.numbers differs: start 10 increment 5 minimum 1 maximum 2147483647 "
            "cache 1 cycle / start 10 increment 6 minimum 1 maximum 2147483647 cache 1 cycle"
        ),
    ],
    "ALTER SEQUENCE lab.numbers NO CYCLE": [
        (
            "sequence lab.numbers differs: start 10 increment 5 minimum 1 maximum 2147483647 "
            "cache 1 cycle / start 10 increment 5 minimum 1 maximum 2147483647 cache 1"
        ),
    ],
    "ALTER SEQUENCE lab.numbers OWNED BY lab.item.num": [
        "sequence lab.numbers differs: nothing / owned by lab.item.num",
    ],
    (
        "CREATE OR REPLACE VIEW lab.v2 WITH (security_barrier) AS SELECT i.id, name, "
        "k.json FROM lab.item i LEFT JOIN lab.kind k USING (name) WHERE i.qty = 2"
    ): [
        (
            "view lab.v2 differs: LEFT JOIN lab.kind k USING (name)); / LEFT JOIN lab.kind k "
            "USING (name)), WHERE (i.qty = 2);"
        ),
    ],
    "ALTER VIEW lab.v2 RESET (security_barrier)": [
        "view lab.v2 differs: with security_barrier=true / nothing",
    ],
    "CREATE VIEW lab.v99 AS SELECT 1 AS one": [
        "view lab.v99: added",
    ],
    "DROP MATERIALIZED VIEW lab.mv": [
        "materialized view lab.mv: missing",
        "index lab.mv_id: missing",
    ],
    "CREATE RULE r2 AS ON INSERT TO lab.kind DO ALSO NOTHING": [
        "rule lab.kind.r2: added",
    ],
    "DROP RULE r1 ON lab.kind": [
        "rule lab.kind.r1: missing",
    ],
    "ALTER TABLE lab.kind DISABLE RULE r1": [
        "rule lab.kind.r1 differs: nothing / disabled",
    ],
    "DROP TRIGGER touch ON lab.item": [
        "trigger lab.item.touch: missing",
    ],
    "ALTER TABLE lab.item ENABLE TRIGGER touch": [
        "trigger lab.item.touch differs: disabled / nothing",
    ],
    "ALTER TABLE lab.item ENABLE ALWAYS TRIGGER ct": [
        "trigger lab.item.ct differs: nothing / always",
    ],
    "COMMENT ON TRIGGER ct ON lab.item IS 'trigger'": [
        "trigger lab.item.ct differs: nothing / comment 'trigger'",
    ],
    "ALTER POLICY pol ON lab.item USING (qty > 2)": [
        (
            "policy lab.item.pol differs: using ((qty > 1) AND (kind_id IN ( SELECT kind.id, "
            "FROM lab.kind))) / using (qty > 2)"
        ),
    ],
    "DROP POLICY pol ON lab.item": [
        "policy lab.item.pol: missing",
    ],
    "DROP STATISTICS lab.st": [
        "statistics lab.st: missing",
    ],
    "ALTER STATISTICS lab.st SET STATISTICS 9": [
        "statistics lab.st differs: nothing / target 9",
    ],
    (
        "CREATE OR REPLACE FUNCTION lab.f(a int, b text DEFAULT 'x', VARIADIC c int[] "
        "DEFAULT '{}') RETURNS TABLE (x int, y text) LANGUAGE sql STABLE PARALLEL SAFE "
        "COST 7 AS 'SELECT 2, ''a'''"
    ): [
        (
            "function lab.f(integer,text,integer[]) differs: AS $function$SELECT 1, "
            "'a'$function$ / AS $function$SELECT 2, 'a'$function$"
        ),
    ],
    "ALTER FUNCTION lab.f(int, text, int[]) VOLATILE": [
        (
            "function lab.f(integer,text,integer[]) differs: STABLE PARALLEL SAFE COST 7 / "
            "PARALLEL SAFE COST 7"
        ),
    ],
    "DROP PROCEDURE lab.p(int)": [
        "procedure lab.p(integer): missing",
    ],
    "CREATE AGGREGATE lab.mymax(int) (sfunc = int4larger, stype = int)": [
        "aggregate lab.mymax(integer): added",
    ],
    "COMMENT ON AGGREGATE lab.mysum(int) IS 'agg'": [
        "aggregate lab.mysum(integer) differs: nothing / comment 'agg'",
    ],
    "DROP OPERATOR lab.=== (lab.status, text)": [
        "operator lab.===(lab.status,text): missing",
    ],
    (
        "ALTER OPERATOR FAMILY lab.oc USING btree ADD FUNCTION 2 (int, int) "
        "btint4sortsupport(internal)"
    ): [
        (
            "operator family lab.oc using btree differs: nothing / function 2 (integer, "
            "integer) btint4sortsupport(internal)"
        ),
    ],
    "DROP OPERATOR CLASS lab.oc USING btree": [
        "operator class lab.oc using btree: missing",
        (
            "operator family lab.oc using btree differs: operator 1 <(integer,integer), "
            "operator 2 <=(integer,integer), operator 3 =(integer,integer), operator 4 "
            ">=(integer,integer), operator 5 >(integer,integer), function 1 (integer, "
            "integer) btint4cmp(integer,integer) / nothing"
        ),
    ],
    "ALTER TYPE lab.status ADD VALUE 'late' BEFORE 'done'": [
        "type lab.status differs: nothing / label 'late'",
    ],
    "ALTER TYPE lab.status RENAME VALUE 'new' TO 'fresh'": [
        "column lab.item.st differs: default 'new'::lab.status / default 'fresh'::lab.status",
        (
            "index lab.item_name differs: CREATE INDEX item_name ON lab.item USING btree "
            "(lower((name)::text) text_pattern_ops DESC NULLS LAST, qty) INCLUDE (made) WITH "
            "(fillfactor='50') WHERE ((qty > 3) AND (st = 'new'::lab.status)) / CREATE INDEX "
            "item_name ON lab.item USING btree (lower((name)::text) text_pattern_ops DESC "
            "NULLS LAST, qty) INCLUDE (made) WITH (fillfactor='50') WHERE ((qty > 3) AND (st "
            "= 'fresh'::lab.status))"
        ),
        "type lab.status differs: label 'new' / label 'fresh'",
    ],
    "ALTER TYPE lab.money2 ADD ATTRIBUTE rate numeric": [
        "type lab.money2 differs: nothing / attribute rate numeric",
    ],
    "ALTER DOMAIN lab.code DROP CONSTRAINT code_len": [
        (
            "type lab.code differs: constraint code_len CHECK ((length((VALUE)::text) = 24)) "
            "/ nothing"
        ),
    ],
    "ALTER DOMAIN lab.code DROP NOT NULL": [
        "type lab.code differs: not null / nothing",
    ],
    "ALTER DOMAIN lab.code SET DEFAULT 'z'": [
        ("type lab.code differs: default 'x'::character varying / default 'z'::character varying"),
    ],
    "CREATE TYPE lab.shell": [
        "type lab.shell: added",
    ],
    "CREATE TYPE lab.other AS RANGE (subtype = numeric)": [
        "type lab.other: added",
    ],
    "COMMENT ON TYPE lab.span IS 'range'": [
        "type lab.span differs: nothing / comment 'range'",
    ],
    "DROP COLLATION lab.c": [
        "collation lab.c: missing",
    ],
    "DROP CONVERSION lab.conv": [
        "conversion lab.conv: missing",
    ],
    "DROP CAST (text AS lab.status)": [
        "cast text as lab.status: missing",
    ],
    "ALTER TEXT SEARCH DICTIONARY lab.d (stopwords)": [
        "text search dictionary lab.d differs: options stopwords = 'english' / nothing",
    ],
    "ALTER TEXT SEARCH CONFIGURATION lab.tc DROP MAPPING FOR url": [
        "text search configuration lab.tc differs: mapping url: simple / nothing",
    ],
    (
        "CREATE TEXT SEARCH PARSER lab.parser (start = prsd_start, gettoken = "
        "prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype)"
    ): [
        "text search parser lab.parser: added",
    ],
    "CREATE TEXT SEARCH TEMPLATE lab.template (lexize = dsimple_lexize)": [
        "text search template lab.template: added",
    ],
    "ALTER FOREIGN TABLE lab.ft OPTIONS (SET x 'z')": [
        "foreign table lab.ft differs: options x=y / options x=z",
    ],
}
