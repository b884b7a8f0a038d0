from __future__ import annotations

from decimal import Decimal

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(help_text="Four to ten digits.", max_length=10)),
                ("name", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("asset", "Asset"),
                            ("liability", "Liability"),
                            ("equity", "Equity"),
                            ("revenue", "Revenue"),
                            ("expense", "Expense"),
                        ],
                        max_length=10,
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="finance.account",
                    ),
                ),
            ],
            options={
                "db_table": '"finance"."accounts"',
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(fields=("code",), name="accounts_code_key"),
                    models.CheckConstraint(
                        condition=models.Q(("code__regex", "^[0-9]{4,10}$")),
                        name="accounts_code_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["asset", "liability", "equity", "revenue", "expense"])
                        ),
                        name="accounts_kind_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Journal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=30)),
                ("entry_date", models.DateField()),
                ("narration", models.CharField(max_length=300)),
                ("posted_at", models.DateTimeField(auto_now_add=True)),
                (
                    "posted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "reverses",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversals",
                        to="finance.journal",
                    ),
                ),
            ],
            options={
                "db_table": '"finance"."journals"',
                "ordering": ["-entry_date", "-id"],
                "indexes": [models.Index(fields=["entry_date"], name="journals_entry_date_idx")],
                "constraints": [
                    models.UniqueConstraint(fields=("number",), name="journals_number_key"),
                    models.UniqueConstraint(
                        condition=models.Q(("reverses__isnull", False)),
                        fields=("reverses",),
                        name="journals_reverses_key",
                        violation_error_message="The journal is reversed already.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="JournalLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line_number", models.PositiveSmallIntegerField()),
                (
                    "debit",
                    models.DecimalField(decimal_places=2, default=Decimal("0"), max_digits=14),
                ),
                (
                    "credit",
                    models.DecimalField(decimal_places=2, default=Decimal("0"), max_digits=14),
                ),
                ("memo", models.CharField(blank=True, max_length=300)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="journal_lines",
                        to="finance.account",
                    ),
                ),
                (
                    "cost_centre",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.costcentre",
                    ),
                ),
                (
                    "journal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="finance.journal",
                    ),
                ),
            ],
            options={
                "db_table": '"finance"."journal_lines"',
                "ordering": ["journal_id", "line_number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("journal", "line_number"), name="journal_lines_key"
                    )
                ],
            },
        ),
    ]
