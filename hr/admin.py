"""Admin pages of human resources."""

from __future__ import annotations

from decimal import Decimal

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from core.admin_base import StatusForm, acting_user, run_service
from core.inlines import Inline
from domain_migrations.references.admin import DomainReferenceAdmin

from . import services
from .models import Assignment, Employee, LeaveBalance, LeaveRequest, LeaveType, Position


@admin.register(Position)
class PositionAdmin(admin.ModelAdmin):
    """Positions."""

    list_display = ["code", "title_en", "title_th", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["code", "title_en", "title_th"]


class AssignmentInline(Inline):
    """The assignments of an employee."""

    model = Assignment
    autocomplete_fields = ["position"]


@admin.register(Employee)
class EmployeeAdmin(DomainReferenceAdmin):
    """Employees."""

    list_display = [
        "employee_number",
        "full_name_th",
        "full_name_en",
        "cost_centre",
        "hired_on",
        "left_on",
    ]
    list_filter = [("left_on", admin.EmptyFieldListFilter), "cost_centre"]
    list_select_related = ["cost_centre"]
    search_fields = [
        "employee_number",
        "first_name_th",
        "last_name_th",
        "first_name_en",
        "last_name_en",
    ]
    autocomplete_fields = ["user", "cost_centre"]
    date_hierarchy = "hired_on"
    inlines = [AssignmentInline]


@admin.register(Assignment)
class AssignmentAdmin(DomainReferenceAdmin):
    """Assignments; the location belongs to another domain and is shown as a link."""

    list_display = ["employee", "position", "starts_on", "ends_on", "location_id"]
    list_filter = [("ends_on", admin.EmptyFieldListFilter), "position"]
    list_select_related = ["employee", "position"]
    search_fields = ["employee__employee_number", "employee__last_name_th", "position__code"]
    autocomplete_fields = ["employee", "position"]
    date_hierarchy = "starts_on"


@admin.register(LeaveType)
class LeaveTypeAdmin(admin.ModelAdmin):
    """Leave types."""

    list_display = ["code", "name_en", "name_th", "days_per_year", "is_paid"]
    list_filter = ["is_paid"]
    search_fields = ["code", "name_en", "name_th"]


@admin.register(LeaveBalance)
class LeaveBalanceAdmin(admin.ModelAdmin):
    """Leave balances; the used days follow from approved leave."""

    list_display = ["employee", "leave_type", "year", "entitled_days", "used_days", "remaining"]
    list_filter = ["year", "leave_type"]
    list_select_related = ["employee", "leave_type"]
    search_fields = ["employee__employee_number", "employee__last_name_th"]
    autocomplete_fields = ["employee", "leave_type"]
    readonly_fields = ["used_days"]

    @admin.display(description="remaining days")
    def remaining(self, balance: LeaveBalance) -> Decimal:
        return balance.remaining_days


@admin.register(LeaveRequest)
class LeaveRequestAdmin(admin.ModelAdmin):
    """Leave requests; the actions decide on them and update the balances."""

    form = StatusForm
    list_display = ["employee", "leave_type", "starts_on", "ends_on", "days", "status"]
    list_filter = ["status", "leave_type"]
    list_select_related = ["employee", "leave_type"]
    search_fields = ["employee__employee_number", "employee__last_name_th"]
    autocomplete_fields = ["employee", "leave_type"]
    readonly_fields = ["days", "status", "decided_by", "decided_at"]
    date_hierarchy = "starts_on"
    actions = ["approve", "reject"]

    def has_change_permission(self, request: HttpRequest, obj: LeaveRequest | None = None) -> bool:
        decided = obj is not None and obj.status != LeaveRequest.Status.REQUESTED
        return not decided and super().has_change_permission(request, obj)

    def save_model(
        self,
        request: HttpRequest,
        obj: LeaveRequest,
        form: ModelForm[LeaveRequest],
        change: bool,
    ) -> None:
        services.leave_request_save(request=obj)

    @admin.action(description="Approve selected leave requests", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[LeaveRequest]) -> None:
        run_service(
            self,
            request,
            queryset,
            lambda row: services.leave_request_approve(
                request=row, approved_by=acting_user(request)
            ),
            done="approved",
        )

    @admin.action(description="Reject selected leave requests", permissions=["change"])
    def reject(self, request: HttpRequest, queryset: QuerySet[LeaveRequest]) -> None:
        run_service(
            self,
            request,
            queryset,
            lambda row: services.leave_request_reject(
                request=row, rejected_by=acting_user(request)
            ),
            done="rejected",
        )
