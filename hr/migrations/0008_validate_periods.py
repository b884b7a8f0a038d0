from __future__ import annotations

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    # A migration of its own: validation scans the table, and blocks no writes only after the
    # previous migration has released its stronger lock.
    dependencies = [("hr", "0007_periods_not_valid")]

    operations = [
        ValidateConstraint(model_name="assignment", name="assignments_period_check"),
        ValidateConstraint(model_name="leaverequest", name="leave_requests_period_check"),
    ]
