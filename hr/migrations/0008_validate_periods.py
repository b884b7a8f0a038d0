from __future__ import annotations

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    # Its own migration: validating scans the table, and does so without blocking writes only
    # when the stronger lock of the migration before is not held any more.
    dependencies = [("hr", "0007_periods_not_valid")]

    operations = [
        ValidateConstraint(model_name="assignment", name="assignments_period_check"),
        ValidateConstraint(model_name="leaverequest", name="leave_requests_period_check"),
    ]
