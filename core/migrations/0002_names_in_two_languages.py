from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.RenameField(model_name="costcentre", old_name="name", new_name="name_en"),
        migrations.AddField(
            model_name="costcentre",
            name="name_th",
            field=models.CharField(default="", max_length=200),
            preserve_default=False,
        ),
    ]
