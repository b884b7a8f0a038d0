"""Requests for next year's budget."""

from __future__ import annotations

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0006_contracts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BudgetRequest",
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
                ("number", models.CharField(max_length=30, verbose_name="number")),
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
                        related_name="budget_requests",
                        to="inventory.department",
                        verbose_name="department",
                    ),
                ),
                (
                    "budget",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requests",
                        to="inventory.budget",
                        verbose_name="budget",
                    ),
                ),
                ("justification", models.TextField(blank=True, verbose_name="justification")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("submitted", "Submitted"),
                            ("reviewed", "Reviewed by the pharmacy"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                        ],
                        default="draft",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
                (
                    "approved_amount",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=14,
                        null=True,
                        verbose_name="approved amount",
                    ),
                ),
                (
                    "updated_by",
                    models.ForeignKey(
                        editable=False,
                        help_text="Whom the audit trail names for the next change of status.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="updated by",
                    ),
                ),
            ],
            options={
                "verbose_name": "budget request",
                "verbose_name_plural": "budget requests",
                "db_table": '"inventory"."budget_requests"',
                "ordering": ["-fiscal_year", "-created_at"],
                "permissions": [("approve_budgetrequest", "Can approve budget requests")],
                "indexes": [
                    models.Index(
                        fields=["status", "fiscal_year"], name="budget_requests_status_idx"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("number",), name="budget_requests_number_key"),
                    models.CheckConstraint(
                        condition=models.Q(("fiscal_year__range", (2500, 2700))),
                        name="budget_requests_fiscal_year_check",
                        violation_error_message="The fiscal year is in the Buddhist Era: 2569.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "approved"), ("approved_amount__gte", 0)),
                            models.Q(
                                models.Q(("status", "approved"), _negated=True),
                                ("approved_amount__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="budget_requests_approved_amount_check",
                        violation_error_message="Approved requests alone have an amount.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BudgetRequestItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="inventory.budgetrequest",
                        verbose_name="request",
                    ),
                ),
                (
                    "generic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="budget_request_items",
                        to="inventory.druggeneric",
                        verbose_name="generic",
                    ),
                ),
                (
                    "quantity",
                    models.BigIntegerField(
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="quantity",
                    ),
                ),
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
                "verbose_name": "budget request item",
                "verbose_name_plural": "budget request items",
                "db_table": '"inventory"."budget_request_items"',
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("request", "generic"),
                        name="budget_request_items_request_generic_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gt", 0), ("unit_price__gte", 0)),
                        name="budget_request_items_quantity_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BudgetRequestComment",
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
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="comments",
                        to="inventory.budgetrequest",
                        verbose_name="request",
                    ),
                ),
                ("body", models.TextField(verbose_name="comment")),
            ],
            options={
                "verbose_name": "budget request comment",
                "verbose_name_plural": "budget request comments",
                "db_table": '"inventory"."budget_request_comments"',
                "ordering": ["created_at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("body", ""), _negated=True),
                        name="budget_request_comments_body_check",
                        violation_error_message="Write the comment.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BudgetRequestAudit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="audit_trail",
                        to="inventory.budgetrequest",
                        verbose_name="request",
                    ),
                ),
                ("old_status", models.CharField(blank=True, max_length=20, verbose_name="from")),
                ("new_status", models.CharField(max_length=20, verbose_name="to")),
                (
                    "changed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="changed by",
                    ),
                ),
                (
                    "changed_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="changed at"
                    ),
                ),
            ],
            options={
                "verbose_name": "budget request audit entry",
                "verbose_name_plural": "budget request audit trail",
                "db_table": '"inventory"."budget_request_audits"',
                "ordering": ["changed_at", "id"],
                "default_permissions": ("view",),
            },
        ),
    ]
