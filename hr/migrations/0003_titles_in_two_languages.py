from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hr", "0002_leave")]

    operations = [
        migrations.RenameField(model_name="position", old_name="name", new_name="title_en"),
        migrations.AddField(
            model_name="position",
            name="title_th",
            field=models.CharField(default="", max_length=200),
            preserve_default=False,
        ),
    ]
