"""Contracts with vendors, and the orders that call them off."""

from __future__ import annotations

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0005_receiving"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Contract",
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
                ("number", models.CharField(max_length=50, verbose_name="number")),
                ("title", models.CharField(max_length=255, verbose_name="title")),
                (
                    "vendor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contracts",
                        to="inventory.company",
                        verbose_name="vendor",
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("specific", "Specific method"),
                            ("selection", "Selection method"),
                            ("e_market", "e-market"),
                            ("e_bidding", "e-bidding"),
                        ],
                        default="e_bidding",
                        max_length=20,
                        verbose_name="procurement method",
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
                ("starts_on", models.DateField(verbose_name="starts on")),
                ("ends_on", models.DateField(verbose_name="ends on")),
                (
                    "total_value",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=14,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="total value",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("active", "Active"),
                            ("closed", "Closed"),
                            ("terminated", "Terminated"),
                        ],
                        default="draft",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
            ],
            options={
                "verbose_name": "contract",
                "verbose_name_plural": "contracts",
                "db_table": '"inventory"."contracts"',
                "ordering": ["-starts_on", "number"],
                "indexes": [
                    models.Index(fields=["vendor", "ends_on"], name="contracts_vendor_ends_idx")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("number",), name="contracts_number_key"),
                    models.CheckConstraint(
                        condition=models.Q(("fiscal_year__range", (2500, 2700))),
                        name="contracts_fiscal_year_check",
                        violation_error_message="The fiscal year is in the Buddhist Era: 2569.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_on__gte", models.F("starts_on"))),
                        name="contracts_ends_on_check",
                        violation_error_message="A contract ends after it starts.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("total_value__gte", 0)),
                        name="contracts_total_value_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContractItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="inventory.contract",
                        verbose_name="contract",
                    ),
                ),
                (
                    "drug",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contract_items",
                        to="inventory.drug",
                        verbose_name="drug",
                    ),
                ),
                (
                    "pack_ratio",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contract_items",
                        to="inventory.packratio",
                        verbose_name="pack",
                    ),
                ),
                (
                    "packs",
                    models.IntegerField(
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="packs agreed",
                    ),
                ),
                (
                    "pack_price",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=12,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="price per pack",
                    ),
                ),
            ],
            options={
                "verbose_name": "contract item",
                "verbose_name_plural": "contract items",
                "db_table": '"inventory"."contract_items"',
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contract", "drug", "pack_ratio"),
                        name="contract_items_contract_drug_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("pack_price__gte", 0), ("packs__gt", 0)),
                        name="contract_items_packs_check",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="purchaseorder",
            name="contract",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="purchase_orders",
                to="inventory.contract",
                verbose_name="contract",
            ),
        ),
    ]
