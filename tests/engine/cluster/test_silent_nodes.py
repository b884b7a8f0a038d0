"""Reads that take long: left alone where no node is silent, and ended where one is."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connections

from domain_migrations.domains import get_domain
from domain_migrations.engine.cluster import cluster, silent_nodes
from domain_migrations.engine.cluster.reach import read_reachable
from domain_migrations.engine.cluster.silent_nodes import SilenceWatcher
from domain_migrations.engine.sessions import pooling
from domain_migrations.engine.sessions.connection import fetch_one
from tests.support.catalog import execute

NODE = "worker1:5432"


@pytest.mark.django_db
def test_slow_read_on_plain_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silent_nodes, "PATIENCE", 0.01)
    connection = connections["default"]
    slow = "SELECT 'answer' FROM pg_sleep(0.2)"

    found = read_reachable(connection, [get_domain("hr")], lambda part: fetch_one(connection, slow))

    assert found == (("answer",), {})


def test_nobody_is_asked_before_the_wait_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(pooling, "raw_connection", asked.append)
    with SilenceWatcher(connections["default"]):
        pass
    assert asked == []


def test_the_wait_for_a_silent_node_ends(
    scratch_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the nodes answer is made up; with real ones, the tests of a cluster do the same."""
    monkeypatch.setattr(silent_nodes, "PATIENCE", 0.05)
    monkeypatch.setattr(cluster, "EXTENSION", "SELECT 1")
    monkeypatch.setattr(silent_nodes, "LIMIT", "SELECT 1")
    monkeypatch.setattr(silent_nodes, "_silent_nodes", lambda client: frozenset({NODE}))
    connection = connections["default"]
    with SilenceWatcher(connection) as watcher, pytest.raises(OperationalError):
        execute("SELECT pg_sleep(60)")
    assert watcher.silent == {NODE}
    connection.close()
