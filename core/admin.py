"""Admin pages of the main system."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import Count, QuerySet
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest

from .models import CostCentre, Permission, Role, RolePermission, User, UserRole


class UserRoleInline(admin.TabularInline):
    """The roles somebody holds; who granted them is recorded, not asked for."""

    model = UserRole
    fk_name = "user"
    extra = 0
    autocomplete_fields = ["role"]
    fields = ["role", "expires_at", "granted_by", "granted_at"]
    readonly_fields = ["granted_by", "granted_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[UserRole]:
        return super().get_queryset(request).select_related("role", "granted_by", "user")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Given or taken; and a row that is only shown costs no query for its widgets.
        return False


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """People, with the roles they hold."""

    list_display = ["username", "email", "first_name", "last_name", "is_active", "is_staff"]
    list_filter = ["is_active", "is_staff", "is_superuser", "user_roles__role"]
    readonly_fields = ["last_login", "date_joined"]
    inlines = [UserRoleInline]

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        return list(self.inlines) if obj else []

    def save_formset(
        self, request: HttpRequest, form: ModelForm, formset: BaseModelFormSet, change: bool
    ) -> None:
        for row in formset.save(commit=False):
            if isinstance(row, UserRole) and row.granted_by_id is None:
                row.granted_by = request.user
            row.save()
        for row in formset.deleted_objects:
            row.delete()
        formset.save_m2m()


class RolePermissionInline(admin.TabularInline):
    """What a role allows."""

    model = RolePermission
    extra = 0
    autocomplete_fields = ["permission"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RolePermission]:
        return super().get_queryset(request).select_related("permission")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Role)
class RoleAdmin(admin.ModelAdmin):
    """Roles, with what they allow."""

    list_display = ["code", "name", "permission_count", "holder_count"]
    search_fields = ["code", "name", "description"]
    inlines = [RolePermissionInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        counts = {
            "permission_total": Count("role_permissions", distinct=True),
            "holder_total": Count("user_roles", distinct=True),
        }
        return super().get_queryset(request).annotate(**counts)

    @admin.display(description="permissions", ordering="permission_total")
    def permission_count(self, role: Any) -> int:
        return role.permission_total

    @admin.display(description="holders", ordering="holder_total")
    def holder_count(self, role: Any) -> int:
        return role.holder_total


@admin.register(Permission)
class PermissionAdmin(admin.ModelAdmin):
    """What can be allowed; the list follows the apps' models, so nobody edits it."""

    list_display = ["code", "name"]
    search_fields = ["code", "name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Permission | None = None) -> bool:
        return False


@admin.register(CostCentre)
class CostCentreAdmin(admin.ModelAdmin):
    """Cost centres, which every domain can refer to."""

    list_display = ["code", "name_en", "name_th", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["code", "name_en", "name_th"]
