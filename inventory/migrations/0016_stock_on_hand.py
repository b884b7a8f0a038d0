"""What each location holds of a drug, over its lots."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

CREATE_VIEW = """
CREATE VIEW inventory.stock_on_hand AS
SELECT level.location_id::text || '-' || lot.drug_id::text AS id,
       level.location_id,
       lot.drug_id,
       sum(level.quantity)::bigint AS quantity,
       coalesce(
           sum(level.quantity) FILTER (
               WHERE NOT lot.is_quarantined AND lot.expires_on >= CURRENT_DATE
           ),
           0
       )::bigint AS usable,
       count(*) AS lots,
       min(lot.expires_on) AS next_expiry,
       sum(level.quantity * lot.unit_cost) AS value
FROM inventory.stock_levels AS level
JOIN inventory.drug_lots AS lot ON lot.id = level.lot_id
WHERE level.quantity > 0
GROUP BY level.location_id, lot.drug_id
"""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0015_validate_standard_codes")]

    operations = [
        migrations.RunSQL(
            sql=[CREATE_VIEW],
            reverse_sql=["DROP VIEW inventory.stock_on_hand"],
        ),
        migrations.CreateModel(
            name="StockOnHand",
            fields=[
                ("id", models.CharField(max_length=41, primary_key=True, serialize=False)),
                (
                    "location",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="inventory.location",
                        verbose_name="location",
                    ),
                ),
                (
                    "drug",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="inventory.drug",
                        verbose_name="drug",
                    ),
                ),
                ("quantity", models.BigIntegerField(verbose_name="quantity")),
                (
                    "usable",
                    models.BigIntegerField(
                        help_text="Neither quarantined nor expired.", verbose_name="usable"
                    ),
                ),
                ("lots", models.BigIntegerField(verbose_name="lots")),
                ("next_expiry", models.DateField(null=True, verbose_name="next expiry")),
                (
                    "value",
                    models.DecimalField(decimal_places=4, max_digits=20, verbose_name="value"),
                ),
            ],
            options={
                "verbose_name": "stock on hand",
                "verbose_name_plural": "stock on hand",
                "db_table": '"inventory"."stock_on_hand"',
                "ordering": ["drug", "location"],
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
    ]
