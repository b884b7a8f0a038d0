"""Room for an order's total, empty until the next migration fills it."""

from __future__ import annotations

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0009_repeat_lot_numbers")]

    operations = [
        migrations.AddField(
            model_name="purchaseorder",
            name="total_amount",
            field=models.DecimalField(
                blank=True,
                decimal_places=2,
                max_digits=14,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="total",
            ),
        ),
    ]
