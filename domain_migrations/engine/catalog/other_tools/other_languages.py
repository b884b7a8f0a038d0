"""The migration tools of Go, Perl and Ruby, as their tables were seen after real runs."""

from __future__ import annotations

from .tool import HistoryTool

DBMATE = HistoryTool(
    key="dbmate",
    title="dbmate",
    table="schema_migrations",
    columns={"version"},
    has_other_columns=False,
    order='version COLLATE "C"',
    identity="version",
    name="version",
    unknown=(
        "dbmate records neither times nor the order of its runs; the rows are in the order of the"
        " versions, which is that of the files.",
    ),
)

RAILS = HistoryTool(
    key="rails",
    title="Rails",
    table="schema_migrations",
    columns={"version"},
    has_other_columns=False,
    companions={"ar_internal_metadata": {"key", "value"}},
    # Rails compares the versions as numbers, and stores 001 as 1.
    order="""length(ltrim(version::text, '0')), ltrim(version::text, '0') COLLATE "C" """,
    identity="version",
    name="version",
    unknown=(
        "Rails records neither times nor the order of its runs; the rows are in the order of the"
        " versions.",
    ),
)

SQITCH = HistoryTool(
    key="sqitch",
    title="Sqitch",
    table="changes",
    columns={"change_id", "change", "project", "note", "committed_at", "planned_at"},
    schema="sqitch",
    companions={
        "dependencies": {"change_id", "type", "dependency", "dependency_id"},
        "events": {"event", "change_id", "committed_at", "planned_at"},
        "projects": {"project", "uri", "creator_name", "creator_email"},
        "releases": {"version", "installed_at", "installer_name"},
        "tags": {"tag_id", "tag", "project", "committed_at"},
    },
    order='committed_at, change_id COLLATE "C"',
    identity="change_id",
    # A change that was reworked has the name of the one before it.
    name="change",
    group="project",
    time="committed_at",
    details="jsonb_build_object('change', change_id, 'note', note)",
)

OTHER_TOOLS = (DBMATE, RAILS, SQITCH)
