"""Changes made by hand to the lab's tables, and what is said of each."""

from __future__ import annotations

DRIFTS: dict[str, list[tuple[str, str, str]]] = {
    "DROP TABLE lab.older": [
        ("D001", "lab.older", "The table lab.older does not exist."),
    ],
    "ALTER TABLE lab.older RENAME TO old": [
        ("D101", "lab.old", "The table lab.old exists only in the database."),
        ("D001", "lab.older", "The table lab.older does not exist."),
    ],
    "DROP TABLE lab.older; CREATE VIEW lab.older AS SELECT 1 AS id": [
        ("D002", "lab.older", "lab.older is a view; the migrations say a table."),
    ],
    "ALTER TABLE lab.older SET SCHEMA public": [
        ("D001", "lab.older", "The table lab.older does not exist."),
    ],
    "DROP TABLE lab.samples_users": [
        ("D001", "lab.samples_users", "The table lab.samples_users does not exist."),
    ],
    "ALTER TABLE lab.older SET UNLOGGED": [
        ("D003", "lab.older", "The table lab.older is unlogged."),
    ],
    "CREATE TABLE lab.handmade (id int PRIMARY KEY)": [
        ("D101", "lab.handmade", "The table lab.handmade exists only in the database."),
    ],
    "ALTER TABLE lab.samples DROP COLUMN note CASCADE": [
        (
            "D031",
            "lab.dear",
            (
                "The index lab.dear does not exist: INDEX (code) INCLUDE (note) WHERE ((price >"
                " '100'::numeric) AND ((state)::text = 'new'::text))."
            ),
        ),
        (
            "D021",
            "lab.samples.code_form",
            (
                "The constraint lab.samples.code_form does not exist: CHECK ((code::text ~ "
                "E'^\\\\w+$' AND NOT (note::text LIKE E'%50\\\\%%')))."
            ),
        ),
        ("D011", "lab.samples.note", "The column lab.samples.note does not exist."),
    ],
    "ALTER TABLE lab.samples RENAME COLUMN marks TO scores": [
        (
            "D032",
            "lab.gin_marks",
            (
                "The index lab.gin_marks is INDEX USING gin (scores); the migrations say INDEX "
                "USING gin (marks)."
            ),
        ),
        ("D011", "lab.samples.marks", "The column lab.samples.marks does not exist."),
        (
            "D102",
            "lab.samples.scores",
            "The column lab.samples.scores exists only in the database.",
        ),
    ],
    "ALTER TABLE lab.samples ADD COLUMN handmade int": [
        (
            "D102",
            "lab.samples.handmade",
            "The column lab.samples.handmade exists only in the database.",
        ),
    ],
    "ALTER TABLE lab.samples ALTER COLUMN code TYPE varchar(30)": [
        (
            "D012",
            "lab.samples.code",
            (
                "The type of the column lab.samples.code is character varying(30); the "
                "migrations say character varying(24)."
            ),
        ),
    ],
    "ALTER TABLE lab.older ALTER COLUMN slug TYPE text": [
        (
            "D012",
            "lab.older.slug",
            (
                "The type of the column lab.older.slug is text; the migrations say character "
                "varying(80)."
            ),
        ),
    ],
    "ALTER TABLE lab.samples ALTER COLUMN note TYPE varchar(2000)": [
        (
            "D012",
            "lab.samples.note",
            (
                "The type of the column lab.samples.note is character varying(2000); the "
                "migrations say text."
            ),
        ),
    ],
    'ALTER TABLE lab.kinds ALTER COLUMN "order" TYPE bigint': [
        (
            "D012",
            "lab.kinds.order",
            "The type of the column lab.kinds.order is bigint; the migrations say smallint.",
        ),
    ],
    "ALTER TABLE lab.samples ALTER COLUMN marks TYPE bigint[]": [
        (
            "D012",
            "lab.samples.marks",
            ("The type of the column lab.samples.marks is bigint[]; the migrations say integer[]."),
        ),
    ],
    "ALTER TABLE lab.samples ALTER COLUMN made TYPE timestamp": [
        (
            "D012",
            "lab.samples.made",
            (
                "The type of the column lab.samples.made is timestamp without time zone; the "
                "migrations say timestamp with time zone."
            ),
        ),
    ],
    "ALTER TABLE lab.samples ALTER COLUMN code DROP NOT NULL": [
        (
            "D013",
            "lab.samples.code",
            "The column lab.samples.code allows NULL; the migrations say NOT NULL.",
        ),
    ],
    "ALTER TABLE lab.samples ALTER COLUMN json SET NOT NULL": [
        (
            "D013",
            "lab.samples.json",
            "The column lab.samples.json is NOT NULL; the migrations say NULL.",
        ),
    ],
    "ALTER TABLE lab.samples ALTER COLUMN price DROP DEFAULT": [
        (
            "D014",
            "lab.samples.price",
            (
                "The default of the column lab.samples.price is missing; the migrations say "
                "1.50::numeric(12,2)."
            ),
        ),
    ],
    "ALTER TABLE lab.samples ALTER COLUMN state SET DEFAULT 'done'": [
        (
            "D014",
            "lab.samples.state",
            (
                "The default of the column lab.samples.state is 'done'::character varying(9); "
                "the migrations say 'new'::character varying(9)."
            ),
        ),
    ],
    "ALTER TABLE lab.samples ALTER COLUMN made SET DEFAULT clock_timestamp()": [
        (
            "D014",
            "lab.samples.made",
            (
                "The default of the column lab.samples.made is clock_timestamp(); the "
                "migrations say statement_timestamp()."
            ),
        ),
    ],
    "ALTER TABLE lab.samples ALTER COLUMN data SET DEFAULT '{\"a\": 2}'": [
        (
            "D014",
            "lab.samples.data",
            (
                "The default of the column lab.samples.data is '{\"a\": 2}'::jsonb; the "
                "migrations say '{\"a\": 1}'::jsonb."
            ),
        ),
    ],
    "ALTER TABLE lab.samples ALTER COLUMN note SET DEFAULT 'x'": [
        (
            "D103",
            "lab.samples.note",
            "The column lab.samples.note has a default only in the database: 'x'::text.",
        ),
    ],
    "ALTER TABLE lab.samples ALTER COLUMN double DROP EXPRESSION": [
        (
            "D015",
            "lab.samples.double",
            (
                "The generated value of the column lab.samples.double is missing; the "
                "migrations say (count * 2), stored."
            ),
        ),
    ],
    (
        "ALTER TABLE lab.samples DROP COLUMN double; ALTER TABLE lab.samples ADD COLUMN"
        " double int GENERATED ALWAYS AS (count * 3) STORED"
    ): [
        (
            "D015",
            "lab.samples.double",
            (
                "The generated value of the column lab.samples.double is (count * 3), stored; "
                "the migrations say (count * 2), stored."
            ),
        ),
    ],
    "ALTER TABLE lab.samples ALTER COLUMN id DROP IDENTITY": [
        (
            "D016",
            "lab.samples.id",
            (
                "The identity of the column lab.samples.id is missing; the migrations say "
                "generated by default."
            ),
        ),
    ],
    "ALTER TABLE lab.samples ALTER COLUMN id SET GENERATED ALWAYS": [
        (
            "D016",
            "lab.samples.id",
            (
                "The identity of the column lab.samples.id is generated always; the migrations "
                "say generated by default."
            ),
        ),
    ],
    "ALTER SEQUENCE lab.samples_id_seq INCREMENT BY 10": [
        (
            "D016",
            "lab.samples.id",
            (
                "The sequence of the column lab.samples.id counts by 10; the migrations say a "
                "plain one."
            ),
        ),
    ],
    "ALTER SEQUENCE lab.samples_id_seq AS integer": [
        (
            "D016",
            "lab.samples.id",
            (
                "The sequence of the column lab.samples.id is of type integer; the migrations "
                "say a plain one."
            ),
        ),
    ],
    "ALTER SEQUENCE lab.samples_id_seq MAXVALUE 500 CYCLE": [
        (
            "D016",
            "lab.samples.id",
            (
                "The sequence of the column lab.samples.id ends at 500, starts again at its "
                "end; the migrations say a plain one."
            ),
        ),
    ],
    'ALTER TABLE lab.kinds ALTER COLUMN name TYPE varchar(100) COLLATE "POSIX"': [
        (
            "D017",
            "lab.kinds.name",
            "The collation of the column lab.kinds.name is POSIX; the migrations say C.",
        ),
    ],
    'ALTER TABLE lab.kinds ALTER COLUMN name TYPE varchar(100) COLLATE "default"': [
        (
            "D017",
            "lab.kinds.name",
            "The collation of the column lab.kinds.name is missing; the migrations say C.",
        ),
    ],
    "COMMENT ON COLUMN lab.samples.note IS 'in other words'": [
        (
            "D018",
            "lab.samples.note",
            (
                "The comment on the column lab.samples.note is 'in other words'; the migrations"
                " say 'in plain words'."
            ),
        ),
    ],
    "COMMENT ON COLUMN lab.samples.note IS NULL": [
        (
            "D018",
            "lab.samples.note",
            (
                "The comment on the column lab.samples.note is missing; the migrations say 'in "
                "plain words'."
            ),
        ),
    ],
    "COMMENT ON COLUMN lab.samples.code IS 'by hand'": [
        (
            "D106",
            "lab.samples.code",
            "The column lab.samples.code has a comment only in the database: 'by hand'.",
        ),
    ],
    "COMMENT ON TABLE lab.kinds IS NULL": [
        (
            "D018",
            "lab.kinds",
            (
                "The comment on the table lab.kinds is missing; the migrations say 'kinds of "
                "samples'."
            ),
        ),
    ],
    "COMMENT ON TABLE lab.samples IS 'by hand'": [
        (
            "D106",
            "lab.samples",
            "The table lab.samples has a comment only in the database: 'by hand'.",
        ),
    ],
    "ALTER TABLE lab.samples DROP CONSTRAINT samples_pkey CASCADE": [
        (
            "D021",
            "lab.samples.samples_pkey",
            "The constraint lab.samples.samples_pkey does not exist: PRIMARY KEY (id).",
        ),
        (
            "D021",
            "lab.samples.samples_twin_id_48476aa5_fk_samples_id",
            (
                "The constraint lab.samples.samples_twin_id_48476aa5_fk_samples_id does not "
                "exist: FOREIGN KEY (twin_id) REFERENCES lab.samples(id) DEFERRABLE INITIALLY "
                "DEFERRED."
            ),
        ),
        (
            "D021",
            "lab.samples_users.samples_users_sample_id_91e9a075_fk_samples_id",
            (
                "The constraint "
                "lab.samples_users.samples_users_sample_id_91e9a075_fk_samples_id does not "
                "exist: FOREIGN KEY (sample_id) REFERENCES lab.samples(id) DEFERRABLE INITIALLY"
                " DEFERRED."
            ),
        ),
    ],
    "ALTER TABLE lab.samples DROP CONSTRAINT known": [
        (
            "D021",
            "lab.samples.known",
            (
                "The constraint lab.samples.known does not exist: CHECK ((((state)::text = ANY "
                "('{new,done}'::text[])) OR (count < 5)))."
            ),
        ),
    ],
    "ALTER TABLE lab.samples RENAME CONSTRAINT known TO unknown": [
        (
            "D041",
            "lab.samples.known",
            "The constraint lab.samples.known is named unknown in the database.",
        ),
    ],
    (
        "ALTER TABLE lab.samples DROP CONSTRAINT known; ALTER TABLE lab.samples ADD "
        "CONSTRAINT known CHECK (state IN ('new', 'done', 'lost') OR count < 5)"
    ): [
        (
            "D022",
            "lab.samples.known",
            (
                "The constraint lab.samples.known is CHECK ((((state)::text = ANY "
                "('{new,done,lost}'::text[])) OR (count < 5))); the migrations say CHECK "
                "((((state)::text = ANY ('{new,done}'::text[])) OR (count < 5)))."
            ),
        ),
    ],
    "ALTER TABLE lab.samples ADD CONSTRAINT handmade CHECK (count < 1000)": [
        (
            "D104",
            "lab.samples.handmade",
            (
                "The constraint lab.samples.handmade exists only in the database: CHECK ((count < "
                "1000))."
            ),
        ),
    ],
    "ALTER TABLE lab.samples DROP CONSTRAINT samples_count_check": [
        (
            "D021",
            "lab.samples.samples_count_check",
            (
                "The constraint lab.samples.samples_count_check does not exist: CHECK ((count "
                ">= 0))."
            ),
        ),
    ],
    "ALTER TABLE lab.samples DROP CONSTRAINT later": [
        (
            "D021",
            "lab.samples.later",
            (
                "The constraint lab.samples.later does not exist: UNIQUE (count, made) "
                "DEFERRABLE INITIALLY DEFERRED."
            ),
        ),
    ],
    (
        "ALTER TABLE lab.samples DROP CONSTRAINT later; ALTER TABLE lab.samples ADD "
        "CONSTRAINT later UNIQUE (count, made)"
    ): [
        (
            "D022",
            "lab.samples.later",
            (
                "The constraint lab.samples.later is UNIQUE (count, made); the migrations say "
                "UNIQUE (count, made) DEFERRABLE INITIALLY DEFERRED."
            ),
        ),
    ],
    (
        "ALTER TABLE lab.samples DROP CONSTRAINT no_two_nulls; ALTER TABLE lab.samples "
        "ADD CONSTRAINT no_two_nulls UNIQUE (price, kind_id)"
    ): [
        (
            "D022",
            "lab.samples.no_two_nulls",
            (
                "The constraint lab.samples.no_two_nulls is UNIQUE (price, kind_id); the "
                "migrations say UNIQUE (price, kind_id) NULLS NOT DISTINCT."
            ),
        ),
    ],
    "ALTER TABLE lab.samples DROP CONSTRAINT no_overlap": [
        (
            "D021",
            "lab.samples.no_overlap",
            (
                "The constraint lab.samples.no_overlap does not exist: EXCLUDE USING gist "
                "(during WITH &&) WHERE (count > 0)."
            ),
        ),
    ],
    (
        "ALTER TABLE lab.samples DROP CONSTRAINT no_overlap; ALTER TABLE lab.samples "
        "ADD CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&) WHERE (count > "
        "1)"
    ): [
        (
            "D022",
            "lab.samples.no_overlap",
            (
                "The constraint lab.samples.no_overlap is EXCLUDE USING gist (during WITH &&) "
                "WHERE (count > 1); the migrations say EXCLUDE USING gist (during WITH &&) "
                "WHERE (count > 0)."
            ),
        ),
    ],
    "ALTER TABLE lab.samples DROP CONSTRAINT samples_kind_id_code_08347b94_uniq": [
        (
            "D021",
            "lab.samples.samples_kind_id_code_08347b94_uniq",
            (
                "The constraint lab.samples.samples_kind_id_code_08347b94_uniq does not exist: "
                "UNIQUE (kind_id, code)."
            ),
        ),
    ],
    "ALTER TABLE lab.kinds DROP CONSTRAINT kinds_name_key": [
        (
            "D021",
            "lab.kinds.kinds_name_key",
            "The constraint lab.kinds.kinds_name_key does not exist: UNIQUE (name).",
        ),
    ],
    "ALTER TABLE lab.samples ADD CONSTRAINT handmade UNIQUE (note)": [
        (
            "D104",
            "lab.samples.handmade",
            "The constraint lab.samples.handmade exists only in the database: UNIQUE (note).",
        ),
    ],
    "ALTER TABLE lab.samples DROP CONSTRAINT samples_kind_id_69d87a21_fk_kinds_code": [
        (
            "D021",
            "lab.samples.samples_kind_id_69d87a21_fk_kinds_code",
            (
                "The constraint lab.samples.samples_kind_id_69d87a21_fk_kinds_code does not "
                "exist: FOREIGN KEY (kind_id) REFERENCES lab.kinds(code) DEFERRABLE INITIALLY "
                "DEFERRED."
            ),
        ),
    ],
    (
        "ALTER TABLE lab.samples ALTER CONSTRAINT "
        "samples_kind_id_69d87a21_fk_kinds_code NOT DEFERRABLE"
    ): [
        (
            "D022",
            "lab.samples.samples_kind_id_69d87a21_fk_kinds_code",
            (
                "The constraint lab.samples.samples_kind_id_69d87a21_fk_kinds_code is FOREIGN "
                "KEY (kind_id) REFERENCES lab.kinds(code); the migrations say FOREIGN KEY "
                "(kind_id) REFERENCES lab.kinds(code) DEFERRABLE INITIALLY DEFERRED."
            ),
        ),
    ],
    (
        "ALTER TABLE lab.samples ALTER CONSTRAINT "
        "samples_kind_id_69d87a21_fk_kinds_code DEFERRABLE INITIALLY IMMEDIATE"
    ): [
        (
            "D022",
            "lab.samples.samples_kind_id_69d87a21_fk_kinds_code",
            (
                "The constraint lab.samples.samples_kind_id_69d87a21_fk_kinds_code is FOREIGN "
                "KEY (kind_id) REFERENCES lab.kinds(code) DEFERRABLE; the migrations say "
                "FOREIGN KEY (kind_id) REFERENCES lab.kinds(code) DEFERRABLE INITIALLY "
                "DEFERRED."
            ),
        ),
    ],
    (
        "ALTER TABLE lab.samples DROP CONSTRAINT "
        "samples_kind_id_69d87a21_fk_kinds_code; ALTER TABLE lab.samples ADD CONSTRAINT"
        " samples_kind_id_69d87a21_fk_kinds_code FOREIGN KEY (kind_id) REFERENCES "
        "lab.kinds (code) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED"
    ): [
        (
            "D022",
            "lab.samples.samples_kind_id_69d87a21_fk_kinds_code",
            (
                "The constraint lab.samples.samples_kind_id_69d87a21_fk_kinds_code is FOREIGN "
                "KEY (kind_id) REFERENCES lab.kinds(code) ON DELETE CASCADE DEFERRABLE "
                "INITIALLY DEFERRED; the migrations say FOREIGN KEY (kind_id) REFERENCES "
                "lab.kinds(code) DEFERRABLE INITIALLY DEFERRED."
            ),
        ),
    ],
    (
        "ALTER TABLE lab.samples DROP CONSTRAINT "
        "samples_made_by_id_efa5b07c_fk_users_id; ALTER TABLE lab.samples ADD "
        "CONSTRAINT samples_made_by_id_efa5b07c_fk_users_id FOREIGN KEY (made_by_id) "
        "REFERENCES public.others (id) DEFERRABLE INITIALLY DEFERRED"
    ): [
        (
            "D022",
            "lab.samples.samples_made_by_id_efa5b07c_fk_users_id",
            (
                "The constraint lab.samples.samples_made_by_id_efa5b07c_fk_users_id is FOREIGN "
                "KEY (made_by_id) REFERENCES public.others(id) DEFERRABLE INITIALLY DEFERRED; "
                "the migrations say FOREIGN KEY (made_by_id) REFERENCES public.users(id) "
                "DEFERRABLE INITIALLY DEFERRED."
            ),
        ),
    ],
    (
        "ALTER TABLE lab.samples ADD CONSTRAINT handmade FOREIGN KEY (seen_by_id) "
        "REFERENCES users (id)"
    ): [
        (
            "D104",
            "lab.samples.handmade",
            (
                "The constraint lab.samples.handmade exists only in the database: FOREIGN KEY "
                "(seen_by_id) REFERENCES public.users(id)."
            ),
        ),
    ],
    "ALTER TABLE lab.samples DISABLE TRIGGER ALL": [
        (
            "D023",
            "lab.samples.later",
            "The constraint lab.samples.later is not enforced: its triggers are disabled.",
        ),
        (
            "D023",
            "lab.samples.samples_kind_id_69d87a21_fk_kinds_code",
            (
                "The constraint lab.samples.samples_kind_id_69d87a21_fk_kinds_code is not "
                "enforced: its triggers are disabled."
            ),
        ),
        (
            "D023",
            "lab.samples.samples_made_by_id_efa5b07c_fk_users_id",
            (
                "The constraint lab.samples.samples_made_by_id_efa5b07c_fk_users_id is not "
                "enforced: its triggers are disabled."
            ),
        ),
        (
            "D023",
            "lab.samples.samples_twin_id_48476aa5_fk_samples_id",
            (
                "The constraint lab.samples.samples_twin_id_48476aa5_fk_samples_id is not "
                "enforced: its triggers are disabled."
            ),
        ),
        (
            "D023",
            "lab.samples.touch",
            "The trigger lab.samples.touch does not fire: it is disabled.",
        ),
        (
            "D023",
            "lab.samples_users.samples_users_sample_id_91e9a075_fk_samples_id",
            (
                "The constraint "
                "lab.samples_users.samples_users_sample_id_91e9a075_fk_samples_id is not "
                "enforced: its triggers are disabled."
            ),
        ),
    ],
    "DROP INDEX lab.state_made": [
        (
            "D031",
            "lab.state_made",
            "The index lab.state_made does not exist: INDEX (state, made DESC).",
        ),
    ],
    "ALTER INDEX lab.state_made RENAME TO made_state": [
        ("D041", "lab.state_made", "The index lab.state_made is named made_state in the database."),
    ],
    "CREATE INDEX handmade ON lab.samples (note)": [
        (
            "D105",
            "lab.handmade",
            "The index lab.handmade exists only in the database: INDEX (note).",
        ),
    ],
    "CREATE INDEX known2 ON lab.samples (state, made DESC)": [
        (
            "D105",
            "lab.known2",
            "The index lab.known2 exists only in the database: INDEX (state, made DESC).",
        ),
    ],
    "DROP INDEX lab.state_made; CREATE INDEX state_made ON lab.samples (state, made)": [
        (
            "D032",
            "lab.state_made",
            (
                "The index lab.state_made is INDEX (state, made); the migrations say INDEX "
                "(state, made DESC)."
            ),
        ),
    ],
    ("DROP INDEX lab.state_made; CREATE INDEX state_made ON lab.samples (made DESC, state)"): [
        (
            "D032",
            "lab.state_made",
            (
                "The index lab.state_made is INDEX (made DESC, state); the migrations say INDEX"
                " (state, made DESC)."
            ),
        ),
    ],
    (
        "DROP INDEX lab.state_made; CREATE UNIQUE INDEX state_made ON lab.samples "
        "(state, made DESC)"
    ): [
        (
            "D032",
            "lab.state_made",
            (
                "The index lab.state_made is UNIQUE INDEX (state, made DESC); the migrations "
                "say INDEX (state, made DESC)."
            ),
        ),
    ],
    (
        "DROP INDEX lab.state_made; CREATE INDEX state_made ON lab.samples USING brin (state, made)"
    ): [
        (
            "D032",
            "lab.state_made",
            (
                "The index lab.state_made is INDEX USING brin (state, made); the migrations say"
                " INDEX (state, made DESC)."
            ),
        ),
    ],
    (
        "DROP INDEX lab.dear; CREATE INDEX dear ON lab.samples (code) INCLUDE (note) "
        "WHERE price > 200 AND state = 'new'"
    ): [
        (
            "D032",
            "lab.dear",
            (
                "The index lab.dear is INDEX (code) INCLUDE (note) WHERE ((price > "
                "'200'::numeric) AND ((state)::text = 'new'::text)); the migrations say INDEX "
                "(code) INCLUDE (note) WHERE ((price > '100'::numeric) AND ((state)::text = "
                "'new'::text))."
            ),
        ),
    ],
    (
        "DROP INDEX lab.dear; CREATE INDEX dear ON lab.samples (code) WHERE price > 100"
        " AND state = 'new'"
    ): [
        (
            "D032",
            "lab.dear",
            (
                "The index lab.dear is INDEX (code) WHERE ((price > '100'::numeric) AND "
                "((state)::text = 'new'::text)); the migrations say INDEX (code) INCLUDE (note)"
                " WHERE ((price > '100'::numeric) AND ((state)::text = 'new'::text))."
            ),
        ),
    ],
    (
        "DROP INDEX lab.upper_code; CREATE INDEX upper_code ON lab.samples (lower(code)"
        " DESC, count)"
    ): [
        (
            "D032",
            "lab.upper_code",
            (
                "The index lab.upper_code is INDEX (lower((code)::text) DESC, count); the "
                "migrations say INDEX (upper((code)::text) DESC, count)."
            ),
        ),
    ],
    "DROP INDEX lab.like_code; CREATE INDEX like_code ON lab.samples (code)": [
        (
            "D032",
            "lab.like_code",
            (
                "The index lab.like_code is INDEX (code); the migrations say INDEX (code "
                "varchar_pattern_ops)."
            ),
        ),
    ],
    (
        "DROP INDEX lab.gin_data; CREATE INDEX gin_data ON lab.samples USING gin (data)"
        " WITH (fastupdate = off)"
    ): [
        (
            "D032",
            "lab.gin_data",
            (
                "The index lab.gin_data is INDEX USING gin (data) WITH (fastupdate=off); the "
                "migrations say INDEX USING gin (data jsonb_path_ops) WITH (fastupdate=off)."
            ),
        ),
    ],
    "ALTER INDEX lab.gin_data SET (fastupdate = on)": [
        (
            "D032",
            "lab.gin_data",
            (
                "The index lab.gin_data is INDEX USING gin (data jsonb_path_ops) WITH "
                "(fastupdate=on); the migrations say INDEX USING gin (data jsonb_path_ops) WITH"
                " (fastupdate=off)."
            ),
        ),
    ],
    "DROP INDEX lab.one_new": [
        (
            "D031",
            "lab.one_new",
            (
                "The index lab.one_new does not exist: UNIQUE INDEX (code) WHERE ((state)::text"
                " = 'new'::text)."
            ),
        ),
    ],
    ("DROP INDEX lab.one_new; CREATE INDEX one_new ON lab.samples (code) WHERE state = 'new'"): [
        (
            "D032",
            "lab.one_new",
            (
                "The index lab.one_new is INDEX (code) WHERE ((state)::text = 'new'::text); the"
                " migrations say UNIQUE INDEX (code) WHERE ((state)::text = 'new'::text)."
            ),
        ),
    ],
    ("DROP INDEX lab.one_json; CREATE UNIQUE INDEX one_json ON lab.samples (upper(json))"): [
        (
            "D032",
            "lab.one_json",
            (
                "The index lab.one_json is UNIQUE INDEX (upper(json)); the migrations say "
                "UNIQUE INDEX (lower(json))."
            ),
        ),
    ],
    "DROP INDEX lab.by_weight": [
        ("D031", "lab.by_weight", "The index lab.by_weight does not exist: INDEX (weight)."),
    ],
    "DROP INDEX lab.samples_kind_id_69d87a21": [
        (
            "D031",
            "lab.samples_kind_id_69d87a21",
            "The index lab.samples_kind_id_69d87a21 does not exist: INDEX (kind_id).",
        ),
    ],
    "CREATE VIEW lab.handmade AS SELECT 1 AS one": [
        ("D108", "lab.handmade", "The view lab.handmade exists only in the database."),
    ],
    "CREATE MATERIALIZED VIEW lab.handmade AS SELECT 1 AS one": [
        ("D108", "lab.handmade", "The materialized view lab.handmade exists only in the database."),
    ],
    "CREATE SEQUENCE lab.handmade": [
        ("D108", "lab.handmade", "The sequence lab.handmade exists only in the database."),
    ],
    "CREATE FUNCTION lab.handmade() RETURNS int LANGUAGE sql AS 'SELECT 1'": [
        ("D108", "lab.handmade()", "The function lab.handmade() exists only in the database."),
    ],
    (
        "CREATE TRIGGER handmade BEFORE INSERT ON lab.samples FOR EACH ROW EXECUTE "
        "FUNCTION lab.touch()"
    ): [
        (
            "D108",
            "lab.samples.handmade",
            "The trigger lab.samples.handmade exists only in the database.",
        ),
    ],
    "CREATE RULE handmade AS ON DELETE TO lab.samples DO INSTEAD NOTHING": [
        (
            "D108",
            "lab.samples.handmade",
            "The rule lab.samples.handmade exists only in the database.",
        ),
    ],
    "CREATE POLICY handmade ON lab.samples USING (true)": [
        (
            "D108",
            "lab.samples.handmade",
            "The policy lab.samples.handmade exists only in the database.",
        ),
    ],
    "ALTER TABLE lab.samples ENABLE ROW LEVEL SECURITY": [
        ("D107", "lab.samples", "The table lab.samples has row security."),
    ],
    "ALTER TABLE lab.samples SET (fillfactor = 70)": [
        ("D107", "lab.samples", "The table lab.samples is stored with fillfactor=70."),
    ],
    "CREATE TYPE lab.handmade AS ENUM ('a')": [
        ("D108", "lab.handmade", "The type lab.handmade exists only in the database."),
    ],
    "CREATE STATISTICS lab.handmade ON count, price FROM lab.samples": [
        ("D108", "lab.handmade", "The statistics lab.handmade exists only in the database."),
    ],
    "ALTER TABLE lab.samples FORCE ROW LEVEL SECURITY": [
        ("D107", "lab.samples", "The table lab.samples forces row security."),
    ],
    "ALTER TABLE lab.samples REPLICA IDENTITY FULL": [
        ("D107", "lab.samples", "The table lab.samples has the replica identity FULL."),
    ],
    "ALTER TABLE lab.kinds REPLICA IDENTITY USING INDEX kinds_name_key": [
        (
            "D107",
            "lab.kinds",
            "The table lab.kinds has the replica identity lab.kinds_name_key.",
        ),
    ],
    (
        "CREATE UNIQUE INDEX handmade ON lab.samples (code); ALTER TABLE lab.samples"
        " REPLICA IDENTITY USING INDEX handmade; DROP INDEX lab.handmade"
    ): [
        (
            "D004",
            "lab.samples",
            (
                "The table lab.samples has no replica identity: its index was dropped. Where the "
                "table is published, updates and deletes fail."
            ),
        ),
    ],
    "ALTER TABLE lab.samples CLUSTER ON state_made": [
        ("D107", "lab.samples", "The table lab.samples is clustered on lab.state_made."),
    ],
    "CREATE TABLE lab.elder (); ALTER TABLE lab.samples INHERIT lab.elder": [
        ("D101", "lab.elder", "The table lab.elder exists only in the database."),
        ("D107", "lab.samples", "The table lab.samples inherits from lab.elder."),
    ],
    (
        "ALTER TABLE lab.samples ALTER note SET STORAGE EXTERNAL, ALTER note SET STATISTICS 7,"
        " ALTER note SET (n_distinct = 4)"
    ): [
        ("D107", "lab.samples.note", "The column lab.samples.note has the statistics target 7."),
        ("D107", "lab.samples.note", "The column lab.samples.note has the storage external."),
        ("D107", "lab.samples.note", "The column lab.samples.note is stored with n_distinct=4."),
    ],
    "ALTER TABLE lab.samples DISABLE TRIGGER touch": [
        (
            "D023",
            "lab.samples.touch",
            "The trigger lab.samples.touch does not fire: it is disabled.",
        ),
    ],
    (
        "ALTER TABLE lab.samples DROP CONSTRAINT samples_count_check;"
        " ALTER TABLE lab.samples ADD CONSTRAINT positive CHECK (count >= 0) NO INHERIT"
    ): [
        (
            "D022",
            "lab.samples.positive",
            (
                "The constraint lab.samples.positive is CHECK ((count >= 0)) NO INHERIT; the "
                "migrations say CHECK ((count >= 0))."
            ),
        ),
    ],
}

DRIFTS_OF_18: dict[str, list[tuple[str, str, str]]] = {
    (
        "ALTER TABLE lab.samples DROP CONSTRAINT samples_count_check;"
        " ALTER TABLE lab.samples ADD CHECK (count >= 0) NOT ENFORCED"
    ): [
        (
            "D023",
            "lab.samples.samples_count_check",
            ("The constraint lab.samples.samples_count_check is not enforced: it is NOT ENFORCED."),
        ),
    ],
    (
        "ALTER TABLE lab.samples ALTER CONSTRAINT"
        " samples_kind_id_69d87a21_fk_kinds_code NOT ENFORCED"
    ): [
        (
            "D023",
            "lab.samples.samples_kind_id_69d87a21_fk_kinds_code",
            (
                "The constraint lab.samples.samples_kind_id_69d87a21_fk_kinds_code is not "
                "enforced: it is NOT ENFORCED."
            ),
        ),
    ],
}
