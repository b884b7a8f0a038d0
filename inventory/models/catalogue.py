"""The drug list: generics, their ingredients, products and packs."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from .places import Company


class DosageForm(models.Model):
    """A dosage form: tablet, capsule, injection, eye drops, …"""

    code = models.CharField("code", max_length=10)
    name = models.CharField("name", max_length=100)

    class Meta:
        db_table = '"inventory"."dosage_forms"'
        verbose_name = "dosage form"
        verbose_name_plural = "dosage forms"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="dosage_forms_code_key"),
        ]

    def __str__(self) -> str:
        return self.name


class DrugUnit(models.Model):
    """A unit of strength (mg), of issue (tablet) or of packing (box)."""

    code = models.CharField("code", max_length=10)
    name = models.CharField("name", max_length=100)

    class Meta:
        db_table = '"inventory"."drug_units"'
        verbose_name = "drug unit"
        verbose_name_plural = "drug units"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="drug_units_code_key"),
        ]

    def __str__(self) -> str:
        return self.name


class DrugGeneric(models.Model):
    """A drug as doctors prescribe it: by generic name, dosage form and strength."""

    class EssentialList(models.TextChoices):
        """The National List of Essential Medicines."""

        A = "A", "A: basic"
        B = "B", "B: when A does not suffice"
        C = "C", "C: specialists"
        D = "D", "D: with conditions of use"
        E1 = "E1", "E(1): special projects"
        E2 = "E2", "E(2): high cost, special access"
        NONE = "N", "Not on the list"

    class Priority(models.TextChoices):
        VITAL = "V", "Vital"
        ESSENTIAL = "E", "Essential"
        NON_ESSENTIAL = "N", "Non-essential"

    working_code = models.CharField("working code", max_length=7)
    name = models.CharField("generic name", max_length=255)
    strength = models.CharField("strength", max_length=100, blank=True)
    dosage_form = models.ForeignKey(
        DosageForm, on_delete=models.PROTECT, related_name="generics", verbose_name="dosage form"
    )
    issue_unit = models.ForeignKey(
        DrugUnit,
        on_delete=models.PROTECT,
        related_name="generics",
        verbose_name="unit of issue",
        help_text="Stock is counted in this unit.",
    )
    essential_list = models.CharField(
        "essential medicines", max_length=2, choices=EssentialList, default=EssentialList.NONE
    )
    priority = models.CharField(
        "VEN class", max_length=1, choices=Priority, default=Priority.ESSENTIAL
    )
    is_controlled = models.BooleanField("narcotic or psychotropic", default=False)
    reorder_point = models.IntegerField(
        "reorder point", default=0, validators=[MinValueValidator(0)]
    )
    is_active = models.BooleanField("active", default=True)

    class Meta:
        db_table = '"inventory"."drug_generics"'
        verbose_name = "generic drug"
        verbose_name_plural = "generic drugs"
        ordering = ["name", "strength"]
        constraints = [
            models.UniqueConstraint(fields=["working_code"], name="drug_generics_working_code_key"),
            models.CheckConstraint(
                condition=Q(reorder_point__gte=0), name="drug_generics_reorder_point_check"
            ),
        ]
        indexes = [models.Index(fields=["name"], name="drug_generics_name_idx")]

    def __str__(self) -> str:
        return f"{self.name} {self.strength}".rstrip()


class DrugComponent(models.Model):
    """One active ingredient of a generic: amoxicillin 500 mg, clavulanic acid 125 mg."""

    generic = models.ForeignKey(
        DrugGeneric, on_delete=models.CASCADE, related_name="components", verbose_name="generic"
    )
    position = models.SmallIntegerField("position", default=1, validators=[MinValueValidator(1)])
    substance = models.CharField("substance", max_length=255)
    amount = models.DecimalField("amount", max_digits=12, decimal_places=4)
    unit = models.ForeignKey(
        DrugUnit, on_delete=models.PROTECT, related_name="components", verbose_name="unit"
    )

    class Meta:
        db_table = '"inventory"."drug_components"'
        verbose_name = "drug component"
        verbose_name_plural = "drug components"
        ordering = ["generic", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["generic", "position"], name="drug_components_generic_position_key"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0) & Q(position__gte=1), name="drug_components_amount_check"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.substance} {self.amount.normalize():f}"


class Drug(models.Model):
    """A product: a generic as one manufacturer sells it."""

    standard_code = models.CharField(
        "standard drug code",
        max_length=24,
        validators=[RegexValidator(r"^[0-9]{24}\Z", "A standard drug code has 24 digits.")],
        help_text="The national code of 24 digits.",
    )
    generic = models.ForeignKey(
        DrugGeneric, on_delete=models.PROTECT, related_name="drugs", verbose_name="generic"
    )
    trade_name = models.CharField("trade name", max_length=255)
    manufacturer = models.ForeignKey(
        Company,
        on_delete=models.PROTECT,
        related_name="manufactured_drugs",
        verbose_name="manufacturer",
    )
    registration_number = models.CharField("registration number", max_length=30, blank=True)
    tmt_code = models.CharField(
        "TMT code", max_length=10, blank=True, help_text="Thai Medicines Terminology."
    )
    is_active = models.BooleanField("active", default=True)
    created_at = models.DateTimeField("created at", auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name="created by",
        help_text="Nobody when the drug was loaded as reference data.",
    )

    class Meta:
        db_table = '"inventory"."drugs"'
        verbose_name = "drug"
        verbose_name_plural = "drugs"
        ordering = ["trade_name"]
        constraints = [
            models.UniqueConstraint(fields=["standard_code"], name="drugs_standard_code_key"),
            models.CheckConstraint(
                condition=Q(standard_code__regex=r"^[0-9]{24}$"),
                name="drugs_standard_code_check",
                violation_error_message="A standard drug code has 24 digits.",
            ),
        ]
        indexes = [models.Index(fields=["trade_name"], name="drugs_trade_name_idx")]

    def __str__(self) -> str:
        return self.trade_name


class PackRatio(models.Model):
    """The number of units of issue in one pack of a drug."""

    drug = models.ForeignKey(
        Drug, on_delete=models.CASCADE, related_name="pack_ratios", verbose_name="drug"
    )
    pack_unit = models.ForeignKey(
        DrugUnit, on_delete=models.PROTECT, related_name="pack_ratios", verbose_name="pack"
    )
    units_per_pack = models.IntegerField("units per pack", validators=[MinValueValidator(1)])
    barcode = models.CharField("barcode", max_length=50, blank=True)
    is_default = models.BooleanField("usual pack", default=False)

    class Meta:
        db_table = '"inventory"."pack_ratios"'
        verbose_name = "pack ratio"
        verbose_name_plural = "pack ratios"
        ordering = ["drug", "units_per_pack"]
        constraints = [
            models.UniqueConstraint(
                fields=["drug", "pack_unit", "units_per_pack"], name="pack_ratios_drug_pack_key"
            ),
            models.UniqueConstraint(
                fields=["drug"],
                condition=Q(is_default=True),
                name="pack_ratios_default_key",
                violation_error_message="A drug has one usual pack.",
            ),
            models.CheckConstraint(
                condition=Q(units_per_pack__gte=1), name="pack_ratios_units_per_pack_check"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pack_unit} of {self.units_per_pack}"
