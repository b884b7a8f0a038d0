"""The edits of the sample project's code by which a model moves."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.apps import apps

from domain_migrations.api.source_code.file_changes import diff_of
from domain_migrations.api.transfer.code_move import CodeEdits, edit_code
from domain_migrations.api.transfer.model_move import plan_move
from tests.support.commands import ROOT

UNTESTED = ("tests", "benchmarks")


def edits_of(label: str, target: str) -> CodeEdits:
    return edit_code(plan_move(apps.get_model(label), apps.get_app_config(target)))


def diffs(edits: CodeEdits) -> dict[str, str]:
    """File → its changed lines; tests are left out."""
    found = {}
    for change in edits.changes:
        path = change.path.relative_to(ROOT)
        if path.parts[0] not in UNTESTED:
            lines = diff_of(change, ROOT).splitlines()[2:]
            found[str(path)] = "\n".join(line for line in lines if line[:1] in "+-")
    return found


@pytest.fixture(scope="module")
def company() -> CodeEdits:
    return edits_of("inventory.Company", "core")


def test_a_class_moves_to_a_file_of_its_own(company: CodeEdits) -> None:
    assert company.blockers == ()
    (new,) = [change for change in company.changes if change.before is None]
    assert new.path == ROOT / "core/models/company.py"
    before = (ROOT / "inventory/models/places.py").read_text()
    text = before[before.index("class Company") :].replace(
        '\'"inventory"."companies"\'', '"companies"'
    )
    assert new.after is not None
    assert new.after.decode() == (
        '"""Companies."""\n\nfrom __future__ import annotations\n\n'
        "from django.core.validators import RegexValidator\nfrom django.db import models\n"
        f"from django.db.models import Q\n\n\n{text}"
    )


def test_whatever_imports_the_class_is_edited(company: CodeEdits) -> None:
    found = diffs(company)
    del found["core/models/company.py"], found["inventory/models/places.py"]
    assert found == {
        "core/models/__init__.py": (
            "+from .company import Company\n"
            '-__all__ = ["CostCentre", "Permission", "Role", "RolePermission", "User",'
            ' "UserRole"]\n'
            '+__all__ = ["Company", "CostCentre", "Permission", "Role", "RolePermission", "User",'
            ' "UserRole"]'
        ),
        "finance/models/invoices.py": '-        "inventory.Company",\n+        "core.Company",',
        "inventory/admin/places.py": (
            "-from inventory.models import Company, Department, Location\n"
            "+from core.models import Company\n"
            "+from inventory.models import Department, Location"
        ),
        "inventory/models/__init__.py": (
            "-from .places import Company, Department, Location\n"
            "+from .places import Department, Location\n"
            '-    "Company",'
        ),
        "inventory/models/catalogue.py": (
            "-from .places import Company\n+from core.models import Company"
        ),
        "inventory/models/contracts.py": (
            "+from core.models import Company\n+\n-from .places import Company"
        ),
        "inventory/models/purchasing.py": (
            "+from core.models import Company\n+\n"
            "-from .places import Company, Department\n+from .places import Department"
        ),
        "inventory/seeds/920_demo_purchasing.py": (
            '-    return context.get_model("Company").objects.get(code=code)\n'
            '+    return context.get_model("core.Company").objects.get(code=code)'
        ),
        "inventory/services/purchasing.py": (
            "-from core.models import User\n+from core.models import Company, User\n-    Company,"
        ),
    }


def test_lines_that_people_have_to_judge_are_listed(company: CodeEdits) -> None:
    path = Path("tests/references/test_references.py")
    lines = (ROOT / path).read_text().splitlines()
    reason = "the admin's URL names begin with core_company_ after the move"
    assert [
        (number, reason)
        for number, line in enumerate(lines, 1)
        if "/admin/inventory/company/" in line
    ] == [(each.line, each.reason) for each in company.by_hand if each.path == ROOT / path]
