from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY cannot run inside a transaction.
    atomic = False

    dependencies = [("finance", "0005_tighten_names_and_references")]

    operations = [
        AddIndexConcurrently(
            model_name="journalline",
            index=models.Index(
                fields=["account", "journal"],
                include=("debit", "credit"),
                name="journal_lines_account_idx",
            ),
        ),
    ]
