"""Unreachable databases and unreadable schemas, which the pages report instead of failing."""

from __future__ import annotations

from collections.abc import Callable

from tests.admin.generated_domains import visit, write_domains
from tests.support.projects import Project
from tests.support.servers import TestServer

BASE = "/admin/domain_migrations/domain/"
PAGES = (
    BASE,
    f"{BASE}domain/d001/",
    f"{BASE}domain/d001/d001/0001_step/",
    f"{BASE}journal/",
)


def get_pages(written: Project) -> list[str]:
    shown = visit(written, *PAGES)
    assert [page["status"] for page in shown] == [200] * len(PAGES)
    return [page["html"] for page in shown]


def test_unreachable_database(project: Callable[..., Project], postgres_server: TestServer) -> None:
    written = write_domains(project, postgres_server, domains=2, migrations=2)
    with (written.path / "settings.py").open("a") as settings:
        settings.write(
            "DATABASES['gone'] = {**DATABASES['default'], 'NAME': 'nowhere'}\n"
            "DOMAIN_MIGRATIONS = {'DATABASES': {'d001': 'gone'}}\n"
        )
    overview, domain, migration, journal = get_pages(written)
    message = "The database &quot;gone&quot; (nowhere on "
    assert all(message in page for page in (overview, domain, migration, journal))
    assert overview.count("dm-state-unreadable") == 1
    assert ">d000<" in journal


def test_schema_without_privileges(
    project: Callable[..., Project], postgres_server: TestServer
) -> None:
    written = write_domains(project, postgres_server, domains=2, migrations=2)
    role = f"reader_of_{written.database}"
    with postgres_server.connect(written.database) as session:
        session.execute(f"CREATE ROLE {role} LOGIN")
        session.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
        session.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}")
        session.execute(f"GRANT USAGE ON SCHEMA d000 TO {role}")
        session.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA d000 TO {role}")
    with (written.path / "settings.py").open("a") as settings:
        settings.write(f"DATABASES['default']['USER'] = {role!r}\n")
    try:
        overview, domain, migration, journal = get_pages(written)
    finally:
        with postgres_server.connect(written.database) as session:
            session.execute(f"DROP OWNED BY {role}")
            session.execute(f"DROP ROLE {role}")
    message = f"The role &quot;{role}&quot; may not read d001.django_migrations_d001"
    assert all(message in page for page in (overview, domain, migration))
    assert overview.count("dm-state-unreadable") == 1
    assert ">d000<" in journal
    assert ">d001<" not in journal.partition("<tbody")[2]


def test_a_table_of_a_newer_version(
    project: Callable[..., Project], postgres_server: TestServer
) -> None:
    written = write_domains(project, postgres_server, domains=2, migrations=2)
    with postgres_server.connect(written.database) as session:
        table = "d001.django_migrations_d001_journal"
        session.execute(f"COMMENT ON TABLE {table} IS 'domain_migrations layout 7'")
    message = f"{table} has the layout 7 of a newer version of domain_migrations"
    assert all(message in page for page in get_pages(written))
