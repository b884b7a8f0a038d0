from __future__ import annotations

from django.db import migrations, models

from domain_migrations.fields import DomainReference


class Migration(migrations.Migration):
    dependencies = [("hr", "0011_leave_within_employment")]

    operations = [
        # The id of a row of another domain: stored without a foreign key, resolved in code.
        migrations.AddField(
            model_name="assignment",
            name="location_id",
            field=DomainReference(
                "inventory.Location",
                id_field=models.BigIntegerField(),
                blank=True,
                help_text="Where the work is done: the id of a location of inventory.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="assignment",
            index=models.Index(fields=["location_id"], name="assignments_location_id_idx"),
        ),
    ]
