"""Manufacturers use a lot number again after some years: it is unique with its expiry only."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0008_rename_drug_name_to_trade_name")]

    operations = [
        migrations.AlterUniqueTogether(name="druglot", unique_together=set()),
        migrations.AddConstraint(
            model_name="druglot",
            constraint=models.UniqueConstraint(
                fields=("drug", "lot_number", "expires_on"),
                name="drug_lots_drug_lot_expiry_key",
            ),
        ),
    ]
