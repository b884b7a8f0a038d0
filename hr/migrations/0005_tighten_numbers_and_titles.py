from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hr", "0004_fill_thai_titles")]

    operations = [
        # Two people may have the same name.
        migrations.RemoveConstraint(model_name="employee", name="employees_name_th_key"),
        migrations.AddConstraint(
            model_name="position",
            constraint=models.CheckConstraint(
                condition=models.Q(("title_th", ""), _negated=True),
                name="positions_title_th_not_blank_check",
            ),
        ),
        migrations.AddConstraint(
            model_name="employee",
            constraint=models.CheckConstraint(
                condition=models.Q(("employee_number__regex", "^[0-9]{6}$")),
                name="employees_number_check",
            ),
        ),
        migrations.RemoveConstraint(
            model_name="leavebalance", name="leave_balances_used_days_check"
        ),
        migrations.AddConstraint(
            model_name="leavebalance",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("used_days__gte", 0), ("used_days__lte", models.F("entitled_days"))
                ),
                name="leave_balances_used_days_check",
            ),
        ),
    ]
