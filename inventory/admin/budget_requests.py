"""Admin pages of budget requests."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from core.admin_base import ReadOnlyAdmin, acting_user, run_service
from core.inlines import Inline
from inventory.models import (
    BudgetRequest,
    BudgetRequestAudit,
    BudgetRequestComment,
    BudgetRequestItem,
)
from inventory.services.budget_requests import budget_request_move

from .base import RecordedAdmin, name_of


class BudgetRequestItemInline(Inline):
    model = BudgetRequestItem
    autocomplete_fields = ("generic",)


class BudgetRequestCommentInline(Inline):
    model = BudgetRequestComment
    readonly_fields = ("created_by", "created_at")
    related = ("created_by",)


class BudgetRequestAuditInline(Inline):
    model = BudgetRequestAudit
    readonly_fields = ("old_status", "new_status", "changed_by", "changed_at")
    related = ("changed_by",)
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: BudgetRequest | None = None) -> bool:
        return False


@admin.register(BudgetRequest)
class BudgetRequestAdmin(RecordedAdmin):
    list_display = (
        "number",
        "fiscal_year",
        name_of("department"),
        name_of("budget"),
        "status",
        "approved_amount",
        "created_by",
    )
    list_filter = ("status", "fiscal_year", "budget", "department")
    list_select_related = ("department", "budget", "created_by")
    search_fields = ("number", "justification", "items__generic__name")
    autocomplete_fields = ("department", "budget")
    readonly_fields = (
        *RecordedAdmin.readonly_fields,
        "status",
        "approved_amount",
        "updated_by",
    )
    inlines = (BudgetRequestItemInline, BudgetRequestCommentInline, BudgetRequestAuditInline)
    actions = ("submit", "review", "reject")

    def has_approve_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may decide on budget requests."""
        return request.user.has_perm("inventory.approve_budgetrequest")

    def save_model(
        self, request: HttpRequest, obj: BudgetRequest, form: ModelForm[BudgetRequest], change: bool
    ) -> None:
        obj.updated_by = acting_user(request)
        super().save_model(request, obj, form, change)

    @admin.action(description="Submit selected budget requests", permissions=["change"])
    def submit(self, request: HttpRequest, queryset: QuerySet[BudgetRequest]) -> None:
        self._move(request, queryset, BudgetRequest.Status.SUBMITTED)

    @admin.action(description="Mark selected budget requests as reviewed", permissions=["approve"])
    def review(self, request: HttpRequest, queryset: QuerySet[BudgetRequest]) -> None:
        self._move(request, queryset, BudgetRequest.Status.REVIEWED)

    @admin.action(description="Reject selected budget requests", permissions=["approve"])
    def reject(self, request: HttpRequest, queryset: QuerySet[BudgetRequest]) -> None:
        self._move(request, queryset, BudgetRequest.Status.REJECTED)

    def _move(
        self, request: HttpRequest, queryset: QuerySet[BudgetRequest], status: BudgetRequest.Status
    ) -> None:
        run_service(
            self,
            request,
            queryset,
            lambda row: budget_request_move(
                request=row, status=status, moved_by=acting_user(request)
            ),
            done=status.label.lower(),
        )


@admin.register(BudgetRequestAudit)
class BudgetRequestAuditAdmin(ReadOnlyAdmin):
    list_display = ("changed_at", "request", "old_status", "new_status", "changed_by")
    list_filter = ("new_status",)
    list_select_related = ("request", "changed_by")
    date_hierarchy = "changed_at"
    search_fields = ("request__number", "changed_by__username")
