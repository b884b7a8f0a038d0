"""Labels of the admin forms; the database is not changed."""

from __future__ import annotations

from django.db import migrations, models

from domain_migrations.fields import DomainReference


class Migration(migrations.Migration):
    dependencies = [("hr", "0012_assignment_location")]

    operations = [
        migrations.AlterField(
            model_name="assignment",
            name="location_id",
            field=DomainReference(
                "inventory.Location",
                blank=True,
                help_text="The id of the workplace in inventory; resolved in code.",
                id_field=models.BigIntegerField(),
                null=True,
                verbose_name="location",
            ),
        ),
        migrations.AlterField(
            model_name="employee",
            name="first_name_en",
            field=models.CharField(blank=True, max_length=100, verbose_name="first name (English)"),
        ),
        migrations.AlterField(
            model_name="employee",
            name="first_name_th",
            field=models.CharField(max_length=100, verbose_name="first name (Thai)"),
        ),
        migrations.AlterField(
            model_name="employee",
            name="last_name_en",
            field=models.CharField(blank=True, max_length=100, verbose_name="last name (English)"),
        ),
        migrations.AlterField(
            model_name="employee",
            name="last_name_th",
            field=models.CharField(max_length=100, verbose_name="last name (Thai)"),
        ),
        migrations.AlterField(
            model_name="leavetype",
            name="is_paid",
            field=models.BooleanField(default=True, verbose_name="paid"),
        ),
        migrations.AlterField(
            model_name="leavetype",
            name="name_en",
            field=models.CharField(max_length=100, verbose_name="name (English)"),
        ),
        migrations.AlterField(
            model_name="leavetype",
            name="name_th",
            field=models.CharField(max_length=100, verbose_name="name (Thai)"),
        ),
        migrations.AlterField(
            model_name="position",
            name="is_active",
            field=models.BooleanField(default=True, verbose_name="active"),
        ),
        migrations.AlterField(
            model_name="position",
            name="title_en",
            field=models.CharField(max_length=200, verbose_name="title (English)"),
        ),
        migrations.AlterField(
            model_name="position",
            name="title_th",
            field=models.CharField(max_length=200, verbose_name="title (Thai)"),
        ),
    ]
