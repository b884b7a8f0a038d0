"""References to other domains: the column, the objects, the edges, the checks and the admin."""

# ruff: noqa: DJ008 (models that a test makes are never shown)
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection, connections, models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext, isolate_apps

from core.models import Role
from core.services import role_grant, role_permission_add
from domain_migrations.checks import check_domains
from domain_migrations.engine.boundary.installed_models import model_problems
from domain_migrations.fields import DomainReference
from domain_migrations.references.admin import DomainReferenceAdmin
from domain_migrations.references.resolution import all_references, reference_problems, resolve
from domain_migrations.references.widgets import LinkedInput, ReferenceSelect
from finance.models import Invoice
from hr.models import Employee
from inventory.models import BudgetCategory, Company, ReceiptInspector
from tests.support import catalog
from tests.support.business import make_cost_centre, make_user, rolled_back, superuser_client

COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
WHERE attrelid = 'inventory.visits'::regclass AND attnum > 0 ORDER BY attnum
"""
CONSTRAINTS = """
SELECT contype FROM pg_constraint
WHERE conrelid = 'inventory.visits'::regclass AND contype NOT IN ('n') ORDER BY 1
"""
INDEXED = """
SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
    AND a.attnum = i.indkey[0] WHERE i.indrelid = 'inventory.visits'::regclass ORDER BY 1
"""


@contextmanager
def visits() -> Iterator[Any]:
    """A model of the inventory with references to targets of several types."""
    with isolate_apps("inventory", "hr"):

        class Machine(models.Model):
            id = models.UUIDField(primary_key=True)

            class Meta:
                app_label = "hr"

        class Person(models.Model):
            class Meta:
                app_label = "hr"

        class Badge(models.Model):
            code = models.CharField(primary_key=True, max_length=12)

            class Meta:
                app_label = "hr"

        class Visit(models.Model):
            person_id = DomainReference("hr.Person", db_index=True)
            machine_id = DomainReference("hr.Machine", null=True, blank=True)
            badge_id = DomainReference("hr.Badge", null=True)
            absent = DomainReference("payroll.Slip", null=True)

            class Meta:
                app_label = "inventory"
                db_table = '"inventory"."visits"'

        yield Visit


def employees(count: int) -> list[Employee]:
    centre = make_cost_centre()
    return [
        Employee.objects.create(
            employee_number=f"10000{number}",
            first_name_th="ก",
            last_name_th=f"ข{number}",
            cost_centre=centre,
            hired_on=date(2026, 10, 1),
        )
        for number in range(count)
    ]


def test_the_column_is_plain_and_has_the_type_of_the_other_key(migrated_database: str) -> None:
    catalog.execute("CREATE TABLE public.visits (decoy text)")

    with visits() as model, connection.schema_editor() as editor:
        editor.create_model(model)

    assert catalog.query(COLUMNS) == [
        ("id", "bigint", True),
        ("person_id", "bigint", True),
        ("machine_id", "uuid", False),
        ("badge_id", "character varying(12)", False),
        ("absent", "bigint", False),
    ]
    assert catalog.query(CONSTRAINTS) == [("p",)]
    assert catalog.query(INDEXED) == [("id",), ("person_id",)]
    assert catalog.query("SELECT * FROM public.visits") == []


def test_a_migration_states_the_type_and_names_no_other_domain() -> None:
    with visits() as model:
        fields = ModelState.from_model(model).fields
    written, imports = MigrationWriter.serialize(fields["machine_id"])

    assert written == (
        "domain_migrations.fields.DomainReference('hr.Machine', blank=True,"
        " id_field=models.UUIDField(), null=True)"
    )
    assert imports == {"import domain_migrations.fields", "from django.db import models"}


def test_a_stated_type_is_not_a_change_for_the_autodetector() -> None:
    with visits() as model:
        declared = ModelState.from_model(model)
        before, after = ProjectState(), ProjectState()
        before.add_model(declared)
        after.add_model(declared.clone())

        assert MigrationAutodetector(before, after)._detect_changes() == {}


def test_a_domain_that_is_not_installed_has_no_objects() -> None:
    with visits() as model:
        rows = [model(absent=pk) for pk in (None, 7)]
        assert [row.absent_object for row in resolve(rows, "absent")] == [None, None]
    assert resolve([]) == []


def test_many_rows_need_one_query_and_missing_objects_are_none(migrated_database: str) -> None:
    with rolled_back():
        one, two = employees(2)
        rows = [ReceiptInspector(employee_id=pk) for pk in (one.pk, two.pk, one.pk, 0)]

        with CaptureQueriesContext(connections["default"]) as queries:
            resolve(rows, "employee_id")
            found = [row.employee for row in rows]

        assert found == [one, two, one, None]
        assert len(queries) == 1

        rows[0].employee_id = two.pk
        assert rows[0].employee == two
        rows[0].employee = one
        assert rows[0].employee_id == one.pk
        assert rows[0].employee is one


def test_only_references_are_resolved() -> None:
    with pytest.raises(TypeError) as raised:
        resolve([ReceiptInspector()], "role")
    assert str(raised.value) == "inventory.ReceiptInspector.role is not a DomainReference."


def test_the_edges_are_listed_and_break_no_rule() -> None:
    edges = {(edge.model._meta.label, edge.field.name, edge.target) for edge in all_references()}

    assert edges == {
        ("inventory.BudgetCategory", "finance_account_id", "finance.Account"),
        ("inventory.Receipt", "finance_invoice_id", "finance.Invoice"),
        ("inventory.ReceiptInspector", "employee_id", "hr.Employee"),
        ("hr.Assignment", "location_id", "inventory.Location"),
        ("finance.Invoice", "supplier_id", "inventory.Company"),
        ("finance.Invoice", "purchase_order_id", "inventory.PurchaseOrder"),
    }
    assert list(model_problems()) == []
    assert check_domains(None) == []


@pytest.mark.parametrize(
    ("field", "identifier", "message", "hint"),
    [
        (
            DomainReference("Employee"),
            "E020",
            "hr.Wrong.other_id refers to 'Employee', which is not the name of a model.",
            'Write the other model as "app_label.ModelName".',
        ),
        (
            DomainReference("hr.Nobody"),
            "E020",
            'hr.Wrong.other_id refers to "hr.Nobody", but the app "hr" has no such model.',
            "Correct the name; the app is installed, and this is not one of its models.",
        ),
        (
            DomainReference("hr.Wrong", id_field=models.UUIDField()),
            "E021",
            "hr.Wrong.other_id stores its ids as uuid, but those of hr.Wrong are bigint.",
            "Remove id_field, or set it to a models.BigIntegerField.",
        ),
    ],
    ids=["malformed", "unknown", "type"],
)
def test_a_wrong_target(field: DomainReference, identifier: str, message: str, hint: str) -> None:
    with isolate_apps("hr") as apps:

        class Wrong(models.Model):
            other_id = field

            class Meta:
                app_label = "hr"

        problems = list(reference_problems(apps))

    assert [(problem.id, problem.message, problem.hint) for problem in problems] == [
        (identifier, message, hint)
    ]


def test_an_accessor_name_that_exists() -> None:
    with isolate_apps("hr") as apps:

        class Wrong(models.Model):
            other = models.TextField()
            other_id = DomainReference("payroll.Slip")

            class Meta:
                app_label = "hr"

        (problem,) = reference_problems(apps)

    assert problem.id == "E022"
    assert problem.message == (
        "hr.Wrong.other_id has its object at other, but the model already has that name."
    )
    assert problem.hint == "Rename one of them."


class InspectorAdmin(DomainReferenceAdmin):
    list_display = ("id", "employee_id", "role")


def test_the_admin_shows_links_with_one_query_for_all_rows(migrated_database: str) -> None:
    with rolled_back():
        people = employees(3)
        request = RequestFactory().get("/")
        request.user = None
        page = InspectorAdmin(ReceiptInspector, admin.site)
        shown = page.get_list_display(request)[1]
        rows = [ReceiptInspector(employee_id=person.pk) for person in people]
        rows.append(ReceiptInspector(employee_id=0))

        with CaptureQueriesContext(connections["default"]) as queries:
            cells = [shown(row) for row in resolve(rows)]

        assert cells[0] == f'<a href="/admin/hr/employee/{people[0].pk}/change/">{people[0]}</a>'
        assert cells[3] == "0 (not found)"
        assert len(queries) == 1
        assert shown.__name__ == "employee_id"


class CategoryAdmin(DomainReferenceAdmin):
    list_display = ("code", "finance_account_id")


def test_an_admin_page_fetches_all_referenced_objects_at_once(
    migrated_database: str, rf: RequestFactory
) -> None:
    with rolled_back():
        for number in range(5):
            BudgetCategory.objects.create(code=f"X{number}", name="x", finance_account_id=number)
        page = CategoryAdmin(BudgetCategory, admin.site)
        request = rf.get("/")
        request.user = make_user(is_superuser=True, is_staff=True)
        rows = list(page.get_changelist_instance(request).result_list)

        with CaptureQueriesContext(connections["default"]) as queries:
            shown = [row.finance_account for row in rows]

        assert set(shown[-5:]) == {None}
        assert len(queries) == 0


def test_a_reference_is_searched_for_in_the_other_domain(migrated_database: str) -> None:
    with rolled_back():
        company = Company.objects.create(code="GPO", name="<Pharma>")
        client = superuser_client()
        page = client.get("/admin/finance/invoice/add/").content.decode()
        url = "/admin/finance/invoice/references/finance.invoice/supplier_id/"
        assert f'data-ajax--url="{url}"' in page

        found = client.get(url, {"term": "gpo"}).json()

        assert found == {
            "results": [{"id": str(company.pk), "text": "<Pharma>"}],
            "pagination": {"more": False},
        }
        assert client.get(url, {"term": "nobody"}).json()["results"] == []


@pytest.mark.parametrize(
    "reference", ["finance.invoice/total", "finance.invoice/nothing", "finance.account/supplier_id"]
)
def test_nothing_else_is_searched(migrated_database: str, reference: str) -> None:
    with rolled_back():
        url = f"/admin/finance/invoice/references/{reference}/"
        assert superuser_client().get(url).status_code == 403


def test_users_without_permission_find_nothing_in_the_other_domain(migrated_database: str) -> None:
    with rolled_back():
        client = Client()
        client.force_login(make_user(is_staff=True))
        url = "/admin/finance/invoice/references/finance.invoice/supplier_id/"
        assert client.get(url).status_code == 403
        assert Client().get(url).status_code == 302


def test_the_chosen_object_is_shown_and_linked(migrated_database: str) -> None:
    with rolled_back():
        company = Company.objects.create(code="GPO", name="<Pharma>")
        page = DomainReferenceAdmin(Invoice, admin.site)
        form = page.get_form(RequestFactory().get("/"), fields=["supplier_id"])()
        widget = form.fields["supplier_id"].widget
        assert isinstance(widget, ReferenceSelect)

        html = widget.render("supplier_id", company.pk, {})

        assert f'<option value="{company.pk}" selected>&lt;Pharma&gt;</option>' in html
        assert f'<a href="/admin/inventory/company/{company.pk}/change/">' in html
        assert ">404 (not found)</option>" in widget.render("supplier_id", 404, {})
        assert "<a " not in widget.render("supplier_id", None, {})


def test_without_a_search_the_id_is_entered(migrated_database: str) -> None:
    with rolled_back():
        company = Company.objects.create(code="GPO", name="Pharma")
        site = admin.AdminSite()
        page = DomainReferenceAdmin(Invoice, site)
        form = page.get_form(RequestFactory().get("/"), fields=["supplier_id"])()
        widget = form.fields["supplier_id"].widget
        assert isinstance(widget, LinkedInput)
        html = widget.render("supplier_id", company.pk, {})
        assert f'value="{company.pk}"' in html
        assert ">Pharma</a>" in html


def test_users_who_may_only_view_see_links(migrated_database: str) -> None:
    with rolled_back():
        category = BudgetCategory.objects.create(code="X", name="x", finance_account_id=404)
        user = make_user(is_staff=True)
        role = Role.objects.create(code="reader", name="Reader")
        role_permission_add(role=role, code="inventory.view_budgetcategory")
        role_grant(user=user, role=role)
        client = Client()
        client.force_login(user)
        page = client.get(f"/admin/inventory/budgetcategory/{category.pk}/change/")
        assert '<div class="readonly">404 (not found)</div>' in page.content.decode()
