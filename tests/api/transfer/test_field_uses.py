"""Uses of foreign keys that become references."""

from __future__ import annotations

from pathlib import Path

from django.apps import apps

from domain_migrations.api.transfer.field_uses import uses_of
from domain_migrations.api.transfer.key_conversions import KeyConversion

QUERY = (
    "queries cannot follow the reference department_id: use department_id, and resolve() for the"
    " objects"
)
READ = "department returns the object as before, or None, with a query for each row"
REVERSE = "Department has no budget_requests any more: query BudgetRequest by department_id"


def _found(tmp_path: Path, source: str, name: str = "views.py") -> list[tuple[str, str]]:
    path = tmp_path / "shop" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)
    conversion = KeyConversion(
        apps.get_model("inventory.BudgetRequest"),
        "department",
        "department_id",
        "hr.Department",
        True,
    )
    found = list(uses_of([conversion], [tmp_path], {}))
    assert all(each.path == path for each in found)
    lines = source.splitlines()
    assert all(lines[each.line - 1].strip() == each.text for each in found)
    return [(each.text, each.reason) for each in found]


def test_uses_of_both_sides_are_found(tmp_path: Path) -> None:
    source = '''"""Views of BudgetRequest, and department."""
department = 1
list_display = ["number", "department", "-department__name", "departments"]
found = BudgetRequest.objects.select_related("department")
found.filter(
    department__code="A",
    number="-department",
)
BudgetRequest(department=department)
print(
    found
    .department.name
)
print(found.department_id, found.departments, "the department of it")
department.budget_requests.count()
Department.objects.filter(budget_requests__number=1)
'''
    assert _found(tmp_path, source) == [
        ('list_display = ["number", "department", "-department__name", "departments"]', QUERY),
        ('found = BudgetRequest.objects.select_related("department")', QUERY),
        ('department__code="A",', QUERY),
        ('number="-department",', QUERY),
        ("BudgetRequest(department=department)", QUERY),
        (".department.name", READ),
        ("department.budget_requests.count()", REVERSE),
        ("Department.objects.filter(budget_requests__number=1)", REVERSE),
    ]


def test_only_long_paths_are_found__where_neither_model_is_named(tmp_path: Path) -> None:
    source = 'x.department\nf("department", department=1)\nf("item__request__department__code")\n'
    assert _found(tmp_path, source) == [('f("item__request__department__code")', QUERY)]


def test_fields_of_other_models_and_texts_are_left_out(tmp_path: Path) -> None:
    source = """
class BudgetRequest(Model):
    name = CharField(verbose_name="department")
    class Meta:
        verbose_name = "department"
        ordering = ["department"]
        indexes = [Index(name="department")]
class Contract(Model):
    department = ForeignKey("inventory.Department", related_name="department")
    class Meta:
        ordering = ["department", "request__department"]
    class BudgetRequest:
        ordering = ["department"]
    def __str__(self):
        return self.department.budget_requests
class ContractAdmin:
    ordering = ["department"]
"""
    assert _found(tmp_path, source) == [
        ('ordering = ["department"]', QUERY),
        ('ordering = ["department", "request__department"]', QUERY),
        ("return self.department.budget_requests", REVERSE),
        ('ordering = ["department"]', QUERY),
    ]


def test_migrations_and_broken_modules_are_left_out(tmp_path: Path) -> None:
    source = "BudgetRequest.objects.filter(department=1)\n"
    assert _found(tmp_path, source) != []
    (tmp_path / "shop/views.py").unlink()
    (tmp_path / "shop/migrations").mkdir()
    assert _found(tmp_path, source, "migrations/0001.py") == []
    assert _found(tmp_path, f"{source}(", "broken.py") == []


def test_planned_contents_count(tmp_path: Path) -> None:
    path, gone = tmp_path / "a.py", tmp_path / "b.py"
    gone.write_text("BudgetRequest(department=1)")
    conversion = KeyConversion(
        apps.get_model("inventory.BudgetRequest"),
        "department",
        "department_id",
        "hr.Department",
        True,
    )
    planned = {path: b"x = BudgetRequest().department\n", gone: None}
    (found,) = uses_of([conversion], [tmp_path], planned)
    assert found.as_json() == {
        "path": str(path),
        "line": 1,
        "text": "x = BudgetRequest().department",
        "reason": READ,
    }
