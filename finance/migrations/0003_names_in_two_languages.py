from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("finance", "0002_invoices")]

    operations = [
        migrations.RenameField(model_name="account", old_name="name", new_name="name_en"),
        migrations.AddField(
            model_name="account",
            name="name_th",
            field=models.CharField(default="", max_length=200),
            preserve_default=False,
        ),
        migrations.RenameField(model_name="journal", old_name="narration", new_name="description"),
    ]
