"""All standard drug codes have 24 digits, so the check of their length is no longer needed."""

from __future__ import annotations

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("inventory", "0014_check_standard_codes")]

    operations = [
        ValidateConstraint(model_name="drug", name="drugs_standard_code_check"),
        migrations.RemoveConstraint(model_name="drug", name="drugs_standard_code_length_check"),
    ]
