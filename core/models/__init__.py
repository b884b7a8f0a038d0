"""The models of the main system; every domain may reference them."""

from __future__ import annotations

from .access import Permission, Role, RolePermission, UserRole
from .lookups import CostCentre
from .users import User

__all__ = ["CostCentre", "Permission", "Role", "RolePermission", "User", "UserRole"]
