"""Queries on roles and permissions."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from .models import Permission, Role, User, UserRole


def user_role_active_list(*, at: datetime | None = None) -> QuerySet[UserRole]:
    """Return the grants of roles that have not expired at a time, now by default."""
    unexpired = Q(expires_at__isnull=True) | Q(expires_at__gt=at or timezone.now())
    return UserRole.objects.filter(unexpired)


def role_list(*, user: User) -> QuerySet[Role]:
    """Return the roles that a user holds now."""
    return Role.objects.filter(pk__in=user_role_active_list().filter(user=user).values("role"))


def permission_codes(*, user: User) -> set[str]:
    """Return the codes of all permissions that a user's roles grant now."""
    permissions = Permission.objects.filter(roles__in=role_list(user=user)).order_by()
    return set(permissions.values_list("code", flat=True))
