"""Lots, what each location holds of them, and the movements."""

from __future__ import annotations

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DrugLot",
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
                    "drug",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lots",
                        to="inventory.drug",
                        verbose_name="drug",
                    ),
                ),
                ("lot_number", models.CharField(max_length=50, verbose_name="lot number")),
                (
                    "manufactured_on",
                    models.DateField(blank=True, null=True, verbose_name="manufactured on"),
                ),
                ("expires_on", models.DateField(verbose_name="expires on")),
                (
                    "unit_cost",
                    models.DecimalField(
                        decimal_places=4,
                        max_digits=12,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="cost per unit",
                    ),
                ),
                ("is_quarantined", models.BooleanField(default=False, verbose_name="quarantined")),
            ],
            options={
                "verbose_name": "drug lot",
                "verbose_name_plural": "drug lots",
                "db_table": '"inventory"."drug_lots"',
                "ordering": ["expires_on", "id"],
                "indexes": [
                    models.Index(fields=["drug", "expires_on"], name="drug_lots_drug_expiry_idx")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("manufactured_on__isnull", True),
                            ("manufactured_on__lt", models.F("expires_on")),
                            _connector="OR",
                        ),
                        name="drug_lots_expires_on_check",
                        violation_error_message="A lot expires after the day it was made.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("unit_cost__gte", 0)), name="drug_lots_unit_cost_check"
                    ),
                ],
                "unique_together": {("drug", "lot_number")},
            },
        ),
        migrations.CreateModel(
            name="StockLevel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "location",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stock_levels",
                        to="inventory.location",
                        verbose_name="location",
                    ),
                ),
                (
                    "lot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stock_levels",
                        to="inventory.druglot",
                        verbose_name="lot",
                    ),
                ),
                ("quantity", models.BigIntegerField(default=0, verbose_name="quantity")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
            ],
            options={
                "verbose_name": "stock level",
                "verbose_name_plural": "stock levels",
                "db_table": '"inventory"."stock_levels"',
                "ordering": ["location", "lot"],
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("location", "lot"), name="stock_levels_location_lot_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gte", 0)),
                        name="stock_levels_quantity_check",
                        violation_error_message="A location cannot hold less than nothing.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StockTransaction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("receive", "Received from a vendor"),
                            ("issue", "Issued to a department"),
                            ("return", "Returned by a department"),
                            ("transfer_in", "Transferred in"),
                            ("transfer_out", "Transferred out"),
                            ("adjust", "Adjusted after a count"),
                            ("write_off", "Expired or damaged"),
                        ],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                (
                    "location",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transactions",
                        to="inventory.location",
                        verbose_name="location",
                    ),
                ),
                (
                    "lot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transactions",
                        to="inventory.druglot",
                        verbose_name="lot",
                    ),
                ),
                (
                    "quantity",
                    models.BigIntegerField(
                        help_text="Negative when stock goes out.", verbose_name="quantity"
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stock_transactions",
                        to="inventory.department",
                        verbose_name="department",
                    ),
                ),
                (
                    "reference",
                    models.CharField(blank=True, max_length=100, verbose_name="reference"),
                ),
                ("note", models.TextField(blank=True, verbose_name="note")),
                (
                    "occurred_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="occurred at"
                    ),
                ),
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
            ],
            options={
                "verbose_name": "stock transaction",
                "verbose_name_plural": "stock transactions",
                "db_table": '"inventory"."stock_transactions"',
                "ordering": ["-occurred_at", "-id"],
                "default_permissions": ("add", "view"),
                "indexes": [
                    models.Index(fields=["lot", "occurred_at"], name="stock_transactions_lot_idx")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind__in", ["receive", "return", "transfer_in"]),
                                ("quantity__gt", 0),
                            ),
                            models.Q(
                                ("kind__in", ["issue", "transfer_out", "write_off"]),
                                ("quantity__lt", 0),
                            ),
                            models.Q(("kind", "adjust"), models.Q(("quantity", 0), _negated=True)),
                            _connector="OR",
                        ),
                        name="stock_transactions_quantity_check",
                        violation_error_message="The sign does not fit the movement.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind__in", ["issue", "return"]), _negated=True),
                            ("department__isnull", False),
                            _connector="OR",
                        ),
                        name="stock_transactions_department_check",
                        violation_error_message="Name the department.",
                    ),
                ],
            },
        ),
    ]
