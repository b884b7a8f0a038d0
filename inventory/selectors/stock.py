"""Queries on stock: usable, on hand, expiring and running low."""

from __future__ import annotations

import datetime

from django.db.models import BigIntegerField, F, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from inventory.models import Drug, DrugGeneric, Location, StockLevel, StockOnHand


def stock_usable_list(*, drug: Drug, location: Location) -> QuerySet[StockLevel]:
    """Return the usable lots of a drug at a location, the earliest expiry first."""
    return (
        StockLevel.objects.filter(
            location=location,
            lot__drug=drug,
            lot__is_quarantined=False,
            lot__expires_on__gte=timezone.localdate(),
            quantity__gt=0,
        )
        .select_related("lot")
        .order_by("lot__expires_on", "lot_id")
    )


def stock_usable_quantity(*, drug: Drug, location: Location) -> int:
    """Return the number of units of a drug that a location can issue today."""
    total = stock_usable_list(drug=drug, location=location).aggregate(total=Sum("quantity"))
    return total["total"] or 0


def stock_on_hand_list(*, location: Location | None = None) -> QuerySet[StockOnHand]:
    """Return the stock of every drug at one location, by default at all locations."""
    rows = StockOnHand.objects.select_related("location", "drug__generic")
    return rows.filter(location=location) if location else rows


def stock_expiring_list(*, within: datetime.timedelta) -> QuerySet[StockLevel]:
    """Return the stock that expires within a time or has expired, the earliest expiry first."""
    return (
        StockLevel.objects.filter(
            quantity__gt=0, lot__expires_on__lte=timezone.localdate() + within
        )
        .select_related("location", "lot__drug")
        .order_by("lot__expires_on", "lot_id")
    )


def drug_generic_low_list() -> QuerySet[DrugGeneric]:
    """Return the active generics whose stock, ``held``, is below their reorder point."""
    held = Coalesce(Sum("drugs__lots__stock_levels__quantity"), 0, output_field=BigIntegerField())
    return (
        DrugGeneric.objects.filter(is_active=True)
        .annotate(held=held)
        .filter(held__lt=F("reorder_point"))
    )
