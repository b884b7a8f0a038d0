-- Tables and rows of migration tools of Node.js, as real runs left them, and some that were edited.

CREATE SCHEMA nodes;

CREATE TABLE nodes.knex_migrations (
    id serial PRIMARY KEY, name varchar(255), batch int, migration_time timestamptz
);
INSERT INTO nodes.knex_migrations VALUES
    (1, '20260100_one.js', 1, '2026-11-30 02:11:00.899+07'),
    (3, '20260102_three.js', 2, '2026-11-30 02:11:02.809+07'),
    (4, '20260100_one.js', 3, '2026-11-30 02:11:04.209+07'),
    (2, '20260109_late.js', 2, '-infinity');

-- Undone and run again, in the zone of Kathmandu.
CREATE TABLE nodes.pgmigrations (
    id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL
);
INSERT INTO nodes.pgmigrations VALUES
    (1, '1700000000000_one', '2026-11-30 02:11:25.659456'),
    (2, '1700000000001_two', '2026-11-30 02:11:25.659456'),
    (5, '1700000000003_four', '2026-10-25 02:30');
CREATE TABLE nodes.zoned AS SELECT id, name, run_on AT TIME ZONE 'Asia/Kathmandu' AS run_on
    FROM nodes.pgmigrations;
CREATE TABLE nodes.worded AS SELECT id, name, run_on::text FROM nodes.pgmigrations;

CREATE TABLE nodes."SequelizeMeta" (name varchar(255) NOT NULL PRIMARY KEY);
INSERT INTO nodes."SequelizeMeta" VALUES ('b-two.js'), ('B-one.js'), ('a-three.cjs');

CREATE TABLE nodes.migrations (
    id serial CONSTRAINT "PK_8c82d7f526340ab734260ea46be" PRIMARY KEY,
    "timestamp" bigint NOT NULL, name varchar NOT NULL
);
INSERT INTO nodes.migrations VALUES
    (1, 1700000000001, 'two1700000000001'), (2, 1700000000000, 'one1700000000000');

CREATE SCHEMA drizzle;
CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint);
INSERT INTO drizzle.__drizzle_migrations VALUES
    (2, 'bb', 1700000000000), (1, 'aa', 1700000000001);

CREATE SCHEMA others;
CREATE TABLE others.migrations (
    id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL
);
INSERT INTO others.migrations VALUES
    (1, '/20260100000000-one', '2026-11-30 02:13:01.476'),
    (2, '/20260101000000-two', '2026-11-30 02:13:01.524');

-- The third failed and stays so; the second failed, was marked, and ran again.
CREATE TABLE nodes._prisma_migrations (
    id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
    migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count int NOT NULL DEFAULT 0
);
INSERT INTO nodes._prisma_migrations VALUES
    ('c', '3', NULL, '20260103000000_three', 'external connector error', NULL, '2026-11-29 19:12+00', 0),
    ('d', '2', '2026-11-29 19:11:19.9+00', '20260102000000_two', NULL, NULL, '2026-11-29 19:11:19.7+00', 1),
    ('b', '1', NULL, '20260102000000_two', 'failed', '2026-11-29 19:11:17+00', '2026-11-29 19:11:15+00', 0),
    ('a', '0', '2026-11-29 19:11:11.8+00', '20260101000000_one', NULL, NULL, '2026-11-29 19:11:11.7+00', 1);

CREATE SCHEMA graphile_migrate;
CREATE TABLE graphile_migrate.migrations (
    hash text PRIMARY KEY, previous_hash text REFERENCES graphile_migrate.migrations,
    filename text NOT NULL, date timestamptz NOT NULL DEFAULT now()
);
INSERT INTO graphile_migrate.migrations VALUES
    ('sha1:1', NULL, '000001.sql', '2026-11-29 19:13:03+00'),
    ('sha1:0', 'sha1:1', '000002.sql', '2026-11-29 19:13:01+00'),
    ('sha1:2', 'sha1:0', '000003.sql', '2026-11-29 19:13:02+00');
