"""All standard drug codes have 24 digits, so the check of their length is no longer needed."""

from __future__ import annotations

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

DROP_CHECK = "ALTER TABLE inventory.drugs DROP CONSTRAINT drugs_standard_code_check"
ADD_CHECK_NOT_VALID = (
    "ALTER TABLE inventory.drugs ADD CONSTRAINT drugs_standard_code_check"
    " CHECK (standard_code::text ~ '^[0-9]{24}$') NOT VALID"
)


class Migration(migrations.Migration):
    dependencies = [("inventory", "0014_check_standard_codes")]

    operations = [
        ValidateConstraint(model_name="drug", name="drugs_standard_code_check"),
        # Reversing ValidateConstraint does nothing, so the constraint would stay valid.
        migrations.RunSQL(
            sql=migrations.RunSQL.noop, reverse_sql=[DROP_CHECK, ADD_CHECK_NOT_VALID]
        ),
        migrations.RemoveConstraint(model_name="drug", name="drugs_standard_code_length_check"),
    ]
