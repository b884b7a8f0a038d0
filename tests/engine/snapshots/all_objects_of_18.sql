COMMENT ON SCHEMA lab IS 'the
lab';

CREATE COLLATION lab.c (provider = libc, locale = 'C');

CREATE DOMAIN lab.code AS character varying(24) COLLATE pg_catalog."C" NOT NULL DEFAULT 'x'::character varying
	CONSTRAINT code_len CHECK ((length((VALUE)::text) = 24));

CREATE TYPE lab.money2 AS (
	amount numeric(12,2),
	currency text COLLATE pg_catalog."C"
);

CREATE FUNCTION lab.int_diff(integer, integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE
    AS $_$SELECT ($1-$2)::float8$_$;

CREATE TYPE lab.span AS RANGE (
    subtype = integer,
    multirange_type_name = lab.span_multirange,
    subtype_diff = lab.int_diff
);

CREATE TYPE lab.status AS ENUM (
    'new',
    'done'
);

CREATE SEQUENCE lab.numbers
    AS integer
    START WITH 10
    INCREMENT BY 5
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
    CYCLE;

CREATE TABLE lab.item (
    id bigint NOT NULL,
    kind_id bigint NOT NULL,
    code lab.code,
    st lab.status DEFAULT 'new'::lab.status,
    price lab.money2,
    s lab.span,
    made timestamp with time zone DEFAULT now(),
    at timestamp with time zone DEFAULT '2019-12-31 17:00:00+00'::timestamp with time zone,
    qty integer DEFAULT 0,
    dbl integer GENERATED ALWAYS AS ((qty * 2)) STORED,
    num integer DEFAULT nextval('lab.numbers'::regclass),
    during tstzrange,
    name character varying(20) COLLATE pg_catalog."C",
    j jsonb DEFAULT '{}'::jsonb,
    "json" text DEFAULT 'a "json" b'::text,
    iv interval DEFAULT '1 day 02:03:00'::interval,
    CONSTRAINT item_qty_check CHECK (((qty >= 0) AND (qty < 10))),
    CONSTRAINT named CHECK ((((name)::text = ANY (ARRAY['a'::character varying, 'b'::character varying])) OR ("json" IS NULL) OR (EXTRACT(year FROM made) > (3)::numeric) OR ((made AT TIME ZONE 'UTC'::text) > '2020-01-01 00:00:00'::timestamp without time zone) OR ((name)::text ~~ 'x\%'::text) OR (SUBSTRING(name FROM 1 FOR 2) = 'x'::text))),
    CONSTRAINT nv CHECK ((kind_id > 0)) NO INHERIT
)
WITH (fillfactor='70', autovacuum_enabled='false');

ALTER TABLE ONLY lab.item ALTER COLUMN qty SET (n_distinct=4);

ALTER TABLE ONLY lab.item ALTER COLUMN name SET STATISTICS 7;

ALTER TABLE ONLY lab.item ALTER COLUMN name SET STORAGE EXTERNAL;

COMMENT ON TABLE lab.item IS 'x';

COMMENT ON COLUMN lab.item.name IS 'it''s "name"';

COMMENT ON CONSTRAINT named ON lab.item IS 'c';

CREATE TABLE lab.kind (
    id bigint NOT NULL,
    name text NOT NULL,
    "json" text,
    "order" integer,
    "Odd name" integer
);

CREATE FUNCTION lab.atomic(a integer) RETURNS bigint
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT item.id
    FROM lab.item
   WHERE (item.qty = atomic.a);
 SELECT kind.id
    FROM lab.kind;
END;

CREATE PROCEDURE lab.atomic_too(IN a integer)
    LANGUAGE sql
    BEGIN ATOMIC
 DELETE FROM lab.kind
   WHERE (kind.id = atomic_too.a);
END;

CREATE FUNCTION lab."case"(a integer, b text) RETURNS text
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT
         CASE
             WHEN (a > 1) THEN
             CASE b
                 WHEN ';'::text THEN 'x'::text
                 ELSE NULL::text
             END
             ELSE 'END;'::text
         END AS "case";
 SELECT 'second'::text AS text;
END;

CREATE FUNCTION lab.eq(lab.status, text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $_$SELECT $1::text = $2$_$;

CREATE FUNCTION lab.f(a integer, b text DEFAULT 'x'::text, VARIADIC c integer[] DEFAULT '{}'::integer[]) RETURNS TABLE(x integer, y text)
    LANGUAGE sql STABLE COST 7 PARALLEL SAFE
    AS $$SELECT 1, 'a'$$;

CREATE FUNCTION lab.odd() RETURNS text
    LANGUAGE plpgsql
    AS $_$
BEGIN
    -- a semicolon; and a quote '
    RETURN $$BEGIN ATOMIC; $$ || 'END; /*';
END $_$;

CREATE PROCEDURE lab.p(INOUT a integer)
    LANGUAGE sql
    AS $$SELECT 1$$;

CREATE FUNCTION lab.touch() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'lab'
    AS $$
BEGIN
    NEW.made := now(); -- "json" it's
    RETURN NEW;
END $$;

CREATE AGGREGATE lab.mysum(integer) (
    SFUNC = int4pl,
    STYPE = integer,
    INITCOND = '0',
    COMBINEFUNC = int4pl,
    PARALLEL = safe
);

CREATE OPERATOR lab.=== (
    FUNCTION = lab.eq,
    LEFTARG = lab.status,
    RIGHTARG = text
);

CREATE OPERATOR FAMILY lab.oc USING btree;

CREATE OPERATOR CLASS lab.oc
    FOR TYPE integer USING btree FAMILY lab.oc AS
    OPERATOR 1 <(integer,integer) ,
    OPERATOR 2 <=(integer,integer) ,
    OPERATOR 3 =(integer,integer) ,
    OPERATOR 4 >=(integer,integer) ,
    OPERATOR 5 >(integer,integer) ,
    FUNCTION 1 (integer, integer) btint4cmp(integer,integer);

CREATE DEFAULT CONVERSION lab.conv FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;

CREATE TEXT SEARCH DICTIONARY lab.d (
    TEMPLATE = pg_catalog.simple,
    stopwords = 'english' );

CREATE TEXT SEARCH CONFIGURATION lab.tc (
    PARSER = pg_catalog."default" );

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR asciiword WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR word WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR numword WITH simple;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR email WITH simple;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR url WITH simple;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR host WITH simple;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR sfloat WITH simple;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR version WITH simple;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR hword_numpart WITH simple;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR hword_part WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR hword_asciipart WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR numhword WITH simple;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR asciihword WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR hword WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR url_path WITH simple;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR file WITH simple;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR "float" WITH simple;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR "int" WITH simple;

ALTER TEXT SEARCH CONFIGURATION lab.tc
    ADD MAPPING FOR uint WITH simple;

CREATE TABLE lab."Odd; table" (
    "a;b" text DEFAULT ';'::text,
    "é" character varying(9),
    CONSTRAINT "Odd; table_a;b_check" CHECK (("a;b" <> '--'::text)),
    CONSTRAINT "Odd; table_check" CHECK (((("é")::text <> ALL (ARRAY['x'::character varying, 'y'::character varying])) OR ("a;b" = 'z'::text))),
    CONSTRAINT "Odd; table_é_check" CHECK ((("é")::text = ANY (ARRAY['a;'::character varying, 'b'''::character varying, 'c'::character varying])))
);

COMMENT ON TABLE lab."Odd; table" IS 'it''s; -- a "comment" $$ /* \';

CREATE TABLE lab.child (
    extra integer
)
INHERITS (lab.kind);

CREATE TABLE lab.elder (
    a integer,
    "b c" text NOT NULL,
    f text
);

CREATE FOREIGN TABLE lab.ft (
    id integer
)
SERVER srv
OPTIONS (
    x 'y'
);

ALTER FOREIGN TABLE ONLY lab.ft ALTER COLUMN id OPTIONS (
    a 'b'
);

CREATE SEQUENCE lab.item_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE lab.item_id_seq OWNED BY lab.item.id;

ALTER TABLE lab.kind ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME lab.kind_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW lab.lists AS
 SELECT id,
    ((name)::text = ANY (ARRAY['a'::character varying, 'b'::character varying])) AS one,
    ((code)::text = 'c'::text) AS two,
    ((name)::text <> ALL (ARRAY['d'::character varying, 'e'::character varying])) AS three,
    (st = ANY (ARRAY['new'::lab.status, 'done'::lab.status])) AS four,
    (made = '2020-01-01 00:00:00+00'::timestamp with time zone) AS five
   FROM lab.item;

CREATE MATERIALIZED VIEW lab.mv AS
 SELECT id,
    qty
   FROM lab.item
  WITH NO DATA;

CREATE TABLE lab.new_name (
    c integer CONSTRAINT old_name_a_not_null NOT NULL,
    b text DEFAULT 'NOT NULL'::text CONSTRAINT chosen NOT NULL
);

COMMENT ON CONSTRAINT chosen ON lab.new_name IS 'by hand';

CREATE TABLE lab.parted (
    id integer NOT NULL,
    at date NOT NULL
)
PARTITION BY RANGE (at);

CREATE TABLE lab.parted_1 (
    id integer CONSTRAINT parted_id_not_null NOT NULL,
    at date CONSTRAINT parted_at_not_null NOT NULL
);

CREATE UNLOGGED TABLE lab.u (
    id integer
);

ALTER TABLE ONLY lab.u REPLICA IDENTITY FULL;

CREATE VIEW lab.v1 AS
 SELECT id,
    name,
    "json",
    lower((name)::text) AS lname,
    (price).amount AS amount,
    ( SELECT count(*) AS count
           FROM lab.kind k
          WHERE (k.id = item.kind_id)) AS n
   FROM lab.item
  WHERE ((qty > 1) AND (EXISTS ( SELECT 1
           FROM lab.kind
          WHERE (kind.id = item.kind_id))))
  ORDER BY name, made DESC
 LIMIT 10;

CREATE VIEW lab.v10 AS
 SELECT id,
        CASE
            WHEN (qty > 1) THEN 'a'::text
            ELSE 'b'::text
        END AS c,
    COALESCE(name, 'x'::character varying) AS nm,
    (qty)::text AS t,
    (ARRAY[1, 2])[1] AS ar,
    (made)::date AS d,
    ((name)::text ~~ 'x%'::text) AS l,
    ((qty >= 1) AND (qty <= 2)) AS b,
    (id = ANY (ARRAY[(1)::bigint, (2)::bigint, (3)::bigint])) AS i
   FROM lab.item
 FOR UPDATE OF item;

CREATE VIEW lab.v11 AS
 SELECT DISTINCT ON (kind_id) kind_id,
    id
   FROM lab.item
  ORDER BY kind_id, id DESC;

CREATE VIEW lab.v12 AS
 SELECT a.id
   FROM lab.item a,
    lab.kind b
  WHERE (a.kind_id = b.id);

CREATE VIEW lab.v13 AS
 SELECT kind_id,
    qty,
    GROUPING(kind_id) AS g,
    count(*) AS count
   FROM lab.item
  GROUP BY ROLLUP(kind_id, qty);

CREATE VIEW lab.v14 AS
 VALUES (1,'a'::text), (2,'b'::text);

CREATE VIEW lab.v15 AS
 SELECT lower((name)::text) AS name,
    id
   FROM lab.item
  ORDER BY item.name;

CREATE VIEW lab.v16 AS
 SELECT i.id,
    l.n
   FROM (lab.item i
     CROSS JOIN LATERAL ( SELECT count(*) AS n
           FROM lab.kind k
          WHERE (k.id = i.kind_id)) l);

CREATE VIEW lab.v17 AS
 WITH RECURSIVE t(n) AS (
         SELECT 1 AS "?column?"
        UNION ALL
         SELECT (t_1.n + 1)
           FROM t t_1
          WHERE (t_1.n < 5)
        )
 SELECT n
   FROM t;

CREATE VIEW lab.v18 AS
 SELECT id,
    kind_id,
    code,
    st,
    price,
    s,
    made,
    at,
    qty,
    dbl,
    num,
    during,
    name,
    j,
    "json",
    iv
   FROM lab.item TABLESAMPLE system (10);

CREATE VIEW lab.v19 AS
 SELECT id,
    qty
   FROM lab.item
  WHERE (qty IN ( SELECT i2.qty
           FROM lab.item i2
          WHERE (i2.id > item.id)));

CREATE VIEW lab.v2 WITH (security_barrier='true') AS
 SELECT i.id,
    name,
    k."json"
   FROM (lab.item i
     LEFT JOIN lab.kind k USING (name));

CREATE VIEW lab.v20 AS
 SELECT "order",
    "Odd name"
   FROM lab.kind;

CREATE VIEW lab.v21 AS
 SELECT "order"
   FROM lab.kind "Odd name"
  WHERE ("Odd name" = 1)
  WITH CASCADED CHECK OPTION;

CREATE VIEW lab.v22 AS
 SELECT count(*) AS n,
    kind_id
   FROM lab.item
  GROUP BY kind_id
  ORDER BY (count(*)) DESC;

CREATE VIEW lab.v23 AS
 SELECT string_agg((name)::text, ','::text ORDER BY (name)::text DESC) AS s,
    array_agg(DISTINCT qty) AS a,
    percentile_cont((0.5)::double precision) WITHIN GROUP (ORDER BY ((qty)::double precision)) AS percentile_cont
   FROM lab.item;

CREATE VIEW lab.v24 AS
 SELECT ( SELECT max(kind.name) AS max
           FROM lab.kind) AS m;

CREATE VIEW lab.v3 AS
 SELECT kind_id,
    count(*) AS n,
    max(qty) FILTER (WHERE (qty > 2)) AS mx
   FROM lab.item
  GROUP BY kind_id
 HAVING (count(*) > 1);

CREATE VIEW lab.v4 AS
 SELECT item.id
   FROM lab.item
UNION ALL
 SELECT kind.id
   FROM lab.kind
  ORDER BY 1;

CREATE VIEW lab.v5 AS
 WITH x AS (
         SELECT item.id,
            item.qty
           FROM lab.item
        )
 SELECT id,
    row_number() OVER w AS row_number
   FROM x
  WINDOW w AS (PARTITION BY qty ORDER BY id);

CREATE VIEW lab.v6 AS
 SELECT n,
    (n + 1) AS m
   FROM generate_series(1, 3) g(n);

CREATE VIEW lab.v7 AS
 SELECT id
   FROM ( SELECT item.id,
            item.qty
           FROM lab.item
          WHERE (item.qty = 1)) s
  WHERE (qty > 0);

CREATE VIEW lab.v8 AS
 SELECT item.*::lab.item AS item
   FROM lab.item;

CREATE VIEW lab.v9 AS
 SELECT date_trunc('month'::text, made) AS m,
    kind_id,
    sum(qty) AS sum
   FROM lab.item
  GROUP BY (date_trunc('month'::text, made)), kind_id;

CREATE TABLE lab.younger (
    CONSTRAINT needed NOT NULL a,
    CONSTRAINT younger_d_not_null NOT NULL f,
    e text NOT NULL
)
INHERITS (lab.elder);

ALTER TABLE ONLY lab.parted ATTACH PARTITION lab.parted_1 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');

ALTER TABLE ONLY lab.item ALTER COLUMN id SET DEFAULT nextval('lab.item_id_seq'::regclass);

INSERT INTO lab."Odd; table" ("a;b", "é") VALUES ('$$;', NULL);

INSERT INTO lab."Odd; table" ("a;b", "é") VALUES ('a; b', 'c');

INSERT INTO lab."Odd; table" ("a;b", "é") VALUES ('two
lines;\', 'c');

INSERT INTO lab.kind (id, name, "json", "order", "Odd name") VALUES (1, 'kind 1', NULL, NULL, 1);

INSERT INTO lab.kind (id, name, "json", "order", "Odd name") VALUES (2, 'kind 2', NULL, NULL, 2);

INSERT INTO lab.kind (id, name, "json", "order", "Odd name") VALUES (3, 'kind 3', NULL, NULL, 3);

INSERT INTO lab.kind (id, name, "json", "order", "Odd name") VALUES (4, 'kind 4', NULL, NULL, 4);

INSERT INTO lab.kind (id, name, "json", "order", "Odd name") VALUES (5, 'kind 5', NULL, NULL, 5);

INSERT INTO lab.kind (id, name, "json", "order", "Odd name") VALUES (6, 'kind 6', NULL, NULL, 6);

INSERT INTO lab.kind (id, name, "json", "order", "Odd name") VALUES (7, 'kind 7', NULL, NULL, 7);

INSERT INTO lab.kind (id, name, "json", "order", "Odd name") VALUES (8, 'kind 8', NULL, NULL, 8);

INSERT INTO lab.kind (id, name, "json", "order", "Odd name") VALUES (9, 'kind 9', NULL, NULL, 9);

INSERT INTO lab.kind (id, name, "json", "order", "Odd name") VALUES (10, 'kind 10', NULL, NULL, 10);

INSERT INTO lab.kind (id, name, "json", "order", "Odd name") VALUES (11, 'kind 11', NULL, NULL, 11);

INSERT INTO lab.kind (id, name, "json", "order", "Odd name") VALUES (12, 'kind 12', NULL, NULL, 12);

SELECT pg_catalog.setval('lab.kind_id_seq', 12, true);

SELECT pg_catalog.setval('lab.numbers', 40, false);

ALTER TABLE ONLY lab.item
    ADD CONSTRAINT item_during_excl EXCLUDE USING gist (during WITH &&);

ALTER TABLE ONLY lab.item
    ADD CONSTRAINT item_kind_id_name_key UNIQUE NULLS NOT DISTINCT (kind_id, name);

ALTER TABLE ONLY lab.item
    ADD CONSTRAINT item_num_qty_key UNIQUE (num) INCLUDE (qty) DEFERRABLE;

ALTER TABLE ONLY lab.item
    ADD CONSTRAINT item_pkey PRIMARY KEY (id);

ALTER TABLE lab.item CLUSTER ON item_pkey;

ALTER TABLE ONLY lab.kind
    ADD CONSTRAINT kind_name_key UNIQUE (name);

ALTER TABLE ONLY lab.kind
    ADD CONSTRAINT kind_pkey PRIMARY KEY (id);

ALTER TABLE lab.item
    ADD CONSTRAINT notvalid CHECK ((id > 0)) NOT VALID;

ALTER TABLE ONLY lab.parted
    ADD CONSTRAINT parted_pkey PRIMARY KEY (id, at);

ALTER TABLE ONLY lab.parted_1
    ADD CONSTRAINT parted_1_pkey PRIMARY KEY (id, at);

CREATE INDEX item_j ON lab.item USING gin (j jsonb_path_ops);

COMMENT ON INDEX lab.item_j IS 'idx';

CREATE INDEX item_name ON lab.item USING btree (lower((name)::text) text_pattern_ops DESC NULLS LAST, qty) INCLUDE (made) WITH (fillfactor='50') WHERE ((qty > 3) AND (st = 'new'::lab.status));

CREATE UNIQUE INDEX mv_id ON lab.mv USING btree (id);

CREATE INDEX "odd; index" ON lab."Odd; table" USING btree ("a;b") WHERE (("é")::text = ANY (ARRAY['a;'::character varying, '/*'::character varying]));

CREATE INDEX parted_at ON ONLY lab.parted USING btree (at);

CREATE INDEX parted_1_at_idx ON lab.parted_1 USING btree (at);

ALTER INDEX lab.parted_at ATTACH PARTITION lab.parted_1_at_idx;

ALTER INDEX lab.parted_pkey ATTACH PARTITION lab.parted_1_pkey;

CREATE STATISTICS lab.st (ndistinct, dependencies) ON kind_id, qty FROM lab.item;

CREATE STATISTICS lab.st2 ON qty, lower(name::text) FROM lab.item;

CREATE RULE r1 AS
    ON DELETE TO lab.kind
   WHERE (old.id > 3) DO INSTEAD  UPDATE lab.kind SET name = 'x'::text
  WHERE (kind.id = old.id);

CREATE RULE twice AS
    ON INSERT TO lab.v12 DO INSTEAD ( UPDATE lab.kind SET name = ';'::text
  WHERE false;
 DELETE FROM lab.kind
  WHERE false;
);

CREATE CONSTRAINT TRIGGER ct AFTER INSERT ON lab.item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lab.touch();

CREATE TRIGGER touch BEFORE UPDATE OF name ON lab.item FOR EACH ROW WHEN ((old.qty IS DISTINCT FROM new.qty)) EXECUTE FUNCTION lab.touch();

ALTER TABLE lab.item DISABLE TRIGGER touch;

ALTER TABLE ONLY lab.item
    ADD CONSTRAINT item_kind FOREIGN KEY (kind_id) REFERENCES lab.kind(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE lab.item ENABLE ROW LEVEL SECURITY;

CREATE POLICY pol ON lab.item AS RESTRICTIVE FOR SELECT USING (((qty > 1) AND (kind_id IN ( SELECT kind.id
   FROM lab.kind))));
