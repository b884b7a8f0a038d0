"""Plans that are refused before anything runs."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import migrations, models
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from domain_migrations.domains import get_domain
from domain_migrations.engine.boundary.planned_migrations import check_plan
from domain_migrations.engine.boundary.rule import CORE_DEPENDS, DOMAIN_DEPENDS
from domain_migrations.exceptions import BoundaryViolation, InvalidConfiguration

ID = ("id", models.BigAutoField(primary_key=True))
HR = 'which belongs to the domain "hr"'


def table(name: str, schema: str = "inventory") -> dict[str, Any]:
    return {"db_table": f'"{schema}"."{name}"'}


def create(name: str, *fields: Any, **options: Any) -> migrations.CreateModel:
    options = options or table(f"{name.lower()}s")
    return migrations.CreateModel(name, [ID, *fields], options=options)


class MakesModels(Operation):
    """An operation of a third party that adds models of its own."""

    def __init__(self, *operations: Operation, app_label: str | None = None) -> None:
        self.operations = operations
        self.app_label = app_label

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        for operation in self.operations:
            operation.state_forwards(self.app_label or app_label, state)


def plan_of(
    *operations: Operation, app_label: str = "inventory", **attributes: Any
) -> list[tuple[Migration, bool]]:
    migration = Migration("0002_change", app_label)
    migration.operations = list(operations)
    for name, value in attributes.items():
        setattr(migration, name, value)
    return [(migration, False)]


def before() -> ProjectState:
    """The state that the plans start from."""
    state = ProjectState()
    create("User", db_table="users").state_forwards("core", state)
    create("Drug").state_forwards("inventory", state)
    return state


def refusal(*operations: Operation, domain: str = "inventory", **attributes: Any) -> Any:
    plan = plan_of(*operations, app_label=domain, **attributes)
    try:
        check_plan(plan, before(), get_domain(domain))
    except BoundaryViolation as exc:
        return exc.message, exc.hint
    return None


def refused(number: int, what: str, domain: str = "inventory") -> str:
    return f"Migration {domain}.0002_change is refused: its operation {number}, {what}."


EMPLOYEE = models.ForeignKey("hr.Employee", models.CASCADE)
RELATIONS = {
    "foreign key": (
        create("Pill", ("employee", EMPLOYEE)),
        f"CreateModel, relates inventory.Pill.employee to hr.employee, {HR}",
    ),
    "one-to-one": (
        create("Pill", ("employee", models.OneToOneField("hr.Employee", models.CASCADE))),
        f"CreateModel, relates inventory.Pill.employee to hr.employee, {HR}",
    ),
    "many-to-many": (
        create("Pill", ("employees", models.ManyToManyField("hr.Employee"))),
        f"CreateModel, relates inventory.Pill.employees to hr.employee, {HR}",
    ),
    "through": (
        create("Pill", ("users", models.ManyToManyField("core.User", through="hr.Shift"))),
        f"CreateModel, relates inventory.Pill.users to hr.shift, {HR}",
    ),
    "inheritance": (
        migrations.CreateModel("Nurse", [], options=table("nurses"), bases=("hr.employee",)),
        f"CreateModel, makes inventory.Nurse inherit from hr.employee, {HR}",
    ),
    "added field": (
        migrations.AddField("drug", "employee", EMPLOYEE),
        f"AddField, relates inventory.Drug.employee to hr.employee, {HR}",
    ),
    "altered field": (
        migrations.AlterField("drug", "id", models.OneToOneField(
            "hr.Employee", models.CASCADE, primary_key=True)),
        f"AlterField, relates inventory.Drug.id to hr.employee, {HR}",
    ),
    "in another operation": (
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.SeparateDatabaseAndState(
                    state_operations=[migrations.AddField("drug", "employee", EMPLOYEE)]
                )
            ]
        ),
        f"SeparateDatabaseAndState, relates inventory.Drug.employee to hr.employee, {HR}",
    ),
    "third party's": (
        MakesModels(create("Log"), create("Pill", ("employee", EMPLOYEE))),
        f"MakesModels, relates inventory.Pill.employee to hr.employee, {HR}",
    ),
    "another domain's model": (
        MakesModels(create("Log", **table("logs", "hr")), app_label="hr"),
        f"MakesModels, changes the model hr.Log, {HR}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RELATIONS)
def test_relation_across(case: str) -> None:
    operation, what = RELATIONS[case]
    harmless = create("Box", ("drug", models.ForeignKey("inventory.Drug", models.CASCADE)))
    assert refusal(harmless, operation) == (refused(2, what), DOMAIN_DEPENDS)


def test_relation_across__from_core() -> None:
    field = migrations.AddField("user", "drug", models.ForeignKey("inventory.Drug", models.CASCADE))
    assert refusal(field, domain="core") == (
        refused(
            1,
            "AddField, relates core.User.drug to inventory.drug, which belongs to the domain"
            ' "inventory"',
            "core",
        ),
        CORE_DEPENDS,
    )


def hint(name: str) -> str:
    line = f"""db_table = '"inventory"."{name}"'"""
    return f'Every table of the domain is in the schema "inventory": {line}'


TABLES = {
    "another domain's": (
        create("Pill", **table("pills", "hr")),
        "CreateModel, names the table hr.pills for inventory.Pill, which is outside the schema"
        ' "inventory"',
        "pills",
    ),
    "in public": (
        create("Pill", db_table="pills"),
        "CreateModel, names the table public.pills for inventory.Pill, which is outside the"
        ' schema "inventory"',
        "pills",
    ),
    "by default": (
        create("Pill", managed=True),
        "CreateModel, names the table public.inventory_pill for inventory.Pill, which is outside"
        ' the schema "inventory"',
        "inventory_pill",
    ),
    "moved": (
        migrations.AlterModelTable("drug", '"nobodys"."drugs"'),
        "AlterModelTable, names the table nobodys.drugs for inventory.Drug, which is outside the"
        ' schema "inventory"',
        "drugs",
    ),
    "many-to-many": (
        create("Pill", ("drugs", models.ManyToManyField("inventory.Drug", db_table="pill_drugs"))),
        "CreateModel, names the table public.pill_drugs for inventory.Pill.drugs, which is"
        ' outside the schema "inventory"',
        "pill_drugs",
    ),
    "unmanaged, another domain's": (
        create("Person", managed=False, **table("employees", "hr")),
        "CreateModel, names the table hr.employees for inventory.Person, which is outside the"
        ' schema "inventory"',
        "employees",
    ),
}


@pytest.mark.parametrize("case", TABLES)
def test_table_outside_the_domain(case: str) -> None:
    operation, what, name = TABLES[case]
    assert refusal(operation) == (refused(1, what), hint(name))


def test_table_outside_the_domain__core() -> None:
    assert refusal(create("Note", **table("notes", "hr")), domain="core") == (
        refused(
            1,
            "CreateModel, names the table hr.notes for core.Note, which is outside the schema"
            ' "public"',
            "core",
        ),
        "Every table of the domain is in the schema \"public\": db_table = 'notes'",
    )


@pytest.mark.parametrize(
    ("word", "said"),
    [("dependencies", "dependencies name"), ("run_before", "run_before names")],
)
def test_dependency_on_another_domain(word: str, said: str) -> None:
    assert refusal(
        **{word: [("core", "0001_initial"), ("hr", "0001_initial")][word[0] == "r" :]}
    ) == (
        f"Migration inventory.0002_change is refused: its {said} hr.0001_initial, {HR}.",
        DOMAIN_DEPENDS,
    )


def test_allows() -> None:
    operations = (
        create(
            "Pill",
            ("drug", models.ForeignKey("inventory.Drug", models.CASCADE)),
            ("parent", models.ForeignKey("self", models.CASCADE)),
            ("creator", models.ForeignKey("core.User", models.CASCADE)),
            ("drugs", models.ManyToManyField("inventory.Drug", related_name="+")),
            ("seen_by", models.ManyToManyField("core.User", related_name="+")),
        ),
        create("Person", managed=False, db_table="users"),
        create("Shown", proxy=True),
        migrations.RenameModel("Drug", "Medicine"),
        migrations.AlterModelTable("medicine", '"inventory"."medicines"'),
        migrations.DeleteModel("Pill"),
        migrations.RunSQL("SELECT 1"),
    )
    assert refusal(*operations, dependencies=[("core", "0001_initial")]) is None


def test_leaves_the_state_alone() -> None:
    state = before()
    check_plan(plan_of(create("Pill")), state, get_domain("inventory"))
    assert ("inventory", "pill") not in state.models


def test_ignores_reverted_migrations() -> None:
    (migration, _), *_ = plan_of(migrations.AddField("drug", "employee", EMPLOYEE))
    check_plan([(migration, True)], before(), get_domain("inventory"))


@pytest.mark.parametrize(
    ("operation", "which", "what"),
    [
        (
            migrations.AddField("gone", "size", models.IntegerField()),
            "AddField (Add field size to gone)",
            "there is no inventory.gone",
        ),
        (
            migrations.RemoveField("drug", "gone"),
            "RemoveField (Remove field gone from drug)",
            "there is no gone",
        ),
        (
            migrations.RenameField("drug", "gone", "there"),
            "RenameField (Rename field gone on drug to there)",
            "inventory.drug has no field named 'gone'",
        ),
        (
            migrations.DeleteModel("gone"),
            "DeleteModel (Delete model gone)",
            "there is no inventory.gone",
        ),
    ],
)
def test_operation_on_a_missing_object(operation: Operation, which: str, what: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        check_plan(plan_of(operation), before(), get_domain("inventory"))
    assert caught.value.message == (
        f"Migration inventory.0002_change cannot be planned: its operation 1, {which}, does not"
        f" fit what the migrations before it make: {what}."
    )
    assert caught.value.hint == "Correct the operation, or the migration's dependencies."
