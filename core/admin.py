"""Admin pages of the main system."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import Count, QuerySet
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest

from . import services
from .admin_base import acting_user
from .models import CostCentre, Permission, Role, RolePermission, User, UserRole


class UserRoleInline(admin.TabularInline):
    """The roles of a user, which can be granted and revoked; the granting user is recorded."""

    model = UserRole
    fk_name = "user"
    extra = 0
    autocomplete_fields = ["role"]
    fields = ["role", "expires_at", "granted_by", "granted_at"]
    readonly_fields = ["granted_by", "granted_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[UserRole]:
        return super().get_queryset(request).select_related("role", "granted_by", "user")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Read-only rows need no queries for their widgets.
        return False


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """Users and their roles."""

    list_display = ["username", "email", "first_name", "last_name", "is_active", "is_staff"]
    list_filter = ["is_active", "is_staff", "is_superuser", "user_roles__role"]
    readonly_fields = ["last_login", "date_joined"]
    inlines = [UserRoleInline]

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        return list(self.inlines) if obj else []

    def save_formset(
        self,
        request: HttpRequest,
        form: ModelForm[User],
        formset: BaseModelFormSet[UserRole, ModelForm[UserRole]],
        change: bool,
    ) -> None:
        for grant in formset.save(commit=False):
            services.role_grant(
                user=grant.user,
                role=grant.role,
                granted_by=acting_user(request),
                expires_at=grant.expires_at,
            )
        for grant in formset.deleted_objects:
            services.role_revoke(user=grant.user, role=grant.role)


class RolePermissionInline(admin.TabularInline):
    """The permissions of a role."""

    model = RolePermission
    extra = 0
    autocomplete_fields = ["permission"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RolePermission]:
        return super().get_queryset(request).select_related("role", "permission")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Role)
class RoleAdmin(admin.ModelAdmin):
    """Roles and their permissions."""

    list_display = ["code", "name", "permission_count", "holder_count"]
    search_fields = ["code", "name", "description"]
    inlines = [RolePermissionInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        counts = {
            "permission_total": Count("role_permissions", distinct=True),
            "holder_total": Count("user_roles", distinct=True),
        }
        return super().get_queryset(request).annotate(**counts)

    def save_formset(
        self,
        request: HttpRequest,
        form: ModelForm[Role],
        formset: BaseModelFormSet[RolePermission, ModelForm[RolePermission]],
        change: bool,
    ) -> None:
        for row in formset.save(commit=False):
            services.role_permission_add(role=row.role, code=row.permission.code)
        for row in formset.deleted_objects:
            services.role_permission_remove(role=row.role, code=row.permission.code)

    @admin.display(description="permissions", ordering="permission_total")
    def permission_count(self, role: Any) -> int:
        return role.permission_total

    @admin.display(description="holders", ordering="holder_total")
    def holder_count(self, role: Any) -> int:
        return role.holder_total


@admin.register(Permission)
class PermissionAdmin(admin.ModelAdmin):
    """Permissions, read-only: they follow the models of the apps."""

    list_display = ["code", "name"]
    search_fields = ["code", "name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Permission | None = None) -> bool:
        return False


@admin.register(CostCentre)
class CostCentreAdmin(admin.ModelAdmin):
    """Cost centres, which all domains share."""

    list_display = ["code", "name_en", "name_th", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["code", "name_en", "name_th"]
