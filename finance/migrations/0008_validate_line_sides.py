from __future__ import annotations

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    # Its own migration: validating scans the table, and does so without blocking writes only
    # when the stronger lock of the migration before is not held any more.
    dependencies = [("finance", "0007_line_sides_not_valid")]

    operations = [
        ValidateConstraint(model_name="journalline", name="journal_lines_one_side_check"),
        ValidateConstraint(model_name="invoice", name="invoices_approved_is_posted_check"),
    ]
