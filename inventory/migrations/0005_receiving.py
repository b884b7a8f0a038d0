"""Deliveries, what is in them and who inspects them."""

from __future__ import annotations

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from domain_migrations.fields import DomainReference


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0004_purchasing"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Receipt",
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
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="inventory.purchaseorder",
                        verbose_name="purchase order",
                    ),
                ),
                (
                    "location",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="inventory.location",
                        verbose_name="location",
                    ),
                ),
                ("received_on", models.DateField(verbose_name="received on")),
                (
                    "delivery_note",
                    models.CharField(blank=True, max_length=50, verbose_name="delivery note"),
                ),
                (
                    "finance_invoice_id",
                    models.BigIntegerField(
                        blank=True,
                        help_text="The id of the vendor's invoice in finance; resolved in code.",
                        null=True,
                        verbose_name="invoice",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("inspected", "Inspected"),
                            ("posted", "Posted to stock"),
                        ],
                        default="draft",
                        max_length=20,
                        verbose_name="status",
                    ),
                ),
                (
                    "posted_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="posted at"
                    ),
                ),
                (
                    "posted_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="posted by",
                    ),
                ),
            ],
            options={
                "verbose_name": "receipt",
                "verbose_name_plural": "receipts",
                "db_table": '"inventory"."receipts"',
                "ordering": ["-received_on", "-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("number",), name="receipts_number_key"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "posted"), _negated=True),
                            models.Q(("posted_at__isnull", False), ("posted_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="receipts_posted_check",
                        violation_error_message="A posted receipt needs the person who posted it.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReceiptItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "receipt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="inventory.receipt",
                        verbose_name="receipt",
                    ),
                ),
                (
                    "order_item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipt_items",
                        to="inventory.purchaseorderitem",
                        verbose_name="ordered item",
                    ),
                ),
                ("lot_number", models.CharField(max_length=50, verbose_name="lot number")),
                (
                    "manufactured_on",
                    models.DateField(blank=True, null=True, verbose_name="manufactured on"),
                ),
                ("expires_on", models.DateField(verbose_name="expires on")),
                (
                    "packs",
                    models.IntegerField(
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="packs",
                    ),
                ),
                (
                    "lot",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipt_items",
                        to="inventory.druglot",
                        verbose_name="lot",
                    ),
                ),
            ],
            options={
                "verbose_name": "receipt item",
                "verbose_name_plural": "receipt items",
                "db_table": '"inventory"."receipt_items"',
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("receipt", "order_item", "lot_number", "expires_on"),
                        name="receipt_items_receipt_lot_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("packs__gt", 0)), name="receipt_items_packs_check"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("manufactured_on__isnull", True),
                            ("manufactured_on__lt", models.F("expires_on")),
                            _connector="OR",
                        ),
                        name="receipt_items_expires_on_check",
                        violation_error_message="A lot expires after the day it was made.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReceiptInspector",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "receipt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="inspectors",
                        to="inventory.receipt",
                        verbose_name="receipt",
                    ),
                ),
                (
                    "employee_id",
                    DomainReference(
                        "hr.Employee",
                        id_field=models.BigIntegerField(),
                        help_text="The id of the employee in hr; resolved in code.",
                        verbose_name="employee",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("chair", "Chair"), ("member", "Member")],
                        default="member",
                        max_length=10,
                        verbose_name="role",
                    ),
                ),
                (
                    "signed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="signed at"),
                ),
            ],
            options={
                "verbose_name": "receipt inspector",
                "verbose_name_plural": "receipt inspectors",
                "db_table": '"inventory"."receipt_inspectors"',
                "ordering": ["receipt", "role", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("receipt", "employee_id"),
                        name="receipt_inspectors_receipt_employee_key",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("role", "chair")),
                        fields=("receipt",),
                        name="receipt_inspectors_chair_key",
                        violation_error_message="An inspection committee has one chair.",
                    ),
                ],
            },
        ),
    ]
