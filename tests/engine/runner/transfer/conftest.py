"""Databases with rows whose domains exchange a table, and their project before and after."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from tests.support import databases, exchange
from tests.support.catalog import execute, query
from tests.support.exchange import PLACES, Way
from tests.support.projects import Project, write_project
from tests.support.servers import TestServer

SURROUNDINGS = """
CREATE SCHEMA other;
CREATE TABLE other.companies (id int);
CREATE TABLE other.companies_groups (id int);
CREATE TYPE {old}.mood AS ENUM ('sad', 'ok');
ALTER TABLE {old}.companies ADD mood {old}.mood DEFAULT 'ok';
COMMENT ON COLUMN {old}.companies.mood IS 'of the seller';
CREATE STATISTICS {old}.companies_stat ON code, size FROM {old}.companies;
CREATE FUNCTION {old}.grow() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.size := NEW.size + 1; RETURN NEW; END $$;
CREATE TRIGGER grow BEFORE UPDATE ON {old}.companies
    FOR EACH ROW EXECUTE FUNCTION {old}.grow();
ALTER TABLE {old}.companies ENABLE ROW LEVEL SECURITY;
CREATE POLICY everyone ON {old}.companies USING (true);
CREATE PUBLICATION by_table FOR TABLE {old}.companies;
CREATE PUBLICATION by_schema FOR TABLES IN SCHEMA {old};
"""


@dataclass(frozen=True)
class Exchange:
    """A project before and after a transfer; the database is Django's default one.

    Attributes:
        old, new: the schemas of the table.
        source, target: the names of the domains.
    """

    way: Way
    before: Project
    after: Project
    later: Project

    @property
    def apps(self) -> tuple[str, str]:
        return PLACES[self.way]

    @property
    def old(self) -> str:
        return exchange.SCHEMAS[self.apps[0]]

    @property
    def new(self) -> str:
        return exchange.SCHEMAS[self.apps[1]]

    @property
    def source(self) -> str:
        return "core" if self.apps[0] == "shop" else self.apps[0]

    @property
    def target(self) -> str:
        return "core" if self.apps[1] == "shop" else self.apps[1]

    def with_rows(self) -> Exchange:
        """Migrate the database as it was before, with rows that point at each other."""
        self.run(self.before, "--all")
        execute(exchange.ROWS.format(schema=self.old, app=self.apps[0]))
        return self

    def surrounded(self) -> Exchange:
        """Also create what belongs to a table, and decoys of the same name."""
        execute(SURROUNDINGS.format(old=self.old))
        return self

    def run(self, project: Project, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
        """Run `migrate_domain`; the results of the domains."""
        result = project.manage("migrate_domain", *arguments, "--format=json", "--noinput")
        assert result.returncode == status, result.stdout + result.stderr
        return list(json.loads(result.stdout)["domains"])

    def back(self, domain: str, status: int = 0) -> list[dict[str, Any]]:
        """Revert the pair from one of its sides."""
        app = self.apps[0] if domain == self.source else self.apps[1]
        return self.run(self.after, domain, f"{app}.0002_more", status=status)

    def place(self) -> str:
        """The schema that has the table, with all that has to be there; nothing in between."""
        found = {
            schema
            for schema, name in query(
                "SELECT schemaname, tablename FROM pg_tables WHERE schemaname <> 'other'"
                " AND tablename IN ('companies', 'companies_groups')"
            )
        }
        assert len(found) == 1, found
        (schema,) = found
        moved = schema == self.new
        for app, name in (
            (self.apps[0], "0003_transfer_company"),
            (self.apps[1], "0003_receive_company"),
        ):
            assert recorded(app, name) == moved
            assert journaled(app, name) == moved
        return str(schema)


def recorded(app: str, name: str) -> bool:
    """Whether the history of the app's domain has a migration."""
    return query(f"SELECT 1 FROM {_history(app)} WHERE app = %s AND name = %s", app, name) != []


def journaled(app: str, name: str) -> bool:
    """Whether the last row of a migration in the journal says that it is applied."""
    table = _history(app).replace("django_migrations", "django_migrations_core")
    table = f"{_history(app)}_journal" if app != "shop" else f"{table}_journal"
    rows = query(
        f"SELECT direction FROM {table} WHERE app = %s AND name = %s AND status = 'done'"
        " ORDER BY id DESC LIMIT 1",
        app,
        name,
    )
    return rows == [("forwards",)]


def _history(app: str) -> str:
    return "public.django_migrations" if app == "shop" else f"{app}.django_migrations_{app}"


SLOW = pytest.mark.slow_stress
REST = [pytest.param(way, marks=SLOW) for way in PLACES if way != "to a domain"]
CORE_FIRST = ["to core", pytest.param("to a domain", marks=SLOW)]
"""The ways of a test that both could do."""
SIDES = ["source", pytest.param("target", marks=SLOW)]


@pytest.fixture(params=["to a domain", *REST])
def way(request: pytest.FixtureRequest) -> Way:
    """One way in the default run, and all of them with `--stress`."""
    found: Way = request.param
    return found


@pytest.fixture
def empty(scratch_database: str, postgres_server: TestServer, tmp_path: Path, way: Way) -> Exchange:
    """The projects, and an empty database."""
    database = {**postgres_server.settings, "NAME": scratch_database}
    releases = {
        "before": exchange.files(way, moved=False),
        "after": exchange.files(way, moved=True),
        "later": exchange.files(way, moved=True, later=True),
    }
    found = {
        name: write_project(tmp_path / name, files, database=database)
        for name, files in releases.items()
    }
    return Exchange(way, **found)


@pytest.fixture
def write(
    empty: Exchange, scratch_database: str, postgres_server: TestServer, tmp_path: Path
) -> Callable[..., Project]:
    """Writes further releases with the transfer, for the same database."""
    database = {**postgres_server.settings, "NAME": scratch_database}

    def write(name: str, host: str = "", port: int = 0, **options: Any) -> Project:
        files = exchange.files(empty.way, moved=True, **options)
        place = {"HOST": host, "PORT": port} if host else {}
        return write_project(tmp_path / name, files, database={**database, **place})

    return write


class Templates:
    """Databases with rows, as they were before: each filled by the first test that needs it."""

    def __init__(self, server: TestServer) -> None:
        self.server = server
        self.made: dict[str, str] = {}

    def fill(self, key: str, fill: Callable[[], object]) -> None:
        """Give Django's default database, still empty, the rows that `fill` writes."""
        name = connections["default"].settings_dict["NAME"]
        if key in self.made:
            connections["default"].close()
            databases.drop(self.server, name)
            databases.create(self.server, name, template=self.made[key])
            return
        fill()
        connections["default"].close()
        template = databases.new_name("exchange")
        databases.create(self.server, template, template=name)
        self.made[key] = template

    def drop(self) -> None:
        for name in self.made.values():
            databases.drop(self.server, name)


@pytest.fixture(scope="session")
def templates(postgres_server: TestServer) -> Iterator[Templates]:
    found = Templates(postgres_server)
    yield found
    found.drop()


@pytest.fixture
def filled(empty: Exchange, templates: Templates) -> Exchange:
    """The projects, and a database with rows."""
    templates.fill(empty.way, empty.with_rows)
    return empty
