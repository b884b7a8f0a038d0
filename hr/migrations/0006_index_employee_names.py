from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY cannot run inside a transaction.
    atomic = False

    dependencies = [("hr", "0005_tighten_numbers_and_titles")]

    operations = [
        AddIndexConcurrently(
            model_name="employee",
            index=models.Index(
                fields=["last_name_th", "first_name_th"], name="employees_name_th_idx"
            ),
        ),
    ]
