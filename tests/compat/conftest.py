"""A test for each package, if the packages are installed."""

from __future__ import annotations

import pytest

from tests.compat.packages import PACKAGES

REASON = "tries the packages of requirements/compat.txt; run: nox -s compat"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "package" not in metafunc.fixturenames:
        return
    if metafunc.config.getoption("--compat") is None:
        skipped = pytest.param(None, marks=pytest.mark.skip(reason=REASON), id="all")
        metafunc.parametrize("package", [skipped])
        return
    in_domain = metafunc.definition.originalname == "test_in_a_domain"
    packages = [package for package in PACKAGES if package.model or not in_domain]
    metafunc.parametrize("package", packages, ids=lambda package: package.name)
