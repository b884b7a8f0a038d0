from __future__ import annotations

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    # A migration of its own: validation scans the table, and blocks no writes only after the
    # previous migration has released its stronger lock.
    dependencies = [("finance", "0007_line_sides_not_valid")]

    operations = [
        ValidateConstraint(model_name="journalline", name="journal_lines_one_side_check"),
        ValidateConstraint(model_name="invoice", name="invoices_approved_is_posted_check"),
    ]
