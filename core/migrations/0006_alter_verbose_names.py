"""Labels of the admin forms; the database is not changed."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0005_tighten_codes_and_emails")]

    operations = [
        migrations.AlterField(
            model_name="costcentre",
            name="is_active",
            field=models.BooleanField(default=True, verbose_name="active"),
        ),
        migrations.AlterField(
            model_name="costcentre",
            name="name_en",
            field=models.CharField(max_length=200, verbose_name="name (English)"),
        ),
        migrations.AlterField(
            model_name="costcentre",
            name="name_th",
            field=models.CharField(max_length=200, verbose_name="name (Thai)"),
        ),
        migrations.AlterField(
            model_name="userrole",
            name="expires_at",
            field=models.DateTimeField(
                blank=True, help_text="Empty for a role that does not expire.", null=True
            ),
        ),
    ]
