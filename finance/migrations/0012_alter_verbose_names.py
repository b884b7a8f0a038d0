"""Labels of the admin forms; the database is not changed."""

from __future__ import annotations

from django.db import migrations, models

from domain_migrations.fields import DomainReference


class Migration(migrations.Migration):
    dependencies = [("finance", "0011_invoice_purchase_order")]

    operations = [
        migrations.AlterField(
            model_name="account",
            name="is_active",
            field=models.BooleanField(default=True, verbose_name="active"),
        ),
        migrations.AlterField(
            model_name="account",
            name="name_en",
            field=models.CharField(max_length=200, verbose_name="name (English)"),
        ),
        migrations.AlterField(
            model_name="account",
            name="name_th",
            field=models.CharField(max_length=200, verbose_name="name (Thai)"),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="purchase_order_id",
            field=DomainReference(
                "inventory.PurchaseOrder",
                blank=True,
                help_text="The id of the purchase order in inventory; resolved in code.",
                id_field=models.BigIntegerField(),
                null=True,
                verbose_name="purchase order",
            ),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="supplier_id",
            field=DomainReference(
                "inventory.Company",
                help_text="The id of the company in inventory; resolved in code.",
                id_field=models.BigIntegerField(),
                verbose_name="supplier",
            ),
        ),
    ]
