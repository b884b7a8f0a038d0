"""Without the extension there is no cluster."""

from __future__ import annotations

from django.db import connections
from django.test.utils import CaptureQueriesContext

from domain_migrations.domains import get_domain
from domain_migrations.engine.cluster.cluster import read_cluster
from domain_migrations.engine.runner.run_session import RunSession


def test_plain_database_is_asked_once(scratch_database: str) -> None:
    connection = connections["default"]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE public.pg_dist_node (groupid int)")

    with CaptureQueriesContext(connection) as queries:
        session = RunSession(connection, get_domain("inventory"))
        assert session.cluster is None
        assert session.cluster is None
        assert len(queries) == 1

    assert read_cluster(connection) is None
