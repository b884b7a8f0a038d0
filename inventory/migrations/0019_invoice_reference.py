"""Says that a receipt's invoice is finance's; the column stays as it is."""

from __future__ import annotations

from django.db import migrations, models

from domain_migrations.fields import DomainReference


class Migration(migrations.Migration):
    dependencies = [("inventory", "0018_audit_budget_requests")]

    operations = [
        migrations.AlterField(
            model_name="receipt",
            name="finance_invoice_id",
            field=DomainReference(
                "finance.Invoice",
                blank=True,
                help_text="The id of the vendor's invoice in finance; resolved in code.",
                id_field=models.BigIntegerField(),
                null=True,
                verbose_name="invoice",
            ),
        ),
    ]
