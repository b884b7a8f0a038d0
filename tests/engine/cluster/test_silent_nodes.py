"""Waits that are ended because a node does not answer; the answer of the nodes is made up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import OperationalError, connections

from domain_migrations.engine.cluster import cluster, silent_nodes
from domain_migrations.engine.cluster.silent_nodes import SilenceWatcher
from tests.support.catalog import execute, query

NODE = "worker1:5432"


@pytest.fixture
def impatient(scratch_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(silent_nodes, "PATIENCE", 0.05)
    yield
    connections["default"].close()


@pytest.mark.usefixtures("impatient")
def test_a_long_query_of_a_server_without_citus_goes_on() -> None:
    with SilenceWatcher(connections["default"]) as watcher:
        assert query("SELECT 1 FROM pg_sleep(0.3)") == [(1,)]
    assert watcher.silent == frozenset()


@pytest.mark.usefixtures("impatient")
def test_the_wait_for_a_silent_node_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "EXTENSION", "SELECT 1")
    monkeypatch.setattr(silent_nodes, "LIMIT", "SELECT 1")
    monkeypatch.setattr(silent_nodes, "_silent_nodes", lambda client: frozenset({NODE}))
    with SilenceWatcher(connections["default"]) as watcher, pytest.raises(OperationalError):
        execute("SELECT pg_sleep(60)")
    assert watcher.silent == {NODE}
