"""The tables in which other migration tools keep their history."""

from __future__ import annotations

from collections.abc import Collection

HISTORIES: dict[str, dict[str, set[str]]] = {
    "knex_migrations": {"Knex": {"id", "name", "batch", "migration_time"}},
    "knex_migrations_lock": {"Knex": {"index", "is_locked"}},
    "pgmigrations": {"node-pg-migrate": {"id", "name", "run_on"}},
    "SequelizeMeta": {"Sequelize": {"name"}},
    "migrations": {
        "TypeORM": {"id", "timestamp", "name"},
        "db-migrate": {"id", "name", "run_on"},
        "graphile-migrate": {"hash", "previous_hash", "filename", "date"},
    },
    "__drizzle_migrations": {"Drizzle": {"id", "hash", "created_at"}},
    "_prisma_migrations": {"Prisma": {"id", "checksum", "migration_name", "started_at"}},
    "schema_migrations": {"Rails, dbmate or another tool": {"version"}},
    "ar_internal_metadata": {"Rails": {"key", "value"}},
    "databasechangelog": {"Liquibase": {"id", "author", "filename", "orderexecuted"}},
    "databasechangeloglock": {"Liquibase": {"id", "locked", "lockgranted"}},
    "alembic_version": {"Alembic": {"version_num"}},
    "_yoyo_migration": {"yoyo": {"migration_hash", "migration_id"}},
    "flyway_schema_history": {"Flyway": {"installed_rank", "version", "script"}},
}
"""Table → tool → columns that its history has, from databases that these tools had migrated;
Flyway's from its manual."""


def history_of(table: str, columns: Collection[str]) -> str | None:
    """Return the tool whose migration history a table is, by its name and columns."""
    found = HISTORIES.get(table, {}).items()
    return next((tool for tool, needed in found if needed.issubset(columns)), None)


def describe_history(title: str, tool: str) -> tuple[str, str]:
    """Return the message and the hint of a finding about another tool's history."""
    return (
        f"The table {title} is the migration history of {tool}.",
        "Keep it as long as that tool migrates anything here: without it, the tool runs every"
        " migration again.",
    )
