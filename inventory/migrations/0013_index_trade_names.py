"""The pharmacists search by trade name all day; build the index without locking them out."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("inventory", "0012_require_purchase_order_total")]

    operations = [
        AddIndexConcurrently(
            model_name="drug",
            index=models.Index(fields=["trade_name"], name="drugs_trade_name_idx"),
        ),
    ]
