from __future__ import annotations

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("finance", "0006_index_lines_by_account")]

    operations = [
        AddConstraintNotValid(
            model_name="journalline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("credit", 0), ("debit__gt", 0)),
                    models.Q(("credit__gt", 0), ("debit", 0)),
                    _connector="OR",
                ),
                name="journal_lines_one_side_check",
                violation_error_message="A line has a debit or a credit, and it is positive.",
            ),
        ),
        AddConstraintNotValid(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["draft", "cancelled"]),
                    ("journal__isnull", False),
                    _connector="OR",
                ),
                name="invoices_approved_is_posted_check",
            ),
        ),
    ]
