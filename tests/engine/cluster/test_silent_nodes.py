"""Reads that take long where no node is silent: they are left alone."""

from __future__ import annotations

import pytest
from django.db import connections

from domain_migrations.domains import get_domain
from domain_migrations.engine.cluster import silent_nodes
from domain_migrations.engine.cluster.reach import read_reachable
from domain_migrations.engine.cluster.silent_nodes import SilenceWatcher
from domain_migrations.engine.sessions import pooling
from domain_migrations.engine.sessions.connection import fetch_one


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
