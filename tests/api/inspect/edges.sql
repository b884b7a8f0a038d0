-- What is unusual about names, keys and expressions.
CREATE SCHEMA other;
CREATE TABLE other.things (id serial PRIMARY KEY);
CREATE TABLE public.unknown (id serial PRIMARY KEY);
CREATE TABLE public.users (id bigserial PRIMARY KEY, username varchar(150) UNIQUE);
CREATE SCHEMA lager;
CREATE TABLE lager.wide (
    id int PRIMARY KEY, n numeric(3,-2), m numeric(2,4), v varchar(10)[] DEFAULT array['a','b'],
    g bigint[][], d daterange DEFAULT '[2020-01-01,2021-01-01)', i inet DEFAULT '::1',
    dd date DEFAULT current_date, neg int DEFAULT -1, s text DEFAULT 'it''s',
    e text DEFAULT E'a\\b\n', u2 name DEFAULT current_user, xx text DEFAULT (1 || 'a'));
CREATE TABLE lager.kunden (
    id serial PRIMARY KEY, thing_id int REFERENCES other.things,
    unknown_id int REFERENCES public.unknown);
CREATE TABLE lager."Kunden" (id serial PRIMARY KEY);
CREATE TABLE lager.kelas (id serial PRIMARY KEY, tugas text);
CREATE TABLE lager."123" (id serial PRIMARY KEY);
CREATE TABLE lager."a""b" (id serial PRIMARY KEY, c text);
CREATE TABLE lager."per%cent" (id serial PRIMARY KEY);
CREATE TABLE lager.preis (
    id serial PRIMARY KEY, "from" int, import text, "None" text, "select" text, "delete" text,
    "x y" text, "x-y" text, "X_Y" text, "ä" text, "_hidden" text, "hidden_" text, "😀" text,
    "{a}" text, CHECK ("x y" LIKE 'a%b'), CHECK ("{a}" <> '{a}%'));
CREATE TABLE lager.model (
    id serial PRIMARY KEY, field int REFERENCES lager.kunden, model int REFERENCES lager.kunden,
    model_id int);
CREATE TABLE lager.a (id serial PRIMARY KEY);
CREATE TABLE lager.b (id serial PRIMARY KEY, a_id int REFERENCES lager.a, a int REFERENCES lager.a);
ALTER TABLE lager.a ADD b_id int REFERENCES lager.b, ADD self int REFERENCES lager.a, ADD b int;
CREATE TABLE lager.year (
    year int PRIMARY KEY, "time" time, zone text, "date" date, "timestamp" timestamptz,
    CHECK (extract(year FROM "date") > year),
    CHECK (zone::text <> 'x' AND ("timestamp" AT TIME ZONE 'UTC')::date > "date"));
CREATE TABLE lager.uq (
    id int PRIMARY KEY, a int NOT NULL, b int NOT NULL, c text, UNIQUE (a) INCLUDE (b),
    UNIQUE (a, b), EXCLUDE USING btree (b WITH =) WHERE (a > 0) DEFERRABLE INITIALLY DEFERRED);
CREATE UNIQUE INDEX uq_d ON lager.uq (a, (b + 1));
CREATE UNIQUE INDEX uq_nn ON lager.uq (c) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX uq_c ON lager.uq (c text_pattern_ops) WHERE c IS NOT NULL OR b = 3;
CREATE INDEX uq_coll ON lager.uq (c COLLATE "C" DESC);
CREATE INDEX uq_coll2 ON lager.uq (c COLLATE "C" text_pattern_ops DESC);
CREATE INDEX uq_low ON lager.uq ((lower(c)) COLLATE "C", (c || 'x'), lower(c) COLLATE "POSIX");
CREATE INDEX uq_up ON lager.uq (upper(c) text_pattern_ops, (c IS NULL), coalesce(c, '{x}%'));
CREATE INDEX uq_array ON lager.uq USING gin ((ARRAY[a, b]));
CREATE INDEX uq_an_array_under_a_name_of_many_words ON lager.uq USING gin ((ARRAY[b, a]));
CREATE INDEX uq_long ON lager.uq (a)
    WHERE c IS NOT NULL AND b > 10000 AND a IS NOT NULL AND id > 10000;
CREATE TABLE lager.chk (
    id int PRIMARY KEY, a int, b int, c text, t boolean, s varchar(3),
    CHECK (a BETWEEN 1 AND 5), CHECK (a IN (1, 2)), CHECK (a <> 3), CHECK (NOT t),
    CHECK (t IS TRUE), CHECK (a > b), CHECK (c ~* 'x'), CHECK (a > 1 OR b > 1),
    CHECK (a IS NULL OR b IS NOT NULL), CHECK (char_length(c) < 10), CHECK (t), CHECK (s IN ('a')),
    CHECK (c = ANY ('{x,y}'::text[])), CHECK (c IS NOT NULL AND s IS NOT NULL),
    CHECK (a = 1 AND b = 2 AND a = 3), CHECK (c IN ('1%', '{b}')),
    CONSTRAINT shared CHECK (a > 0), CONSTRAINT ni CHECK (a > -100) NO INHERIT);
CREATE TABLE lager.chk2 (id int PRIMARY KEY, CONSTRAINT shared CHECK (id > 0));
CREATE TABLE lager.deferred (id int, CONSTRAINT k PRIMARY KEY (id) DEFERRABLE);
CREATE TABLE lager.including (id int, a int, PRIMARY KEY (id) INCLUDE (a));
CREATE TABLE lager.text_key (code text PRIMARY KEY);
CREATE TABLE lager.chain1 (id int PRIMARY KEY REFERENCES lager.wide);
CREATE TABLE lager.chain2 (
    id int PRIMARY KEY REFERENCES lager.chain1, other bigint REFERENCES lager.chain1,
    code text UNIQUE REFERENCES lager.text_key);
CREATE TABLE lager.actions (
    id int PRIMARY KEY, w int NOT NULL REFERENCES lager.wide ON DELETE SET NULL,
    d int DEFAULT 0 REFERENCES lager.wide ON DELETE SET DEFAULT ON UPDATE CASCADE,
    n int REFERENCES lager.wide ON DELETE RESTRICT DEFERRABLE, x int REFERENCES lager.wide MATCH FULL,
    y int REFERENCES lager.wide DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE lager.cyc (
    id int PRIMARY KEY, kid text COLLATE "C" UNIQUE, parent text REFERENCES lager.cyc (kid));
CREATE TABLE lager.part (id int, k text, PRIMARY KEY (k, id)) PARTITION BY LIST (k);
CREATE TABLE lager.part_a PARTITION OF lager.part FOR VALUES IN ('a');
CREATE TABLE lager.twice (
    id int PRIMARY KEY, kunden_id int CONSTRAINT twice_a REFERENCES lager.wide,
    a int CONSTRAINT twice_b CHECK (a > 0), twice_id int, twice text);
CREATE INDEX twice_a ON lager.twice (kunden_id DESC);
CREATE INDEX twice_b ON lager.twice (a DESC);
CREATE DOMAIN lager.positive AS int CHECK (VALUE > 0);
CREATE SEQUENCE lager.tens_id_seq;
CREATE SEQUENCE lager.tens_a_seq;
CREATE TABLE lager.tens (
    id lager.positive PRIMARY KEY DEFAULT nextval('lager.tens_id_seq'),
    a int DEFAULT nextval('lager.tens_a_seq') * 10, b serial);
ALTER SEQUENCE lager.tens_id_seq OWNED BY lager.tens.id;
ALTER SEQUENCE lager.tens_a_seq OWNED BY lager.tens.a;
CREATE TABLE lager.counted (
    id bigint GENERATED ALWAYS AS IDENTITY, at date, note text, PRIMARY KEY (id, at));
SET check_function_bodies = off;
CREATE FUNCTION lager.last_code(text) RETURNS varchar LANGUAGE sql
    AS 'SELECT max(code) FROM no_schema';
RESET check_function_bodies;
CREATE TABLE lager.called (
    id int PRIMARY KEY, a text DEFAULT lager.last_code('a'), b int DEFAULT (lager.last_code('b'))::int);
CREATE TABLE lager.counting (
    id serial PRIMARY KEY REFERENCES lager.a, a_id serial REFERENCES lager.a);
CREATE TABLE lager.no_key (code text UNIQUE NOT NULL);
CREATE TABLE lager.empty ();
CREATE VIEW lager.v AS SELECT 1 AS id, 'x'::text AS name;
CREATE SCHEMA kern;
CREATE TABLE kern.accounts (
    id serial PRIMARY KEY, user_id bigint REFERENCES public.users ON DELETE CASCADE,
    owner varchar(150) REFERENCES public.users (username) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE lager.wahl (
    id int PRIMARY KEY, "ชื่อผู้ป่วย" text, meta text CHECK (meta IN ('a', 'b')),
    stufe smallint CHECK (stufe IN ('1', '2')), note int CHECK (note IN (1, 2)),
    sorte varchar(8) CHECK (sorte IN ('x', 'y]')), zahl bigint DEFAULT '7',
    menge numeric(8,2) NOT NULL DEFAULT '0', satz numeric NOT NULL DEFAULT 0.50,
    druck double precision DEFAULT '-1.5' CHECK (druck >= '-2'::double precision),
    daten jsonb NOT NULL DEFAULT '{}', liste jsonb NOT NULL DEFAULT '[]', text text NOT NULL DEFAULT '',
    worte text[] NOT NULL DEFAULT '{}', wahl_name text, andere_nr text UNIQUE);
CREATE MATERIALIZED VIEW lager.mv AS SELECT id AS a, id AS b FROM lager.wahl;
CREATE UNIQUE INDEX mv_key ON lager.mv (a, b);
CREATE TABLE lager.hidden (
    id int PRIMARY KEY, models text, list int, dict int, data jsonb NOT NULL DEFAULT '{}',
    worte text[] NOT NULL DEFAULT '{}', l int);
CREATE TABLE lager."c""d" (id int PRIMARY KEY, "e""f" text);
CREATE TABLE lager.quoted (id int PRIMARY KEY, CONSTRAINT "q""r" CHECK (id > 0));
CREATE INDEX "i ""j""" ON lager.quoted (id);
CREATE INDEX quoted_brin ON lager.quoted USING brin (id) WITH (autosummarize, pages_per_range = 8);
CREATE INDEX quoted_gist ON lager.quoted USING gist (box(point(id, id), point(id, id)))
    WITH (buffering = auto);
CREATE TABLE lager.uq_child (id int PRIMARY KEY REFERENCES lager.uq (a));
CREATE TABLE lager.o (id int PRIMARY KEY, richtung text CHECK (richtung IN ('I', 'O')));
CREATE TYPE lager.zugang AS ENUM ('token', 'other');
CREATE TABLE lager.konten (id int PRIMARY KEY, zugang lager.zugang);
COMMENT ON TABLE lager.konten IS 'Konten, die in eine Zeile fuer sich passen, aber nicht hinter ihren Namen';
COMMENT ON COLUMN lager.konten.zugang IS 'Ein Zugang, der in eine Zeile fuer sich passt, aber nicht nach dem Namen dahinter';
CREATE SCHEMA klein;
CREATE TABLE klein.zahlen (id int PRIMARY KEY, n int NOT NULL DEFAULT 0, s text DEFAULT 'x');
