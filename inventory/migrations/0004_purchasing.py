"""Requests, the money they speak for, and orders."""

from __future__ import annotations

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0003_budgets"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PurchaseRequest",
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
                        related_name="purchase_requests",
                        to="inventory.department",
                        verbose_name="department",
                    ),
                ),
                (
                    "allocation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="purchase_requests",
                        to="inventory.budgetallocation",
                        verbose_name="budget allocation",
                    ),
                ),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
                ("needed_by", models.DateField(blank=True, null=True, verbose_name="needed by")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("submitted", "Submitted"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("ordered", "Ordered"),
                        ],
                        default="draft",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "decided_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="decided at"
                    ),
                ),
            ],
            options={
                "verbose_name": "purchase request",
                "verbose_name_plural": "purchase requests",
                "db_table": '"inventory"."purchase_requests"',
                "ordering": ["-created_at"],
                "permissions": [("approve_purchaserequest", "Can approve purchase requests")],
                "indexes": [
                    models.Index(
                        fields=["status", "department"], name="purchase_requests_status_idx"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("number",), name="purchase_requests_number_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("fiscal_year__range", (2500, 2700))),
                        name="purchase_requests_fiscal_year_check",
                        violation_error_message="The fiscal year is in the Buddhist Era: 2569.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("status__in", ["approved", "rejected", "ordered"]), _negated=True
                            ),
                            models.Q(("decided_at__isnull", False), ("decided_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="purchase_requests_decision_check",
                        violation_error_message="A decision needs the person who took it.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PurchaseRequestItem",
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
                        to="inventory.purchaserequest",
                        verbose_name="request",
                    ),
                ),
                (
                    "generic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="purchase_request_items",
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
                        verbose_name="estimated price per unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "purchase request item",
                "verbose_name_plural": "purchase request items",
                "db_table": '"inventory"."purchase_request_items"',
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("request", "generic"),
                        name="purchase_request_items_request_generic_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gt", 0), ("unit_price__gte", 0)),
                        name="purchase_request_items_quantity_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BudgetReservation",
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
                    "allocation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reservations",
                        to="inventory.budgetallocation",
                        verbose_name="allocation",
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reservations",
                        to="inventory.purchaserequest",
                        verbose_name="purchase request",
                    ),
                ),
                (
                    "amount",
                    models.DecimalField(decimal_places=2, max_digits=14, verbose_name="amount"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("committed", "Committed by an order"),
                            ("released", "Released"),
                        ],
                        default="active",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
            ],
            options={
                "verbose_name": "budget reservation",
                "verbose_name_plural": "budget reservations",
                "db_table": '"inventory"."budget_reservations"',
                "ordering": ["-created_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "released"), _negated=True),
                        fields=("request",),
                        name="budget_reservations_open_request_key",
                        violation_error_message="The request has a reservation already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)),
                        name="budget_reservations_amount_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PurchaseOrder",
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
                    "request",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="orders",
                        to="inventory.purchaserequest",
                        verbose_name="purchase request",
                    ),
                ),
                (
                    "vendor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="purchase_orders",
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
                        default="specific",
                        max_length=20,
                        verbose_name="procurement method",
                    ),
                ),
                ("ordered_on", models.DateField(verbose_name="ordered on")),
                ("due_on", models.DateField(blank=True, null=True, verbose_name="delivery due on")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("sent", "Sent"),
                            ("partial", "Partly received"),
                            ("received", "Received"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
            ],
            options={
                "verbose_name": "purchase order",
                "verbose_name_plural": "purchase orders",
                "db_table": '"inventory"."purchase_orders"',
                "ordering": ["-ordered_on", "-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("number",), name="purchase_orders_number_key"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("due_on__isnull", True),
                            ("due_on__gte", models.F("ordered_on")),
                            _connector="OR",
                        ),
                        name="purchase_orders_due_on_check",
                        violation_error_message="An order cannot be due before it is placed.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PurchaseOrderItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="inventory.purchaseorder",
                        verbose_name="order",
                    ),
                ),
                (
                    "drug",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="purchase_order_items",
                        to="inventory.drug",
                        verbose_name="drug",
                    ),
                ),
                (
                    "pack_ratio",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="purchase_order_items",
                        to="inventory.packratio",
                        verbose_name="pack",
                    ),
                ),
                (
                    "packs",
                    models.IntegerField(
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="packs",
                    ),
                ),
                (
                    "packs_received",
                    models.IntegerField(default=0, editable=False, verbose_name="packs received"),
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
                "verbose_name": "purchase order item",
                "verbose_name_plural": "purchase order items",
                "db_table": '"inventory"."purchase_order_items"',
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("order", "drug", "pack_ratio"),
                        name="purchase_order_items_order_drug_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("pack_price__gte", 0), ("packs__gt", 0)),
                        name="purchase_order_items_packs_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("packs_received__gte", 0), ("packs_received__lte", models.F("packs"))
                        ),
                        name="purchase_order_items_packs_received_check",
                        violation_error_message="More packs would be received than were ordered.",
                    ),
                ],
            },
        ),
    ]
