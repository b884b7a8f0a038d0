"""A standard drug code has 24 digits, not 24 characters; for new rows at once."""

from __future__ import annotations

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0013_index_trade_names")]

    operations = [
        AddConstraintNotValid(
            model_name="drug",
            constraint=models.CheckConstraint(
                condition=models.Q(standard_code__regex="^[0-9]{24}$"),
                name="drugs_standard_code_check",
                violation_error_message="A standard drug code has 24 digits.",
            ),
        ),
    ]
