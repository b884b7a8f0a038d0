from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, DateRangeField
from django.db import migrations, models


def same_id(field):
    return models.Func(
        models.F(field),
        models.F(field),
        models.Value("[]"),
        function="int8range",
        output_field=BigIntegerRangeField(),
    )


def period():
    return models.Func(
        models.F("starts_on"),
        models.F("ends_on"),
        models.Value("[]"),
        function="daterange",
        output_field=DateRangeField(),
    )


class Migration(migrations.Migration):
    dependencies = [("hr", "0008_validate_periods")]

    operations = [
        migrations.AddConstraint(
            model_name="assignment",
            constraint=ExclusionConstraint(
                name="assignments_no_overlap_excl",
                expressions=[
                    (same_id("employee"), "&&"),
                    (same_id("position"), "&&"),
                    (period(), "&&"),
                ],
                violation_error_message=(
                    "The employee already holds this position in that period."
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="leaverequest",
            constraint=ExclusionConstraint(
                name="leave_requests_no_overlap_excl",
                expressions=[(same_id("employee"), "&&"), (period(), "&&")],
                condition=models.Q(("status__in", ["requested", "approved"])),
                violation_error_message="The employee already has leave in that period.",
            ),
        ),
    ]
