"""The database router, which applies the rule to relations at run time."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from .domains import get_domain_for
from .engine.boundary.rule import may_depend_on


class DomainRouter:
    """Refuses assignments across domains.

    It has no ``allow_migrate``, because Django records migrations as applied even if a router
    prevents their operations.
    """

    def allow_relation(self, obj1: Model, obj2: Model, **hints: Any) -> bool | None:
        """Return False across domains, otherwise None to let other routers decide."""
        # type() would not work for `request.user`, which is a lazy object.
        one, other = (get_domain_for(obj._meta.app_label) for obj in (obj1, obj2))
        return None if may_depend_on(one, other) or may_depend_on(other, one) else False
