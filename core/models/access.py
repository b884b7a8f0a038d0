"""Roles, their permissions and their holders.

A permission's code is the string that Django's own checks take, ``inventory.change_drug``. Core
stores the code, not a key of ``auth_permission``, so a role can grant what a domain declares
whether or not that domain has been migrated.
"""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class Permission(models.Model):
    """A permission that roles can grant, identified by the code that ``user.has_perm`` takes."""

    code = models.CharField(max_length=201, help_text="For example inventory.change_drug.")
    name = models.CharField(max_length=255)

    class Meta:
        db_table = "permissions"
        ordering = ["code"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["code"], name="permissions_code_key"),
        ]

    def __str__(self) -> str:
        return self.code


class Role(models.Model):
    """A job in the hospital, with the permissions that it requires."""

    code = models.SlugField(max_length=50, db_index=False)
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    permissions = models.ManyToManyField(Permission, through="RolePermission", related_name="roles")

    class Meta:
        db_table = "roles"
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="roles_code_key"),
        ]

    def __str__(self) -> str:
        return self.code


class RolePermission(models.Model):
    """A permission of a role."""

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="role_permissions")
    permission = models.ForeignKey(
        Permission, on_delete=models.CASCADE, related_name="role_permissions"
    )

    class Meta:
        db_table = "role_permissions"
        constraints = [
            models.UniqueConstraint(
                fields=["role", "permission"], name="role_permissions_role_permission_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.permission}"


class UserRole(models.Model):
    """A grant of a role to a user."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="user_roles"
    )
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="user_roles")
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="roles_granted",
    )
    granted_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty for a role that does not expire."
    )

    class Meta:
        db_table = "user_roles"
        constraints = [
            models.UniqueConstraint(fields=["user", "role"], name="user_roles_user_role_key"),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("granted_at")),
                name="user_roles_period_check",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"

    def clean(self) -> None:
        if self.expires_at is not None and self.expires_at <= self.granted_at:
            raise ValidationError({"expires_at": "A role cannot expire before it is granted."})
