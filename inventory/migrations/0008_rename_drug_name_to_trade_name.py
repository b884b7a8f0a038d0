"""A drug's name is the trade name; the generic has the other one."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0007_budget_requests")]

    operations = [
        migrations.RenameField(model_name="drug", old_name="drug_name", new_name="trade_name"),
        migrations.AlterField(
            model_name="drug",
            name="trade_name",
            field=models.CharField(max_length=255, verbose_name="trade name"),
        ),
        migrations.AlterModelOptions(
            name="drug",
            options={
                "ordering": ["trade_name"],
                "verbose_name": "drug",
                "verbose_name_plural": "drugs",
            },
        ),
    ]
