"""Budgets, their allocations to departments, plans and reservations."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from domain_migrations.fields import DomainReference

from .base import Recorded, fiscal_year_field, fiscal_year_range
from .catalogue import DrugGeneric
from .places import Department


class BudgetType(models.Model):
    """A source of money: the government budget, the hospital's maintenance fund, …"""

    code = models.CharField("code", max_length=10)
    name = models.CharField("name", max_length=100)

    class Meta:
        db_table = '"inventory"."budget_types"'
        verbose_name = "budget type"
        verbose_name_plural = "budget types"
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["code"], name="budget_types_code_key")]

    def __str__(self) -> str:
        return self.name


class BudgetCategory(models.Model):
    """A category of goods to spend money on: drugs, vaccines, medical gases, …"""

    code = models.CharField("code", max_length=10)
    name = models.CharField("name", max_length=100)
    finance_account_id = DomainReference(
        "finance.Account",
        "account",
        null=True,
        blank=True,
        help_text="The id of the account in finance's chart; resolved in code.",
    )

    class Meta:
        db_table = '"inventory"."budget_categories"'
        verbose_name = "budget category"
        verbose_name_plural = "budget categories"
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["code"], name="budget_categories_code_key")]

    def __str__(self) -> str:
        return self.name


class Budget(models.Model):
    """Money of one type for one category of goods."""

    code = models.CharField("code", max_length=20)
    name = models.CharField("name", max_length=200)
    type = models.ForeignKey(
        BudgetType, on_delete=models.PROTECT, related_name="budgets", verbose_name="type"
    )
    category = models.ForeignKey(
        BudgetCategory, on_delete=models.PROTECT, related_name="budgets", verbose_name="category"
    )
    is_active = models.BooleanField("active", default=True)

    class Meta:
        db_table = '"inventory"."budgets"'
        verbose_name = "budget"
        verbose_name_plural = "budgets"
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="budgets_code_key"),
            models.UniqueConstraint(fields=["type", "category"], name="budgets_type_category_key"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class BudgetAllocation(Recorded):
    """The amount of a budget that a department may spend in a fiscal year."""

    fiscal_year = fiscal_year_field()
    budget = models.ForeignKey(
        Budget, on_delete=models.PROTECT, related_name="allocations", verbose_name="budget"
    )
    department = models.ForeignKey(
        Department,
        on_delete=models.PROTECT,
        related_name="budget_allocations",
        verbose_name="department",
    )
    amount = models.DecimalField(
        "amount", max_digits=14, decimal_places=2, validators=[MinValueValidator(0)]
    )

    class Meta:
        db_table = '"inventory"."budget_allocations"'
        verbose_name = "budget allocation"
        verbose_name_plural = "budget allocations"
        ordering = ["-fiscal_year", "budget", "department"]
        constraints = [
            models.UniqueConstraint(
                fields=["fiscal_year", "budget", "department"],
                name="budget_allocations_year_budget_department_key",
            ),
            fiscal_year_range("budget_allocations_fiscal_year_check"),
            models.CheckConstraint(
                condition=Q(amount__gte=0), name="budget_allocations_amount_check"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.budget} for {self.department} in {self.fiscal_year}"


class BudgetPlan(Recorded):
    """A line of the yearly purchase plan: a department's need of a generic in each quarter."""

    fiscal_year = fiscal_year_field()
    department = models.ForeignKey(
        Department, on_delete=models.PROTECT, related_name="budget_plans", verbose_name="department"
    )
    generic = models.ForeignKey(
        DrugGeneric, on_delete=models.PROTECT, related_name="budget_plans", verbose_name="generic"
    )
    used_last_year = models.BigIntegerField("used last year", default=0)
    quarter_1 = models.BigIntegerField("October to December", default=0)
    quarter_2 = models.BigIntegerField("January to March", default=0)
    quarter_3 = models.BigIntegerField("April to June", default=0)
    quarter_4 = models.BigIntegerField("July to September", default=0)
    unit_price = models.DecimalField(
        "price per unit", max_digits=12, decimal_places=4, validators=[MinValueValidator(0)]
    )

    class Meta:
        db_table = '"inventory"."budget_plans"'
        verbose_name = "budget plan"
        verbose_name_plural = "budget plans"
        ordering = ["-fiscal_year", "department", "generic"]
        constraints = [
            models.UniqueConstraint(
                fields=["fiscal_year", "department", "generic"],
                name="budget_plans_year_department_generic_key",
            ),
            fiscal_year_range("budget_plans_fiscal_year_check"),
            models.CheckConstraint(
                condition=Q(
                    used_last_year__gte=0,
                    quarter_1__gte=0,
                    quarter_2__gte=0,
                    quarter_3__gte=0,
                    quarter_4__gte=0,
                    unit_price__gte=0,
                ),
                name="budget_plans_quantities_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.generic} for {self.department} in {self.fiscal_year}"

    @property
    def quantity(self) -> int:
        """The number of units of issue planned for the year."""
        return self.quarter_1 + self.quarter_2 + self.quarter_3 + self.quarter_4

    @property
    def amount(self) -> Decimal:
        """The cost of the plan, in baht and satang."""
        return (self.quantity * self.unit_price).quantize(Decimal("0.01"))


class BudgetReservation(Recorded):
    """Money of an allocation that is reserved for a purchase request."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        COMMITTED = "committed", "Committed by an order"
        RELEASED = "released", "Released"

    allocation = models.ForeignKey(
        BudgetAllocation,
        on_delete=models.PROTECT,
        related_name="reservations",
        verbose_name="allocation",
    )
    request = models.ForeignKey(
        "inventory.PurchaseRequest",
        on_delete=models.PROTECT,
        related_name="reservations",
        verbose_name="purchase request",
    )
    amount = models.DecimalField("amount", max_digits=14, decimal_places=2)
    status = models.CharField("status", max_length=20, choices=Status, default=Status.ACTIVE)

    class Meta:
        db_table = '"inventory"."budget_reservations"'
        verbose_name = "budget reservation"
        verbose_name_plural = "budget reservations"
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["request"],
                condition=~Q(status="released"),
                name="budget_reservations_open_request_key",
                violation_error_message="The request has a reservation already.",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="budget_reservations_amount_check"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} for {self.request}"
