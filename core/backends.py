"""The authentication backend that includes roles in Django's permission checks."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission as AuthPermission
from django.db.models import Exists, OuterRef, QuerySet

from . import selectors
from .models import User


class RoleBackend(ModelBackend):
    """Django's backend, in which a role grants permissions as a group does.

    ``user.has_perm("inventory.change_drug")`` is true for a user who holds a role with the
    permission of that code. As in Django, the result is cached on the user object: fetch the
    user again after a change.
    """

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        codes = set(super().get_group_permissions(user_obj, obj))
        if user_obj.is_active and not user_obj.is_anonymous and obj is None:
            codes |= selectors.permission_codes(user=user_obj)
        return codes

    def with_perm(
        self,
        perm: str | AuthPermission,
        is_active: bool = True,
        include_superusers: bool = True,
        obj: Any = None,
    ) -> QuerySet[User]:
        users = super().with_perm(perm, is_active, include_superusers, obj)
        if obj is not None:
            return users
        if isinstance(perm, AuthPermission):
            perm = f"{perm.content_type.app_label}.{perm.codename}"
        held = selectors.user_role_active_list().filter(
            user=OuterRef("pk"), role__permissions__code=perm
        )
        by_role = User.objects.filter(Exists(held))
        return users | (by_role.filter(is_active=is_active) if is_active is not None else by_role)
