"""Databases that do not answer, and schemas that may not be read, are told of and no error."""

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


def look(written: Project) -> list[str]:
    seen = visit(written, *PAGES)
    assert [page["status"] for page in seen] == [200] * len(PAGES)
    return [page["html"] for page in seen]


def test_database_that_is_gone(
    project: Callable[..., Project], postgres_server: TestServer
) -> None:
    written = write_domains(project, postgres_server, domains=2, migrations=2)
    with (written.path / "settings.py").open("a") as settings:
        settings.write(
            "DATABASES['gone'] = {**DATABASES['default'], 'NAME': 'nowhere'}\n"
            "DOMAIN_MIGRATIONS = {'DATABASES': {'d001': 'gone'}}\n"
        )
    overview, domain, migration, journal = look(written)
    told = "The database &quot;gone&quot; (nowhere on "
    assert all(told in page for page in (overview, domain, migration, journal))
    assert overview.count("dm-state-unreadable") == 1
    assert ">d000<" in journal


def test_schema_that_may_not_be_read(
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
        overview, domain, migration, journal = look(written)
    finally:
        with postgres_server.connect(written.database) as session:
            session.execute(f"DROP OWNED BY {role}")
            session.execute(f"DROP ROLE {role}")
    told = f"The role &quot;{role}&quot; may not read d001.django_migrations_d001"
    assert all(told in page for page in (overview, domain, migration))
    assert overview.count("dm-state-unreadable") == 1
    assert ">d000<" in journal
    assert ">d001<" not in journal.partition("<tbody")[2]
