"""What other code asks of the main system."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from .models import CostCentre, Permission, Role, User


def in_force(*, at: datetime | None = None) -> Q:
    """Return the condition on ``UserRole`` that its grant has not expired."""
    return Q(expires_at__isnull=True) | Q(expires_at__gt=at or timezone.now())


def user_roles(*, user: User) -> QuerySet[Role]:
    """Return the roles that somebody holds now."""
    return Role.objects.filter(pk__in=user.user_roles.filter(in_force()).values("role"))


def permission_codes(*, user: User) -> set[str]:
    """Return the codes of everything that somebody's roles allow now."""
    codes = Permission.objects.filter(roles__in=user_roles(user=user)).order_by()
    return set(codes.values_list("code", flat=True))


def cost_centres_active() -> QuerySet[CostCentre]:
    """Return the cost centres that new rows may use."""
    return CostCentre.objects.filter(is_active=True)
