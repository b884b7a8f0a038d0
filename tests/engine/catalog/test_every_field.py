"""No drift after a history with every kind of field."""

from __future__ import annotations

import pytest
from django.db import connection

from domain_migrations.engine.catalog.drift import find_drift
from tests.engine.catalog import every_field, lab_models


@pytest.mark.usefixtures("scratch_database")
def test_nothing_that_django_makes_is_drift():
    """Also after changes that leave an earlier name or index."""
    with connection.cursor() as cursor:
        cursor.execute(
            'CREATE TABLE "All Things" (decoy text); CREATE INDEX x1 ON "All Things" (decoy)'
        )
    operations = list(every_field.OPERATIONS)
    if getattr(connection.features, "supports_virtual_generated_columns", False):
        operations.append(every_field.VIRTUAL)
    state = lab_models.apply(("lab", operations))
    assert find_drift(connection, lab_models.LAB, state) == ()
