"""The migration tools of Java: Liquibase as seen after real runs, Flyway as its source has it."""

from __future__ import annotations

from .tool import HistoryTool

FLYWAY = HistoryTool(
    key="flyway",
    title="Flyway",
    table="flyway_schema_history",
    columns={"installed_rank", "version", "type", "script", "installed_on", "success"},
    order="installed_rank",
    identity="installed_rank",
    name="script",
    time="installed_on",
    # A later row of the same version undoes it; a repeatable migration has no version.
    left_out="""
        CASE WHEN NOT success THEN 'it failed'
        WHEN type = 'SCHEMA' THEN 'it says that Flyway created the schema'
        WHEN type = 'DELETE' THEN 'it says that the file of a migration was deleted'
        WHEN type LIKE 'UNDO%' THEN 'it undoes another migration'
        WHEN version IS NOT NULL AND installed_rank < max(installed_rank)
            FILTER (WHERE success AND type LIKE 'UNDO%') OVER (PARTITION BY version)
        THEN 'Flyway has undone it'
        WHEN version IS NULL AND installed_rank < max(installed_rank)
            FILTER (WHERE success AND type <> 'DELETE') OVER (PARTITION BY version, script)
        THEN 'Flyway has run it again since' END
    """,
    details="jsonb_build_object('version', version, 'type', type)",
    unknown=("The time is local to the computer that ran Flyway.",),
)

# The number of a run of Liquibase is the end of its milliseconds since 1970 in UTC. The local time
# of its first row is later by the zone's offset, which is a number of quarters of an hour, and by a
# moment. Where that moment is longer than five minutes, the offset is not certain.
LIQUIBASE_OFFSET = """
    CASE WHEN deployment ~ '^[0-9]{10}$' THEN (
        SELECT make_interval(mins => (quarters * 15)::integer) FROM (
            SELECT away, round(away / 900000) AS quarters FROM (
                SELECT mod(15000000000 + mod(
                    extract(epoch FROM first_in_run) * 1000 - deployment::numeric, 10000000000
                ), 10000000000) - 5000000000 AS away
            ) AS difference
        ) AS zone
        WHERE quarters BETWEEN -48 AND 56 AND abs(away - quarters * 900000) <= 300000
    ) END
"""

LIQUIBASE = HistoryTool(
    key="liquibase",
    title="Liquibase",
    table="databasechangelog",
    columns={"id", "author", "filename", "dateexecuted", "orderexecuted", "exectype"},
    companions={"{table}lock": {"id", "locked", "lockgranted"}},
    # Old versions have no column deployment_id.
    rows="""(
        SELECT *, min(dateexecuted) FILTER (WHERE isfinite(dateexecuted))
            OVER (PARTITION BY deployment) AS first_in_run
        FROM (SELECT *, to_jsonb(h) ->> 'deployment_id' AS deployment FROM {table} AS h) AS runs
    ) AS changes""",
    order="orderexecuted, filename, id, author",
    # There is no primary key. A change set that runs again keeps its row, with another number.
    identity="concat_ws('::', filename, id, author, orderexecuted)",
    # As Liquibase prints it.
    name="filename || '::' || id || '::' || author",
    time="dateexecuted",
    utc_offset=LIQUIBASE_OFFSET,
    left_out="""
        CASE exectype WHEN 'MARK_RAN' THEN 'Liquibase has marked it without running it'
        WHEN 'FAILED' THEN 'it failed' WHEN 'SKIPPED' THEN 'Liquibase has skipped it'
        ELSE CASE WHEN row_number() OVER (
            PARTITION BY filename, id, author ORDER BY orderexecuted DESC
        ) > 1 THEN 'a later row says the same' END END
    """,
    details="jsonb_build_object('exectype', exectype)",
    unknown=(
        "A change set that Liquibase has run again has the time and the place of its last run.",
        "Rows written by changelog-sync look like those of change sets that were run.",
    ),
)

JAVA_TOOLS = (FLYWAY, LIQUIBASE)
