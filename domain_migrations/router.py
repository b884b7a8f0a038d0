"""The rule at run time: no relation between objects of two domains."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from .domains import get_domain_for
from .engine.boundary.rule import may_depend_on


class DomainRouter:
    """Refuses assignments across domains; says nothing about databases and migrations.

    Migrations are none of its business: Django records those that a router keeps from running
    as applied.
    """

    def allow_relation(self, obj1: Model, obj2: Model, **hints: Any) -> bool | None:
        """Return False across domains; None leaves the answer to the other routers."""
        # Not by type(): `request.user` is a lazy object around a user.
        one, other = (get_domain_for(obj._meta.app_label) for obj in (obj1, obj2))
        return None if may_depend_on(one, other) or may_depend_on(other, one) else False
