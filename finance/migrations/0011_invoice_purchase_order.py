from __future__ import annotations

from django.db import migrations, models

from domain_migrations.fields import DomainReference


class Migration(migrations.Migration):
    dependencies = [("finance", "0010_trial_balance_view")]

    operations = [
        # The id of a row of another domain: stored without a foreign key, resolved in code.
        migrations.AddField(
            model_name="invoice",
            name="purchase_order_id",
            field=DomainReference(
                "inventory.PurchaseOrder",
                id_field=models.BigIntegerField(),
                blank=True,
                help_text="The id of a purchase order of inventory.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["purchase_order_id"], name="invoices_purchase_order_id_idx"),
        ),
    ]
