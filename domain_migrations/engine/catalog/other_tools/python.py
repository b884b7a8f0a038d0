"""The migration tools of Python, as their tables were seen after real runs."""

from __future__ import annotations

from .tool import HistoryTool

ALEMBIC = HistoryTool(
    key="alembic",
    title="Alembic",
    table="alembic_version",
    columns={"version_num"},
    has_other_columns=False,
    order='version_num COLLATE "C"',
    identity="version_num",
    name="version_num",
    unknown=(
        "Alembic keeps only the last revision of each branch: those before it are in its files.",
        "Alembic does not record when or in which order it ran them.",
    ),
)

YOYO = HistoryTool(
    key="yoyo",
    title="yoyo",
    table="_yoyo_migration",
    columns={"migration_hash", "migration_id", "applied_at_utc"},
    companions={
        "_yoyo_log": {"id", "migration_hash", "operation", "created_at_utc"},
        "_yoyo_version": {"version", "installed_at_utc"},
        "yoyo_lock": {"locked", "ctime", "pid"},
    },
    order='applied_at_utc, migration_id COLLATE "C"',
    identity="migration_hash",
    name="migration_id",
    time="applied_at_utc",
    utc_offset="interval '0'",
)

DJANGO = HistoryTool(
    key="django",
    title="Django",
    table="django_migrations",
    columns={"id", "app", "name", "applied"},
    order="id",
    identity="id",
    name="app || '.' || name",
    group="app",
    time="applied",
    left_out="""
        CASE WHEN row_number() OVER (PARTITION BY app, name ORDER BY id) > 1
        THEN 'an earlier row says the same' END
    """,
    unknown=("The time is that of the computer that ran Django.",),
)

PYTHON_TOOLS = (ALEMBIC, YOYO, DJANGO)
