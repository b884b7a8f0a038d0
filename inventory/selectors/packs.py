"""Packs in units of issue and back."""

from __future__ import annotations

from decimal import Decimal

from inventory.exceptions import IndivisiblePack
from inventory.models import Drug, PackRatio

COST_STEP = Decimal("0.0001")


def units_from_packs(*, pack_ratio: PackRatio, packs: int) -> int:
    """Return how many units of issue so many packs hold."""
    return packs * pack_ratio.units_per_pack


def packs_from_units(*, pack_ratio: PackRatio, units: int) -> int:
    """Return how many packs hold exactly so many units of issue.

    Raises:
        IndivisiblePack: the last pack would be broken.
    """
    packs, rest = divmod(units, pack_ratio.units_per_pack)
    if rest:
        raise IndivisiblePack(f"{units} units are {packs} packs ({pack_ratio}) and {rest} units.")
    return packs


def packs_to_cover(*, pack_ratio: PackRatio, units: int) -> int:
    """Return the smallest number of packs that hold at least so many units of issue."""
    return -(-units // pack_ratio.units_per_pack)


def unit_cost(*, pack_ratio: PackRatio, pack_price: Decimal) -> Decimal:
    """Return what one unit of issue costs when a pack costs so much."""
    return (pack_price / pack_ratio.units_per_pack).quantize(COST_STEP)


def default_pack_ratio(*, drug: Drug) -> PackRatio | None:
    """Return the pack in which a drug is usually bought."""
    return drug.pack_ratios.filter(is_default=True).select_related("pack_unit").first()
