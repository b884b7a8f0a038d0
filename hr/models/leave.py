"""Leave: its types, the balances of employees and their requests."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from .people import Employee
from .ranges import period, same_id

SATURDAY = 5


class LeaveType(models.Model):
    """A type of leave: annual, sick, ordination."""

    code = models.CharField(max_length=20)
    name_en = models.CharField("name (English)", max_length=100)
    name_th = models.CharField("name (Thai)", max_length=100)
    days_per_year = models.DecimalField(max_digits=4, decimal_places=1)
    is_paid = models.BooleanField("paid", default=True)

    class Meta:
        db_table = '"hr"."leave_types"'
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="leave_types_code_key"),
            models.CheckConstraint(
                condition=Q(days_per_year__gte=0) & Q(days_per_year__lte=366),
                name="leave_types_days_per_year_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name_en}"


class LeaveBalance(models.Model):
    """The days of one type of leave that an employee may take in a year."""

    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="leave_balances")
    leave_type = models.ForeignKey(LeaveType, on_delete=models.PROTECT, related_name="balances")
    year = models.PositiveSmallIntegerField(help_text="Common era.")
    entitled_days = models.DecimalField(max_digits=4, decimal_places=1)
    used_days = models.DecimalField(max_digits=4, decimal_places=1, default=Decimal(0))

    class Meta:
        db_table = '"hr"."leave_balances"'
        ordering = ["-year", "employee_id", "leave_type_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["employee", "leave_type", "year"], name="leave_balances_year_key"
            ),
            models.CheckConstraint(
                condition=Q(used_days__gte=0) & Q(used_days__lte=F("entitled_days")),
                name="leave_balances_used_days_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.leave_type} of {self.employee} in {self.year}"

    @property
    def remaining_days(self) -> Decimal:
        return self.entitled_days - self.used_days


class LeaveRequest(models.Model):
    """A request for leave, within one calendar year because balances are yearly."""

    class Status(models.TextChoices):
        REQUESTED = "requested", "Requested"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        CANCELLED = "cancelled", "Cancelled"

    employee = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="leave_requests")
    leave_type = models.ForeignKey(LeaveType, on_delete=models.PROTECT, related_name="requests")
    starts_on = models.DateField()
    ends_on = models.DateField()
    days = models.DecimalField(max_digits=4, decimal_places=1)
    reason = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.REQUESTED)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = '"hr"."leave_requests"'
        ordering = ["-starts_on", "id"]
        indexes = [
            models.Index(
                fields=["starts_on"],
                condition=Q(status="requested"),
                name="leave_requests_open_idx",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["requested", "approved", "rejected", "cancelled"]),
                name="leave_requests_status_check",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")), name="leave_requests_period_check"
            ),
            models.CheckConstraint(condition=Q(days__gt=0), name="leave_requests_days_check"),
            ExclusionConstraint(
                name="leave_requests_no_overlap_excl",
                expressions=[
                    (same_id("employee"), RangeOperators.OVERLAPS),
                    (period("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
                condition=Q(status__in=["requested", "approved"]),
                violation_error_message="The employee already has leave in that period.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee} from {self.starts_on} to {self.ends_on}"

    def clean(self) -> None:
        if not (self.employee_id and self.starts_on and self.ends_on):
            return
        if self.ends_on < self.starts_on:
            raise ValidationError({"ends_on": "Leave cannot end before it starts."})
        if self.starts_on.year != self.ends_on.year:
            raise ValidationError(
                {"ends_on": "Leave is counted by calendar year; request each year separately."}
            )
        if not (
            self.employee.is_employed(self.starts_on) and self.employee.is_employed(self.ends_on)
        ):
            raise ValidationError(
                {"starts_on": f"{self.employee} is not employed for the whole period."}
            )
        if not working_days(self.starts_on, self.ends_on):
            raise ValidationError({"starts_on": "There is no working day in that period."})


def working_days(starts_on: date, ends_on: date) -> Decimal:
    """Return the number of days from Monday to Friday in a period, inclusive."""
    days = (starts_on + timedelta(n) for n in range((ends_on - starts_on).days + 1))
    return Decimal(sum(day.weekday() < SATURDAY for day in days))
