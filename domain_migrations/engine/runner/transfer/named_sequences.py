"""Sequences that defaults name as a text, which is looked up whenever a row is inserted."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from ....exceptions import InvalidConfiguration
from ...messages import shortened
from ..adoption.functions import SchemaMove, renamed_objects, text_defaults
from ..adoption.objects import MovedObject


def check_defaults(
    connection: BaseDatabaseWrapper, transfer: SchemaMove, objects: Sequence[MovedObject]
) -> None:
    """Refuse a transfer after which a default would not find its sequence.

    Raises:
        InvalidConfiguration: with the columns.
    """
    if columns := text_defaults(connection, renamed_objects(connection, transfer, objects)):
        raise InvalidConfiguration(
            f"{transfer} cannot begin: the default of {shortened(list(columns))} names a sequence"
            " as a text, which is not found in its new schema.",
            hint="In a migration before: ALTER TABLE … ALTER COLUMN … SET DEFAULT"
            " nextval('…'::regclass). Nothing was changed.",
        )
