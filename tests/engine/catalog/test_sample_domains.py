"""No drift in the sample domains."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.test.utils import CaptureQueriesContext

from domain_migrations.domains import get_domain, get_domains
from domain_migrations.engine.catalog.drift import find_drift
from domain_migrations.engine.catalog.fingerprint import fingerprint

NAMES = ["core", "inventory", "hr", "finance"]


@pytest.fixture(scope="module")
def loader(migrated_module_database: str) -> MigrationLoader:
    return MigrationLoader(connection)


@pytest.fixture(scope="module")
def state(loader: MigrationLoader) -> ProjectState:
    return loader.project_state()


def test_the_list_of_domains_is_complete():
    assert [domain.name for domain in get_domains()] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_domain_as_migrated_has_no_drift(loader: MigrationLoader, state: ProjectState, name: str):
    domain = get_domain(name)
    applied = [loader.graph.nodes[key] for key in loader.applied_migrations]
    history = [item for item in applied if item.app_label in domain.app_labels]
    found = find_drift(connection, domain, state, migrations=history)
    assert [item for item in found if not item.is_unmanaged] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_fingerprint_needs_few_queries(loader: MigrationLoader, name: str):
    schema = get_domain(name).schema
    with CaptureQueriesContext(connection) as asked:
        text = fingerprint(connection, schema)
    assert f"schema {schema}\n" in text
    assert len(asked) <= 6
