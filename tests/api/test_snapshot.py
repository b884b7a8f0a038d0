"""Snapshots of the sample domains, and of domains that cannot have one."""

from __future__ import annotations

import os

import pytest
from django.db import connections

from domain_migrations.api.snapshot import snapshot_domains
from domain_migrations.domains import get_domain
from domain_migrations.engine.snapshots.snapshot_file import read_snapshot, snapshot_file
from domain_migrations.exceptions import InvalidConfiguration, UnknownDomain
from tests.support.servers import TestServer

SAMPLES = ["inventory", "hr", "finance"]


def test_the_project_snapshots_are_current(
    scratch_database: str, postgres_server: TestServer
) -> None:
    """Where this fails: manage.py snapshot_domain inventory hr finance"""
    for taken in snapshot_domains(SAMPLES, write=False):
        kept = read_snapshot(taken.path)
        assert taken.path == snapshot_file(get_domain(taken.domain))
        assert kept.migrations == taken.snapshot.migrations
        assert kept.fingerprint == taken.snapshot.fingerprint
        assert (kept.core, kept.unmanaged) == (taken.snapshot.core, taken.snapshot.unmanaged)
        assert taken.warnings == ()
        # Other versions write the same in other words.
        assert taken.is_changed is False or postgres_server.kind != "embedded"
    with connections["default"].cursor() as cursor:
        # Those of this process: another worker may be taking snapshots at the same time.
        cursor.execute(
            "SELECT datname FROM pg_database WHERE datname ~ %s",
            [f"^snapshot_.*_{os.getpid()}_"],
        )
        assert cursor.fetchall() == []


def test_core_has_no_snapshot() -> None:
    with pytest.raises(InvalidConfiguration) as raised:
        snapshot_domains(["hr", "core"])
    assert raised.value.message == (
        'core has no snapshot: its schema "public" is shared by apps whose migrations come with'
        " other packages, and with anything else in the database."
    )
    with pytest.raises(UnknownDomain):
        snapshot_domains(["payroll"])
