"""Commands and pages that look at a cluster of which a node takes connections and never answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connections, transaction
from django.test import Client
from django.urls import reverse

from domain_migrations.api.readiness import check_readiness
from domain_migrations.domains import get_domain
from domain_migrations.engine.cluster import silent_nodes
from domain_migrations.engine.cluster.reach import read_reachable
from domain_migrations.engine.history.tables import applied_names
from tests.support import cluster
from tests.support.cluster import CitusServers
from tests.support.commands import Result
from tests.support.distributed import distribute, node_behind_proxy
from tests.support.proxy import Proxy

pytestmark = pytest.mark.citus

Call = Callable[..., Result]


@pytest.fixture(scope="module")
def proxy(citus_cluster: CitusServers, django_db_blocker: Any) -> Iterator[Proxy]:
    """The proxy before the node of hr."""
    with cluster.connected(citus_cluster, django_db_blocker, template=cluster.MIGRATED):
        distribute("inventory", "hr")
        with node_behind_proxy("hr") as proxy:
            yield proxy


@pytest.fixture(autouse=True)
def silent(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the node of hr, which the session was connected to before it fell silent."""
    monkeypatch.setattr(silent_nodes, "PATIENCE", 0.4)
    monkeypatch.setattr(silent_nodes, "CANCEL_SECONDS", 0.2)
    proxy.decide = lambda message: "pass"
    assert check_readiness().ready
    proxy.decide = lambda message: "stall"
    yield f"127.0.0.1:{proxy.port}"
    connections["default"].close()


def test_readiness_of_the_others(silent: str) -> None:
    for _ in range(2):  # On the session that the node was connected to, and on a new one.
        found = {each.domain: each for each in check_readiness().domains}
        ready = [name for name, each in found.items() if each.ready]
        assert ready == ["core", "inventory", "finance"]
        assert found["hr"].error is not None
        assert found["hr"].error.code == "node"
        assert f"are on the node {silent}, which does not answer." in found["hr"].error.message


def test_show_domains_without_the_domains_on_the_node(silent: str, call: Call) -> None:
    result = call("show_domains")
    assert result.exit_status == 75
    assert f'The tables of the domain "hr" are on the node {silent}' in result.stdout
    assert str(result.error) == "1 domain could not be read."


def test_pages(silent: str, proxy: Proxy) -> None:
    client = Client()
    proxy.decide = lambda message: "pass"
    viewer, _ = get_user_model().objects.get_or_create(username="v", is_superuser=True)
    type(viewer).objects.update(is_staff=True)
    client.force_login(viewer)
    proxy.decide = lambda message: "stall"
    for view, arguments in (("domain_changelist", {}), ("detail", {"name": "hr"})):
        page = client.get(reverse(f"admin:domain_migrations_{view}", kwargs=arguments))
        assert page.content.decode().count(f"are on the node {silent}, which does not") == 1


def test_in_a_transaction_that_ends_with_its_session(silent: str) -> None:
    connection = connections["default"]
    domains = [get_domain("inventory"), get_domain("hr")]
    with transaction.atomic():
        found, problems = read_reachable(
            connection, domains, lambda part: applied_names(connection, part)
        )
        transaction.set_rollback(True)
    assert found is None
    assert problems.keys() == {"inventory", "hr"}
    assert f"The wait for the cluster's node {silent} was ended" in problems["hr"].message
