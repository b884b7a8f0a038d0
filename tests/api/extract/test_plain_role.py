"""A move by a role that is not a superuser, with the privileges that the plan asks for."""

from __future__ import annotations

from pathlib import Path

from tests.support.moving_domain import Moving, moving_project, running_server

ROLE = """
CREATE ROLE plain LOGIN REPLICATION BYPASSRLS PASSWORD 'secret';
GRANT pg_create_subscription TO plain;
GRANT CREATE ON DATABASE {database} TO plain;
GRANT ALL ON SCHEMA public TO plain;
GRANT ALL ON ALL TABLES IN SCHEMA public TO plain;
"""
OWNED = """
SELECT format('ALTER SCHEMA depot OWNER TO plain')
UNION ALL SELECT format('ALTER %s %s OWNER TO plain', CASE relkind WHEN 'm'
        THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass)
    FROM pg_class c WHERE relnamespace = 'depot'::regnamespace AND relkind IN ('r', 'p', 'm', 'S')
    AND NOT (relkind = 'S' AND EXISTS (SELECT FROM pg_depend d
        WHERE d.objid = c.oid AND d.deptype IN ('a', 'i')))
UNION ALL SELECT format('ALTER FUNCTION %s OWNER TO plain', oid::regprocedure)
    FROM pg_proc WHERE pronamespace = 'depot'::regnamespace
"""


def give_to_plain(moving: Moving) -> None:
    """Let the project connect as a role that owns the domain, with a password."""
    for server, name in (
        (moving.source, moving.source_name),
        (moving.target, moving.target_name),
    ):
        access = server.cluster.home.data / "pg_hba.conf"
        access.write_text(f"local all plain scram-sha-256\n{access.read_text()}")
        with server.connect(name) as session:
            session.execute(ROLE.format(database=name))
            session.execute("SELECT pg_reload_conf()")
    for (statement,) in moving.on_source(OWNED):
        moving.on_source(statement)
    settings = moving.project.path / "settings.py"
    text = settings.read_text()
    settings.write_text(text.replace("'USER': 'postgres'", "'USER': 'plain', 'PASSWORD': 'secret'"))


def test_a_role_with_the_privileges_of_the_plan_moves_a_domain(tmp_path: Path) -> None:
    with (
        running_server("18") as source,
        running_server("18") as target,
        moving_project(tmp_path / "project", source, target) as moving,
    ):
        give_to_plain(moving)
        assert 'The role plain in "lab" is not a superuser' in moving.done("plan")
        moving.copied()
        moving.done("cut-over")
        moving.done("abort", "--noinput")
        assert moving.leftovers() == []
        moving.copied()
        moving.done("cut-over")
        assert moving.differing_tables() == []
        moving.done("finish", "--noinput")
        assert moving.leftovers() == []
        journal = "SELECT details::text FROM depot.django_migrations_depot_journal"
        assert not [text for (text,) in moving.on_source(journal) if "secret" in text]
