"""Where money comes from, who may spend it and what is planned."""

from __future__ import annotations

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from domain_migrations.fields import DomainReference


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0002_stock"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BudgetType",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=10, verbose_name="code")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
            ],
            options={
                "verbose_name": "budget type",
                "verbose_name_plural": "budget types",
                "db_table": '"inventory"."budget_types"',
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(fields=("code",), name="budget_types_code_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="BudgetCategory",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=10, verbose_name="code")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "finance_account_id",
                    DomainReference(
                        "finance.Account",
                        id_field=models.BigIntegerField(),
                        blank=True,
                        help_text="The id of the account in finance's chart; resolved in code.",
                        null=True,
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "budget category",
                "verbose_name_plural": "budget categories",
                "db_table": '"inventory"."budget_categories"',
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(fields=("code",), name="budget_categories_code_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="Budget",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=20, verbose_name="code")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                (
                    "type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="budgets",
                        to="inventory.budgettype",
                        verbose_name="type",
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="budgets",
                        to="inventory.budgetcategory",
                        verbose_name="category",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "budget",
                "verbose_name_plural": "budgets",
                "db_table": '"inventory"."budgets"',
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(fields=("code",), name="budgets_code_key"),
                    models.UniqueConstraint(
                        fields=("type", "category"), name="budgets_type_category_key"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BudgetAllocation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                (
                    "created_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="created by",
                    ),
                ),
                (
                    "fiscal_year",
                    models.IntegerField(
                        help_text="Buddhist Era; begins on 1 October.",
                        validators=[
                            django.core.validators.MinValueValidator(2500),
                            django.core.validators.MaxValueValidator(2700),
                        ],
                        verbose_name="fiscal year",
                    ),
                ),
                (
                    "budget",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="inventory.budget",
                        verbose_name="budget",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="budget_allocations",
                        to="inventory.department",
                        verbose_name="department",
                    ),
                ),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=14,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="amount",
                    ),
                ),
            ],
            options={
                "verbose_name": "budget allocation",
                "verbose_name_plural": "budget allocations",
                "db_table": '"inventory"."budget_allocations"',
                "ordering": ["-fiscal_year", "budget", "department"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("fiscal_year", "budget", "department"),
                        name="budget_allocations_year_budget_department_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("fiscal_year__range", (2500, 2700))),
                        name="budget_allocations_fiscal_year_check",
                        violation_error_message="The fiscal year is in the Buddhist Era: 2569.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gte", 0)),
                        name="budget_allocations_amount_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BudgetPlan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                (
                    "created_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="created by",
                    ),
                ),
                (
                    "fiscal_year",
                    models.IntegerField(
                        help_text="Buddhist Era; begins on 1 October.",
                        validators=[
                            django.core.validators.MinValueValidator(2500),
                            django.core.validators.MaxValueValidator(2700),
                        ],
                        verbose_name="fiscal year",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="budget_plans",
                        to="inventory.department",
                        verbose_name="department",
                    ),
                ),
                (
                    "generic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="budget_plans",
                        to="inventory.druggeneric",
                        verbose_name="generic",
                    ),
                ),
                (
                    "used_last_year",
                    models.BigIntegerField(default=0, verbose_name="used last year"),
                ),
                (
                    "quarter_1",
                    models.BigIntegerField(default=0, verbose_name="October to December"),
                ),
                ("quarter_2", models.BigIntegerField(default=0, verbose_name="January to March")),
                ("quarter_3", models.BigIntegerField(default=0, verbose_name="April to June")),
                ("quarter_4", models.BigIntegerField(default=0, verbose_name="July to September")),
                (
                    "unit_price",
                    models.DecimalField(
                        decimal_places=4,
                        max_digits=12,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="price per unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "budget plan",
                "verbose_name_plural": "budget plans",
                "db_table": '"inventory"."budget_plans"',
                "ordering": ["-fiscal_year", "department", "generic"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("fiscal_year", "department", "generic"),
                        name="budget_plans_year_department_generic_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("fiscal_year__range", (2500, 2700))),
                        name="budget_plans_fiscal_year_check",
                        violation_error_message="The fiscal year is in the Buddhist Era: 2569.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("quarter_1__gte", 0),
                            ("quarter_2__gte", 0),
                            ("quarter_3__gte", 0),
                            ("quarter_4__gte", 0),
                            ("unit_price__gte", 0),
                            ("used_last_year__gte", 0),
                        ),
                        name="budget_plans_quantities_check",
                    ),
                ],
            },
        ),
    ]
