"""Parts that the admin pages of all apps share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest

from .models import User

Row = TypeVar("Row", bound=Model)


class StatusForm(ModelForm):
    """A form that validates the constraints on a status, although the field is read-only.

    Django excludes read-only fields from validation. It then skips unique constraints whose
    condition refers to them, and fails to evaluate such exclusion constraints.
    """

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded - {"status"}


class ReadOnlyAdmin(admin.ModelAdmin):
    """Pages for rows that only a service or the database writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def acting_user(request: HttpRequest) -> User:
    """Return the user of a request to the admin, which nobody reaches without signing in."""
    return cast("User", request.user)


def run_service(
    page: admin.ModelAdmin[Any],
    request: HttpRequest,
    rows: Iterable[Row],
    service: Callable[[Row], object],
    *,
    done: str,
) -> None:
    """Call a service for each selected row, and show its errors and the number of successes."""
    succeeded = 0
    for row in rows:
        try:
            service(row)
        except ValidationError as error:
            page.message_user(request, " ".join(error.messages), messages.ERROR)
        else:
            succeeded += 1
    if succeeded:
        page.message_user(request, f"{succeeded} {done}.", messages.SUCCESS)
