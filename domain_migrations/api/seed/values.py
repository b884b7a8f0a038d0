"""The conversion of one value of a file into one for the database, with all checks of its field."""

from __future__ import annotations

import datetime
import json
import math
import sys
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    BooleanField,
    CharField,
    DateTimeField,
    Field,
    FloatField,
    JSONField,
    TextField,
)
from django.utils import timezone

from .columns import AnyField
from .document import MISSING, SHOWN, PlainScalar

BOOLEAN_WORDS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
    "": None,
}

MOST_DIGITS = 131_072
"""Digits before the decimal point that PostgreSQL's ``numeric`` can have."""

REMEMBERED = 1000
"""Values of a column that are converted once."""

Converter = Callable[[Any], Any]


class InvalidValue(Exception):
    """A value is not valid for its column."""


def can_be_left_out(field: AnyField) -> bool:
    """Return whether a row may leave the column out."""
    return field.has_default() or field.null or (field.blank and field.empty_strings_allowed)


def converter(
    field: AnyField, connection: BaseDatabaseWrapper, *, required: bool, is_text: bool = False
) -> Converter:
    """Return the function that converts a file's value for the database, or raises InvalidValue.

    Arguments:
        required: whether the value is part of a natural key, which cannot be empty.
        is_text: whether all values of the file are text, so that JSON is parsed from it.
    """
    read = _reader(field, is_text=is_text)
    clean, prepare = field.clean, field.get_db_prep_save
    aware = isinstance(field, DateTimeField) and settings.USE_TZ
    has_default = field.has_default() or not field.has_db_default()

    def convert(value: Any) -> Any:
        try:
            if value is MISSING:
                if not (can_be_left_out(field) and has_default):
                    raise InvalidValue("it has no default, so every row has to have it.")
                value = field.get_default()
            elif value is not None:
                _check_size(value)
                value = read(value)
            if value is None:
                if required or not field.null:
                    raise InvalidValue("it cannot be empty.")
                return None
            if required and value == "":
                raise InvalidValue("it cannot be empty.")
            # There is no instance: a value alone has no other fields to validate it against.
            value = clean(value, None)
            if aware and isinstance(value, datetime.datetime) and timezone.is_naive(value):
                value = timezone.make_aware(value)
            return prepare(value, connection)
        except ValidationError as exc:
            raise InvalidValue(" ".join(map(str, exc.messages))) from exc
        except (ValueError, TypeError, InvalidOperation, OverflowError) as exc:
            raise InvalidValue(f"{str(exc) or type(exc).__name__}.") from exc

    longest = _longest_plain_text(field)
    if longest is not None:

        def convert_text(value: Any) -> Any:
            return value if type(value) is str and 0 < len(value) <= longest else convert(value)

        return convert_text
    return _remembering(convert) if type(field).__module__ == Field.__module__ else convert


def _longest_plain_text(field: AnyField) -> int | None:
    """Return how long a text may be that is kept as it is; None if more has to be checked."""
    if type(field) not in (CharField, TextField) or field.choices:
        return None
    longest = sys.maxsize
    for validator in field.validators:
        limit = getattr(validator, "limit_value", None)
        if type(validator) is not MaxLengthValidator or not isinstance(limit, int):
            return None
        longest = min(longest, limit)
    return longest


def _remembering(convert: Converter) -> Converter:
    """Return the function for a column whose values may be few."""
    known: dict[str, Any] = {}

    def convert_or_remember(value: Any) -> Any:
        if type(value) is not str:
            return convert(value)
        if value in known:
            return known[value]
        converted = convert(value)
        if len(known) < REMEMBERED:
            known[value] = converted
        return converted

    return convert_or_remember


def _reader(field: AnyField, *, is_text: bool) -> Converter:
    """Return the function that prepares a value for the field's own conversion."""
    if isinstance(field, JSONField):
        return (lambda text: json.loads(text) if text else None) if is_text else _json
    if isinstance(field, FloatField):
        return _float
    if isinstance(field, BooleanField):
        return _boolean
    if isinstance(field, CharField | TextField):
        return (lambda value: _not_empty(_text(value))) if field.null else _text
    if field.empty_strings_allowed and not field.null:
        return _plain
    return _not_empty


def _check_size(value: Any) -> None:
    """Refuse a number with more digits than the server takes, which would fill the memory."""
    if isinstance(value, Decimal):
        if value.is_finite() and abs(value.adjusted()) > MOST_DIGITS:
            raise InvalidValue(f"{str(value)[:SHOWN]} is too large or too small a number.")
    elif isinstance(value, list):
        for item in value:
            _check_size(item)


def _float(value: Any) -> Any:
    """Refuse a number that Python would make infinite."""
    value = _not_empty(value)
    if isinstance(value, str | Decimal | int) and any(map(str.isdigit, str(value))):
        with suppress(ValueError):  # The field's own error is better.
            if math.isinf(float(value)):
                raise InvalidValue(f"{str(value)[:SHOWN]} is too large a number.")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, bool | dict):
        raise InvalidValue(f"{value!r} is not text.")
    return value


def _text(value: Any) -> Any:
    """Refuse a list, of which Django would store Python's spelling."""
    if isinstance(value, list | tuple):
        raise InvalidValue("a list is not text.")
    return _plain(value)


def _not_empty(value: Any) -> Any:
    """Return null for an empty cell."""
    return None if isinstance(value, str) and value == "" else value


def _boolean(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.lower() not in BOOLEAN_WORDS:
        raise InvalidValue(f'"{value}" is neither true nor false.')
    return BOOLEAN_WORDS[value.lower()]


def _json(value: Any) -> Any:
    if isinstance(value, PlainScalar):
        value = value.typed
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, Decimal):
        _check_size(value)
        return int(value) if value == value.to_integral_value() else float(value)
    return value
