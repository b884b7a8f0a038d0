"""The migration tools of Node.js, as their tables were seen after real runs."""

from __future__ import annotations

from .tool import HistoryTool

KNEX = HistoryTool(
    key="knex",
    title="Knex",
    table="knex_migrations",
    columns={"id", "name", "batch", "migration_time"},
    companions={"{table}_lock": {"index", "is_locked"}},
    order="id",
    identity="id",
    name="name",
    time="migration_time",
    batch="batch",
    # Knex identifies a migration by this name alone: undoing one of the two deletes both rows.
    left_out="""
        CASE WHEN row_number() OVER (PARTITION BY name ORDER BY id) > 1
        THEN 'one of this name was run before, and Knex does not tell them apart' END
    """,
    unknown=("The time is that of the computer that ran Knex.",),
)

NODE_PG_MIGRATE = HistoryTool(
    key="node-pg-migrate",
    title="node-pg-migrate",
    table="pgmigrations",
    columns={"id", "name", "run_on"},
    order="id",
    identity="id",
    name="name",
    time="run_on",
    unknown=(
        "The time is that of the session that ran node-pg-migrate, in its zone; all migrations of"
        " one transaction have the same.",
    ),
)

SEQUELIZE = HistoryTool(
    key="sequelize",
    title="Sequelize",
    table="SequelizeMeta",
    columns={"name"},
    order='name COLLATE "C"',
    identity="name",
    name="name",
    unknown=(
        "Sequelize records names alone: they are in the order of the names, in which it runs them,"
        " but one that was added later may have run after greater ones.",
    ),
)

TYPEORM = HistoryTool(
    key="typeorm",
    title="TypeORM",
    table="migrations",
    columns={"id", "timestamp", "name"},
    order="id",
    identity="id",
    name="name",
    details="jsonb_build_object('timestamp', timestamp)",
    unknown=(
        "TypeORM does not record when it ran a migration: its timestamp is a part of the name.",
    ),
)

PRISMA = HistoryTool(
    key="prisma",
    title="Prisma",
    table="_prisma_migrations",
    columns={"id", "checksum", "migration_name", "started_at", "finished_at", "rolled_back_at"},
    order="started_at, finished_at, migration_name",
    identity="id",
    name="migration_name",
    time="started_at",
    left_out="""
        CASE WHEN rolled_back_at IS NOT NULL THEN 'it is marked as rolled back'
            WHEN finished_at IS NULL THEN 'it failed, or was not finished' END
    """,
    details="jsonb_build_object('checksum', checksum)",
    unknown=(
        "Prisma records a migration that was marked as applied like one that it has run.",
        "Through a driver adapter, Prisma 7 writes the time of UTC as if it were one of the"
        " session's zone: where that zone is another, the times are off by it.",
    ),
)

DRIZZLE = HistoryTool(
    key="drizzle",
    title="Drizzle",
    table="__drizzle_migrations",
    columns={"id", "hash", "created_at"},
    schema="drizzle",
    order="id",
    identity="id",
    name="hash",
    details="jsonb_build_object('file_time', created_at)",
    unknown=(
        "Drizzle records neither names nor when it ran a migration: the name is the SHA-256 of the"
        " file, and its time the file's.",
    ),
)

DB_MIGRATE = HistoryTool(
    key="db-migrate",
    title="db-migrate",
    table="migrations",
    columns={"id", "name", "run_on"},
    order="id",
    identity="id",
    name="name",
    time="run_on",
    unknown=("The time is that of the computer that ran db-migrate, in its zone.",),
)

GRAPHILE_MIGRATE = HistoryTool(
    key="graphile-migrate",
    title="graphile-migrate",
    table="migrations",
    columns={"hash", "previous_hash", "filename", "date"},
    schema="graphile_migrate",
    # Each names the one before it, and the first names none.
    rows="""
        (WITH RECURSIVE chain AS (
            SELECT hash, filename, date, 1 AS step FROM {table} WHERE previous_hash IS NULL
            UNION ALL
            SELECT m.hash, m.filename, m.date, c.step + 1
            FROM {table} m JOIN chain c ON m.previous_hash = c.hash
        )
        SELECT * FROM chain
        UNION ALL
        SELECT hash, filename, date, NULL FROM {table} m
        WHERE NOT EXISTS (SELECT FROM chain c WHERE c.hash = m.hash)) AS chain
    """,
    order="step, date",
    identity="hash",
    name="filename",
    time="date",
    left_out="CASE WHEN step IS NULL THEN 'the one that it names as the one before is missing' END",
    details="jsonb_build_object('hash', hash)",
)

NODE_TOOLS = (
    KNEX,
    NODE_PG_MIGRATE,
    SEQUELIZE,
    TYPEORM,
    PRISMA,
    DRIZZLE,
    DB_MIGRATE,
    GRAPHILE_MIGRATE,
)
