from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("finance", "0004_fill_thai_names")]

    operations = [
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("name_th", ""), _negated=True),
                name="accounts_name_th_not_blank_check",
            ),
        ),
        # An invoice that was cancelled may be entered again.
        migrations.RemoveConstraint(model_name="invoice", name="invoices_supplier_reference_key"),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "cancelled"), _negated=True),
                fields=("supplier_id", "supplier_reference"),
                name="invoices_supplier_reference_key",
                violation_error_message="This invoice of the supplier is entered already.",
            ),
        ),
    ]
