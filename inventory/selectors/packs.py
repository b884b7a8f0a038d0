"""Conversions between packs and units of issue."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError

from inventory.models import Drug, PackRatio

COST_STEP = Decimal("0.0001")


def pack_ratio_units(*, pack_ratio: PackRatio, packs: int) -> int:
    """Return the number of units of issue in a number of packs."""
    return packs * pack_ratio.units_per_pack


def pack_ratio_packs(*, pack_ratio: PackRatio, units: int) -> int:
    """Return the number of packs that hold exactly a number of units of issue.

    Raises:
        ValidationError: the units are not a whole number of packs.
    """
    packs, rest = divmod(units, pack_ratio.units_per_pack)
    if rest:
        raise ValidationError(f"{units} units are {packs} packs ({pack_ratio}) and {rest} units.")
    return packs


def pack_ratio_packs_to_cover(*, pack_ratio: PackRatio, units: int) -> int:
    """Return the smallest number of packs that hold at least a number of units of issue."""
    return -(-units // pack_ratio.units_per_pack)


def pack_ratio_unit_cost(*, pack_ratio: PackRatio, pack_price: Decimal) -> Decimal:
    """Return the cost of one unit of issue at a price per pack."""
    return (pack_price / pack_ratio.units_per_pack).quantize(COST_STEP)


def pack_ratio_default(*, drug: Drug) -> PackRatio | None:
    """Return the pack in which a drug is usually bought."""
    return drug.pack_ratios.filter(is_default=True).select_related("pack_unit").first()
