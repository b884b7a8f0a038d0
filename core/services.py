"""Changes to roles: their holders and their permissions."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from .models import Permission, Role, RolePermission, User, UserRole


@transaction.atomic
def role_grant(
    *,
    user: User,
    role: Role,
    granted_by: User | None = None,
    expires_at: datetime | None = None,
) -> UserRole:
    """Grant a role to a user, or change when the grant expires.

    Raises:
        ValidationError: the grant would expire before it begins.
    """
    grant = UserRole.objects.select_for_update().filter(user=user, role=role).first()
    grant = grant or UserRole(user=user, role=role)
    grant.granted_by = granted_by
    grant.expires_at = expires_at
    grant.full_clean()
    grant.save()
    return grant


def role_revoke(*, user: User, role: Role) -> bool:
    """Revoke a role; return whether the user held it."""
    deleted, _ = UserRole.objects.filter(user=user, role=role).delete()
    return deleted > 0


@transaction.atomic
def role_permission_add(*, role: Role, code: str) -> RolePermission:
    """Add the permission with that code to a role, unless the role has it.

    Raises:
        ValidationError: no app declares a permission with that code.
    """
    permission = Permission.objects.filter(code=code).first()
    if permission is None:
        raise ValidationError(
            f'The permission "{code}" does not exist. Migrate the domain that declares it first.'
        )
    existing = RolePermission.objects.filter(role=role, permission=permission).first()
    if existing is not None:
        return existing
    added = RolePermission(role=role, permission=permission)
    added.full_clean()
    added.save()
    return added


def role_permission_remove(*, role: Role, code: str) -> bool:
    """Remove a permission from a role; return whether the role had it."""
    deleted, _ = RolePermission.objects.filter(role=role, permission__code=code).delete()
    return deleted > 0
