"""Admin pages of the inventory."""

from __future__ import annotations

from . import (
    budget,
    budget_requests,
    catalogue,
    contracts,
    places,
    purchasing,
    receiving,
    stock,
)

__all__ = [
    "budget",
    "budget_requests",
    "catalogue",
    "contracts",
    "places",
    "purchasing",
    "receiving",
    "stock",
]
