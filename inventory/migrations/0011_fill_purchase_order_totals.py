"""Add up the items of the orders that have no total yet."""

from __future__ import annotations

from decimal import Decimal

from django.db import migrations
from django.db.models import F, Sum

BATCH = 500


def fill_totals(apps, schema_editor):
    """Write the totals in batches, so that a hospital's years of orders fit in memory."""
    orders = apps.get_model("inventory", "PurchaseOrder").objects.using(
        schema_editor.connection.alias
    )
    batch = []
    unfilled = (
        orders.filter(total_amount__isnull=True)
        .annotate(total=Sum(F("items__packs") * F("items__pack_price")))
        .order_by("pk")
    )
    for order in unfilled.iterator(chunk_size=BATCH):
        order.total_amount = order.total or Decimal(0)
        batch.append(order)
        if len(batch) == BATCH:
            orders.bulk_update(batch, ["total_amount"])
            batch = []
    orders.bulk_update(batch, ["total_amount"])


def clear_totals(apps, schema_editor):
    """Empty the column again: the items still say what each order costs."""
    orders = apps.get_model("inventory", "PurchaseOrder").objects.using(
        schema_editor.connection.alias
    )
    orders.update(total_amount=None)


class Migration(migrations.Migration):
    dependencies = [("inventory", "0010_purchase_order_total")]

    operations = [migrations.RunPython(fill_totals, clear_totals, elidable=True)]
