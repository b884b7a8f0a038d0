from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0003_fill_thai_names")]

    operations = [
        migrations.AddField(
            model_name="userrole",
            name="expires_at",
            field=models.DateTimeField(
                blank=True, help_text="Empty: until it is taken back.", null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="userrole",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expires_at__isnull", True),
                    ("expires_at__gt", models.F("granted_at")),
                    _connector="OR",
                ),
                name="user_roles_period_check",
            ),
        ),
    ]
