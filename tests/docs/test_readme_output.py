"""The output of `show_domains` in README.md has the numbers of the sample project as it is."""

from __future__ import annotations

from django.db.migrations.loader import MigrationLoader

from domain_migrations.domains import get_domains
from tests.support.commands import ROOT

HEAD = "domain     schema     applied  pending  unknown  tables  last change\n"


def test_every_migration_of_the_sample_project_is_applied() -> None:
    _, found, rest = (ROOT / "README.md").read_text().partition(HEAD)
    assert found
    lines = [line.split() for line in rest.partition("```")[0].splitlines()]
    on_disk = [app for app, _ in MigrationLoader(None).disk_migrations]
    assert {name: int(applied) for name, _, applied, *_ in lines} == {
        domain.name: sum(app in domain.app_labels for app in on_disk) for domain in get_domains()
    }
