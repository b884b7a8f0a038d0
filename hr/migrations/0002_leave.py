from __future__ import annotations

from decimal import Decimal

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hr", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LeaveType",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=20)),
                ("name_en", models.CharField(max_length=100)),
                ("name_th", models.CharField(max_length=100)),
                ("days_per_year", models.DecimalField(decimal_places=1, max_digits=4)),
                ("is_paid", models.BooleanField(default=True)),
            ],
            options={
                "db_table": '"hr"."leave_types"',
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(fields=("code",), name="leave_types_code_key"),
                    models.CheckConstraint(
                        condition=models.Q(("days_per_year__gte", 0), ("days_per_year__lte", 366)),
                        name="leave_types_days_per_year_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LeaveBalance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("year", models.PositiveSmallIntegerField(help_text="Common era.")),
                ("entitled_days", models.DecimalField(decimal_places=1, max_digits=4)),
                (
                    "used_days",
                    models.DecimalField(decimal_places=1, default=Decimal("0"), max_digits=4),
                ),
                (
                    "employee",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="leave_balances",
                        to="hr.employee",
                    ),
                ),
                (
                    "leave_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="balances",
                        to="hr.leavetype",
                    ),
                ),
            ],
            options={
                "db_table": '"hr"."leave_balances"',
                "ordering": ["-year", "employee_id", "leave_type_id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("employee", "leave_type", "year"), name="leave_balances_year_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("used_days__gte", 0)),
                        name="leave_balances_used_days_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LeaveRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
                ("days", models.DecimalField(decimal_places=1, max_digits=4)),
                ("reason", models.TextField(blank=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="requested",
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "employee",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="leave_requests",
                        to="hr.employee",
                    ),
                ),
                (
                    "leave_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requests",
                        to="hr.leavetype",
                    ),
                ),
            ],
            options={
                "db_table": '"hr"."leave_requests"',
                "ordering": ["-starts_on", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "requested")),
                        fields=["starts_on"],
                        name="leave_requests_open_idx",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["requested", "approved", "rejected", "cancelled"])
                        ),
                        name="leave_requests_status_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("days__gt", 0)), name="leave_requests_days_check"
                    ),
                ],
            },
        ),
    ]
