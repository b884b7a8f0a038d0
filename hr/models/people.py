"""Employees, positions and assignments of employees to positions."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from domain_migrations.fields import DomainReference

from .ranges import period, same_id


class Position(models.Model):
    """A job in the organisation chart."""

    code = models.CharField(max_length=20)
    title_en = models.CharField("title (English)", max_length=200)
    title_th = models.CharField("title (Thai)", max_length=200)
    is_active = models.BooleanField("active", default=True)

    class Meta:
        db_table = '"hr"."positions"'
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="positions_code_key"),
            models.CheckConstraint(
                condition=~Q(title_th=""), name="positions_title_th_not_blank_check"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.title_en}"


class Employee(models.Model):
    """A current or former employee of the hospital, who may or may not be a user."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    employee_number = models.CharField(max_length=10, help_text="Six digits.")
    first_name_th = models.CharField("first name (Thai)", max_length=100)
    last_name_th = models.CharField("last name (Thai)", max_length=100)
    first_name_en = models.CharField("first name (English)", max_length=100, blank=True)
    last_name_en = models.CharField("last name (English)", max_length=100, blank=True)
    cost_centre = models.ForeignKey("core.CostCentre", on_delete=models.PROTECT, related_name="+")
    hired_on = models.DateField()
    left_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = '"hr"."employees"'
        ordering = ["employee_number"]
        indexes = [
            models.Index(fields=["last_name_th", "first_name_th"], name="employees_name_th_idx"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["employee_number"], name="employees_number_key"),
            models.UniqueConstraint(
                fields=["user"], condition=Q(user__isnull=False), name="employees_user_key"
            ),
            models.CheckConstraint(
                condition=Q(employee_number__regex=r"^[0-9]{6}$"), name="employees_number_check"
            ),
            models.CheckConstraint(
                condition=Q(left_on__isnull=True) | Q(left_on__gte=F("hired_on")),
                name="employees_period_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee_number} {self.full_name_th}"

    def is_employed(self, day: date) -> bool:
        return self.hired_on <= day and (self.left_on is None or day <= self.left_on)

    @property
    def full_name_th(self) -> str:
        return f"{self.first_name_th} {self.last_name_th}"

    @property
    def full_name_en(self) -> str:
        return f"{self.first_name_en} {self.last_name_en}".strip()


class Assignment(models.Model):
    """An employee's period in a position; both its first and its last day are included."""

    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="assignments")
    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="assignments")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    location_id = DomainReference(
        "inventory.Location",
        "location",
        null=True,
        blank=True,
        help_text="The id of the workplace in inventory; resolved in code.",
    )

    class Meta:
        db_table = '"hr"."assignments"'
        ordering = ["-starts_on", "id"]
        indexes = [
            models.Index(fields=["location_id"], name="assignments_location_id_idx"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="assignments_period_check",
            ),
            ExclusionConstraint(
                name="assignments_no_overlap_excl",
                expressions=[
                    (same_id("employee"), RangeOperators.OVERLAPS),
                    (same_id("position"), RangeOperators.OVERLAPS),
                    (period("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
                violation_error_message="The employee already holds this position in that period.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee} as {self.position} from {self.starts_on}"

    def clean(self) -> None:
        if not (self.employee_id and self.starts_on):
            return
        if not self.employee.is_employed(self.starts_on):
            raise ValidationError(
                {"starts_on": f"{self.employee} is not employed on {self.starts_on}."}
            )
