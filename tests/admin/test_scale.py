"""The cost of the pages does not depend on the number of domains."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.admin.generated_domains import install_only, visit, write_domains
from tests.support.projects import Project
from tests.support.servers import TestServer

BASE = "/admin/domain_migrations/domain/"
LISTS = (
    BASE,
    f"{BASE}?page=2",
    f"{BASE}?q=d01",
    f"{BASE}?state=pending",
    f"{BASE}journal/",
    f"{BASE}map/",
)
DOMAIN = f"{BASE}domain/d001/"
RUN = f"{BASE}journal/c0ffee00-0000-4000-8000-000000000000/"
MIGRATION = f"{DOMAIN}d001/0002_step/"


def get_pages(project: Project) -> list[dict[str, Any]]:
    pages = visit(project, *LISTS, RUN, DOMAIN, MIGRATION)
    assert [page["status"] for page in pages] == [200] * len(pages)
    return pages


def check_imports(pages: list[dict[str, Any]]) -> None:
    """Only the page of a migration imports migrations: its own domain's and core's."""
    assert [domains_of(page) for page in pages[:-1]] == [set()] * (len(pages) - 1)
    assert domains_of(pages[-1]) == {"d001"}


def domains_of(page: dict[str, Any]) -> set[str]:
    return set(re.findall(r"^d\d{3}", "\n".join(page["imported"]), re.MULTILINE))


def queries(pages: list[dict[str, Any]]) -> dict[str, int]:
    return {page["address"]: page["queries"] for page in pages}


def test_queries_and_imports_do_not_depend_on_the_number_of_domains(
    project: Callable[..., Project], postgres_server: TestServer
) -> None:
    written = write_domains(project, postgres_server, domains=55, migrations=3)
    many = get_pages(written)
    install_only(written, 30)
    few = get_pages(written)
    check_imports(many)
    check_imports(few)
    assert queries(many) == queries(few)
    assert "Page 1 of 3" in many[0]["html"]
    assert "Page 1 of 2" in few[0]["html"]
    assert many[0]["html"].count('<tr role="row"') == 26


@pytest.mark.slow_stress
def test_many_domains(
    project: Callable[..., Project], postgres_server: TestServer, stress_size: str
) -> None:
    domains, migrations = (500, 100) if stress_size == "full" else (120, 20)
    written = write_domains(project, postgres_server, domains=domains, migrations=migrations)
    many = get_pages(written)
    check_imports(many)
    install_only(written, 30)
    assert queries(many) == queries(get_pages(written))
    print({page["address"]: round(page["seconds"], 2) for page in many})
    assert max(page["seconds"] for page in many) < 5
    assert next(page["seconds"] for page in many if "state=" in page["address"]) < 2
