"""Where drugs are kept, who makes and uses them, and the drug list."""

from __future__ import annotations

import django.core.validators
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
            name="Location",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("warehouse", "Warehouse"),
                            ("pharmacy", "Pharmacy"),
                            ("ward", "Ward"),
                            ("quarantine", "Quarantine"),
                        ],
                        default="warehouse",
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                (
                    "storage",
                    models.CharField(
                        choices=[
                            ("room", "Room temperature (below 30 °C)"),
                            ("cool", "Cool (8 to 15 °C)"),
                            ("cold", "Refrigerated (2 to 8 °C)"),
                            ("frozen", "Frozen (below -10 °C)"),
                        ],
                        default="room",
                        max_length=10,
                        verbose_name="storage",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="inventory.location",
                        verbose_name="part of",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "location",
                "verbose_name_plural": "locations",
                "db_table": '"inventory"."locations"',
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(fields=("code",), name="locations_code_key"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("parent__isnull", True),
                            models.Q(("parent", models.F("id")), _negated=True),
                            _connector="OR",
                        ),
                        name="locations_parent_check",
                        violation_error_message="A location cannot be part of itself.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Department",
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
                    "cost_centre",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.costcentre",
                        verbose_name="cost centre",
                    ),
                ),
                (
                    "location",
                    models.ForeignKey(
                        blank=True,
                        help_text="Where the department keeps its drugs, if it does.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="departments",
                        to="inventory.location",
                        verbose_name="own stock",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "department",
                "verbose_name_plural": "departments",
                "db_table": '"inventory"."departments"',
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(fields=("code",), name="departments_code_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="Company",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("manufacturer", "Manufacturer"),
                            ("vendor", "Vendor"),
                            ("both", "Manufacturer and vendor"),
                        ],
                        default="vendor",
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                (
                    "tax_id",
                    models.CharField(
                        blank=True,
                        max_length=13,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[0-9]{13}\\Z", "A tax number has 13 digits."
                            )
                        ],
                        verbose_name="tax number",
                    ),
                ),
                ("address", models.TextField(blank=True, verbose_name="address")),
                ("phone", models.CharField(blank=True, max_length=50, verbose_name="telephone")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "company",
                "verbose_name_plural": "companies",
                "db_table": '"inventory"."companies"',
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("code",), name="companies_code_key"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("tax_id", ""), ("tax_id__regex", "^[0-9]{13}$"), _connector="OR"
                        ),
                        name="companies_tax_id_check",
                        violation_error_message="A tax number has 13 digits.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DosageForm",
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
                "verbose_name": "dosage form",
                "verbose_name_plural": "dosage forms",
                "db_table": '"inventory"."dosage_forms"',
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("code",), name="dosage_forms_code_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="DrugUnit",
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
                "verbose_name": "drug unit",
                "verbose_name_plural": "drug units",
                "db_table": '"inventory"."drug_units"',
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("code",), name="drug_units_code_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="DrugGeneric",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("working_code", models.CharField(max_length=7, verbose_name="working code")),
                ("name", models.CharField(max_length=255, verbose_name="generic name")),
                ("strength", models.CharField(blank=True, max_length=100, verbose_name="strength")),
                (
                    "dosage_form",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="generics",
                        to="inventory.dosageform",
                        verbose_name="dosage form",
                    ),
                ),
                (
                    "issue_unit",
                    models.ForeignKey(
                        help_text="Stock is counted in this unit.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="generics",
                        to="inventory.drugunit",
                        verbose_name="unit of issue",
                    ),
                ),
                (
                    "essential_list",
                    models.CharField(
                        choices=[
                            ("A", "A: basic"),
                            ("B", "B: when A does not suffice"),
                            ("C", "C: specialists"),
                            ("D", "D: with conditions of use"),
                            ("E1", "E(1): special projects"),
                            ("E2", "E(2): high cost, special access"),
                            ("N", "Not on the list"),
                        ],
                        default="N",
                        max_length=2,
                        verbose_name="essential medicines",
                    ),
                ),
                (
                    "priority",
                    models.CharField(
                        choices=[("V", "Vital"), ("E", "Essential"), ("N", "Non-essential")],
                        default="E",
                        max_length=1,
                        verbose_name="VEN class",
                    ),
                ),
                (
                    "is_controlled",
                    models.BooleanField(default=False, verbose_name="narcotic or psychotropic"),
                ),
                (
                    "reorder_point",
                    models.IntegerField(
                        default=0,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="reorder point",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "generic drug",
                "verbose_name_plural": "generic drugs",
                "db_table": '"inventory"."drug_generics"',
                "ordering": ["name", "strength"],
                "indexes": [models.Index(fields=["name"], name="drug_generics_name_idx")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("working_code",), name="drug_generics_working_code_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reorder_point__gte", 0)),
                        name="drug_generics_reorder_point_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DrugComponent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "generic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="components",
                        to="inventory.druggeneric",
                        verbose_name="generic",
                    ),
                ),
                (
                    "position",
                    models.SmallIntegerField(
                        default=1,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="position",
                    ),
                ),
                ("substance", models.CharField(max_length=255, verbose_name="substance")),
                (
                    "amount",
                    models.DecimalField(decimal_places=4, max_digits=12, verbose_name="amount"),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="components",
                        to="inventory.drugunit",
                        verbose_name="unit",
                    ),
                ),
            ],
            options={
                "verbose_name": "drug component",
                "verbose_name_plural": "drug components",
                "db_table": '"inventory"."drug_components"',
                "ordering": ["generic", "position"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("generic", "position"), name="drug_components_generic_position_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0), ("position__gte", 1)),
                        name="drug_components_amount_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Drug",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "standard_code",
                    models.CharField(
                        help_text="The national code of 24 digits.",
                        max_length=24,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[0-9]{24}\\Z", "A standard drug code has 24 digits."
                            )
                        ],
                        verbose_name="standard drug code",
                    ),
                ),
                (
                    "generic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drugs",
                        to="inventory.druggeneric",
                        verbose_name="generic",
                    ),
                ),
                ("drug_name", models.CharField(max_length=255, verbose_name="trade name")),
                (
                    "manufacturer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="manufactured_drugs",
                        to="inventory.company",
                        verbose_name="manufacturer",
                    ),
                ),
                (
                    "registration_number",
                    models.CharField(blank=True, max_length=30, verbose_name="registration number"),
                ),
                (
                    "tmt_code",
                    models.CharField(
                        blank=True,
                        help_text="Thai Medicines Terminology.",
                        max_length=10,
                        verbose_name="TMT code",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        help_text="Nobody when the drug was loaded as reference data.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="created by",
                    ),
                ),
            ],
            options={
                "verbose_name": "drug",
                "verbose_name_plural": "drugs",
                "db_table": '"inventory"."drugs"',
                "ordering": ["drug_name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("standard_code",), name="drugs_standard_code_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("standard_code__regex", "^.{24}$")),
                        name="drugs_standard_code_length_check",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PackRatio",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "drug",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pack_ratios",
                        to="inventory.drug",
                        verbose_name="drug",
                    ),
                ),
                (
                    "pack_unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pack_ratios",
                        to="inventory.drugunit",
                        verbose_name="pack",
                    ),
                ),
                (
                    "units_per_pack",
                    models.IntegerField(
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="units per pack",
                    ),
                ),
                ("barcode", models.CharField(blank=True, max_length=50, verbose_name="barcode")),
                ("is_default", models.BooleanField(default=False, verbose_name="usual pack")),
            ],
            options={
                "verbose_name": "pack ratio",
                "verbose_name_plural": "pack ratios",
                "db_table": '"inventory"."pack_ratios"',
                "ordering": ["drug", "units_per_pack"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("drug", "pack_unit", "units_per_pack"),
                        name="pack_ratios_drug_pack_key",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)),
                        fields=("drug",),
                        name="pack_ratios_default_key",
                        violation_error_message="A drug has one usual pack.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("units_per_pack__gte", 1)),
                        name="pack_ratios_units_per_pack_check",
                    ),
                ],
            },
        ),
    ]
