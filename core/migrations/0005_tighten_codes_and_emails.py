from __future__ import annotations

import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0004_roles_expire")]

    operations = [
        migrations.AlterField(
            model_name="costcentre",
            name="code",
            field=models.CharField(
                help_text="Capital letters, digits and single hyphens: PHARM-01.", max_length=20
            ),
        ),
        migrations.AddConstraint(
            model_name="costcentre",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^[A-Z0-9]+(-[A-Z0-9]+)*$")),
                name="cost_centres_code_check",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"),
                condition=models.Q(("email", ""), _negated=True),
                name="users_email_lower_key",
            ),
        ),
    ]
