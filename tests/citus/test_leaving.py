"""The way off Citus: a dump of the coordinator, restored where the extension is not installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from domain_migrations.domains import get_domains
from tests.support.cluster import PROGRAMS, CitusServers
from tests.support.databases import new_name
from tests.support.distributed import distribute

pytestmark = pytest.mark.citus

Manage = Callable[..., subprocess.CompletedProcess[str]]
DOMAINS = ("finance", "hr", "inventory")
TABLES = """
SELECT c.oid::regclass::text FROM pg_class c
WHERE c.relkind IN ('r', 'm') AND c.relnamespace = ANY(%s::regnamespace[])
ORDER BY 1
"""
SUMS = "SELECT count(*), sum(hashtextextended(x::text, 0)) FROM {} x"


def program(name: str, server_version: int) -> str:
    found = shutil.which(name, path=os.environ.get(PROGRAMS) or os.environ["PATH"])
    version = subprocess.run([found or "false", "-V"], capture_output=True, text=True).stdout
    if int((re.findall(r"\) (\d+)", version) or [0])[0]) < server_version // 10000:
        pytest.skip(f"{name} is older than the cluster: set {PROGRAMS} to a folder of its version.")
    return str(found)


def sums(session: psycopg.Connection) -> dict[str, tuple[int, object]]:
    """The count and a checksum of each table's rows, core's too."""
    names = session.execute(TABLES, [["public", *DOMAINS]]).fetchall()
    queries = {name: sql.SQL(SUMS).format(sql.SQL(name)) for (name,) in names}
    return {name: session.execute(query).fetchall()[0] for name, query in queries.items()}


@pytest.fixture
def plain_database(citus_cluster: CitusServers) -> Iterator[str]:
    name = new_name("left")
    with citus_cluster.coordinator.connect() as session:
        session.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template1").format(sql.Identifier(name))
        )
    yield name
    with citus_cluster.coordinator.connect() as session:
        session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_dump_of_the_coordinator_is_the_whole_database(
    citus_cluster: CitusServers,
    migrated_citus_database: str,
    plain_database: str,
    manage: Manage,
    tmp_path: Path,
) -> None:
    with citus_cluster.coordinator.connect(migrated_citus_database) as session:
        before = sums(session)
    assert sum(count for name, (count, _) in before.items() if name.startswith("inventory.")) > 20
    distribute(*DOMAINS)
    with citus_cluster.coordinator.connect(migrated_citus_database) as session:
        assert sums(session) == before
        version = session.info.server_version
        dump, psql = program("pg_dump", version), program("psql", version)
    address = [
        *("--host", citus_cluster.coordinator.parameters["host"]),
        *("--port", citus_cluster.coordinator.parameters["port"]),
        *("--username", citus_cluster.coordinator.parameters["user"]),
    ]
    file = tmp_path / "dump.sql"
    command = [dump, *address, "--exclude-extension=citus*", f"--file={file}"]
    subprocess.run([*command, migrated_citus_database], check=True)
    assert "citus" not in file.read_text()
    restore = [psql, *address, "-qX", "-v", "ON_ERROR_STOP=1", f"--file={file}"]
    subprocess.run([*restore, plain_database], check=True, capture_output=True)

    with citus_cluster.coordinator.connect(plain_database) as session:
        assert session.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'").rowcount == 0
        assert sums(session) == before
    environment = citus_cluster.environment(plain_database)
    verified = manage("verify_domain", "--format", "json", **environment)
    assert json.loads(verified.stdout)["findings"] == [], verified.stdout
    unchanged = json.loads(
        manage("migrate_domain", "--all", "--format", "json", **environment).stdout
    )
    assert {one["status"] for one in unchanged["domains"]} == {"unchanged"}
    assert len(unchanged["domains"]) == len(get_domains())
