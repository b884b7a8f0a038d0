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
        THEN 'Knex has run a migration of this name before, from another folder or by hand' END
    """,
    unknown=("The time is that of the computer that ran Knex.",),
)

NODE_TOOLS = (KNEX,)
