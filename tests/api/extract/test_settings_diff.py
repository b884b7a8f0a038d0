"""The change of the settings, as a diff."""

from __future__ import annotations

import runpy
from pathlib import Path

from django.test import override_settings

from domain_migrations.api.extract.settings_diff import settings_diff
from domain_migrations.domains import get_domain


@override_settings(
    DOMAIN_MIGRATIONS={"DATABASES": {"hr": "people"}},
    DATABASE_ROUTERS=["domain_migrations.router.DomainRouter"],
)
def test_other_domains_and_routers_stay() -> None:
    lines = settings_diff(get_domain("finance"), "books").splitlines()
    assert lines[:12] == [
        "--- settings.py",
        "+++ settings.py",
        "@@ -1,3 +1,3 @@",
        " DOMAIN_MIGRATIONS = {",
        '-    "DATABASES": {"hr": "people"},',
        '+    "DATABASES": {"hr": "people", "finance": "books"},',
        " }",
        "@@ -5,2 +5,3 @@",
        '     "domain_migrations.router.DomainRouter",',
        '+    "config.routers.FinanceRouter",',
        " ]",
        "--- /dev/null",
    ]


def test_the_router_sends_the_domain_to_its_database(tmp_path: Path) -> None:
    diff = settings_diff(get_domain("finance"), "books")
    source = "\n".join(line[1:] for line in diff.partition("+++ config/")[2].splitlines()[2:])
    path = tmp_path / "routers.py"
    path.write_text(source)
    router = runpy.run_path(str(path))["FinanceRouter"]()

    class Model:
        def __init__(self, label: str) -> None:
            self._meta = type("Meta", (), {"app_label": label})

    finance, core = Model("finance"), Model("core")
    assert router.db_for_read(finance) == router.db_for_write(finance) == "books"
    assert router.db_for_read(core) is None
    assert router.allow_relation(finance, core) is True
    assert router.allow_relation(core, core) is None
