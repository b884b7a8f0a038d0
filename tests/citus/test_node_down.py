"""Commands and pages that look, on a cluster and where one of its nodes does not answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connections, transaction
from django.test import Client
from django.urls import reverse

from domain_migrations.api.readiness import check_readiness
from domain_migrations.domains import get_domain
from domain_migrations.engine.cluster.reach import read_reachable
from domain_migrations.engine.history.tables import applied_names
from tests.support import cluster
from tests.support.cluster import CitusServers
from tests.support.commands import Result
from tests.support.distributed import distribute, node_down, node_of

pytestmark = pytest.mark.citus

Call = Callable[..., Result]


@pytest.fixture(scope="module", autouse=True)
def distributed(citus_cluster: CitusServers, django_db_blocker: Any) -> Iterator[None]:
    """The sample domains; inventory and hr are on different nodes, finance is not distributed."""
    with cluster.connected(citus_cluster, django_db_blocker, template=cluster.MIGRATED):
        distribute("inventory", "hr")
        assert node_of("inventory") != node_of("hr")
        yield


@pytest.fixture(scope="module")
def client(distributed: None) -> Client:
    """A superuser who has logged in while all nodes answered."""
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("viewer", "v@example.com"))
    return client


def text(client: Client, view: str, **arguments: str) -> str:
    response = client.get(reverse(f"admin:domain_migrations_{view}", kwargs=arguments))
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def test_node_and_size_of_each_domain(call: Call) -> None:
    host, port = node_of("hr")
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT sum(citus_total_relation_size(logicalrelid)) FROM pg_dist_partition"
            " WHERE logicalrelid::text LIKE 'hr.%%'"
        )
        (size,) = cursor.fetchone()

    found = {
        each["domain"]: each
        for each in json.loads(call("show_domains", "--format", "json").stdout)["domains"]
    }

    assert (found["hr"]["node"], found["hr"]["size"]) == (f"{host}:{port}", size)
    assert found["finance"]["node"] is found["core"]["node"] is None
    assert found["core"]["size"] > found["finance"]["size"] > 0
    assert f"6 tables on {host}:{port} with " in call("show_domains", "hr").stdout
    assert "6 tables on coordinator with " in call("show_domains", "finance").stdout


def test_show_domains_without_the_domains_on_the_node(call: Call) -> None:
    with node_down("hr") as address:
        result = call("show_domains", "--format", "json")
        as_text = call("show_domains")
        others = call("show_domains", "inventory", "finance")

    shown = json.loads(result.stdout)
    assert [each["domain"] for each in shown["domains"]] == ["core", "inventory", "finance"]
    assert all(each["applied"] and each["size"] for each in shown["domains"])
    (lost,) = shown["unreachable"]
    assert (lost["domain"], lost["schema"], lost["error"]["code"]) == ("hr", "hr", "node")
    assert result.exit_status == as_text.exit_status == 75
    assert f'The tables of the domain "hr" are on the node {address}' in as_text.stdout
    assert str(as_text.error) == "1 domain could not be read."
    assert others.exit_status == 0


def test_readiness_of_the_others() -> None:
    with node_down("hr"):
        found = {each.domain: each for each in check_readiness().domains}

    assert [name for name, each in found.items() if each.ready] == ["core", "inventory", "finance"]
    assert found["hr"].error is not None
    assert found["hr"].error.code == "node"


def test_check_of_the_others(call: Call) -> None:
    with node_down("hr") as address:
        result = call("migrate_domain", "--all", "--check", "--format", "json")

    found = {each["domain"]: each for each in json.loads(result.stdout)["domains"]}
    assert {name for name, each in found.items() if each["error"]} == {"hr"}
    assert found["hr"]["error"]["code"] == "node"
    assert address in found["hr"]["error"]["message"]
    assert result.exit_status == 75


def test_showmigrations_without_the_apps_on_the_node(call: Call) -> None:
    with node_down("hr"):
        everything = call("showmigrations")
        only_hr = call("showmigrations", "hr")
        others = call("showmigrations", "inventory")

    assert "inventory\n [X] 0001_initial" in everything.stdout
    assert "\nhr\n" not in everything.stdout
    assert everything.exit_status == only_hr.exit_status == 75
    assert (only_hr.stdout, others.exit_status) == ("", 0)


def test_reading_in_a_transaction_goes_on(call: Call) -> None:
    connection = connections["default"]
    domains = [get_domain("inventory"), get_domain("hr")]
    with node_down("hr"), transaction.atomic():
        found, problems = read_reachable(
            connection, domains, lambda part: applied_names(connection, part)
        )

    assert found is not None
    assert set(found) == {"inventory"}
    assert set(problems) == {"hr"}


def test_pages_show_the_node_and_the_size_of_shards(client: Client) -> None:
    host, port = node_of("hr")

    overview = text(client, "domain_changelist")
    domain = text(client, "detail", name="hr")

    assert f"{host}:{port}</td>" in overview
    assert "coordinator</td>" in overview
    assert f"<dt>Node</dt><dd>{host}:{port}</dd>" in domain
    assert "0&nbsp;bytes" not in domain


def test_pages_where_the_node_does_not_answer(client: Client) -> None:
    with node_down("hr") as address:
        overview = text(client, "domain_changelist")
        domain = text(client, "detail", name="hr")
        journal = text(client, "journal")
        migration = text(client, "migration", name="hr", app="hr", migration="0001_initial")
        others = text(client, "detail", name="inventory")

    said = f"are on the node {address}, which does not answer."
    assert overview.count(said) == domain.count(said) == journal.count(said) == 1
    assert said in migration
    assert said not in others
    assert "0019_invoice_reference" in others
    assert re.search(r"/journal/[0-9a-f-]{36}/", journal)


def test_map_shows_the_nodes_of_the_domains(call: Call, client: Client) -> None:
    host, port = node_of("hr")
    with node_down("inventory") as other:
        found = {
            each["domain"]: each["node"]
            for each in json.loads(call("map_domains", "--format", "json").stdout)["domains"]
        }
        pictures = [
            *(call("map_domains", "--format", name).stdout for name in ("mermaid", "dot", "svg")),
            text(client, "map"),
        ]

    address = f"{host}:{port}"
    assert found == {"core": None, "finance": None, "hr": address, "inventory": other}
    number = address.rpartition(":")[2]
    assert "schema finance, 6 models<br>on the coordinator" in pictures[0]
    assert all(number in picture and "on the coordinator" in picture for picture in pictures)
