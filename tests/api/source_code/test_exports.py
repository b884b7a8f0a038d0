"""The names in a module's ``__all__``, edited in the form that they have."""

from __future__ import annotations

import pytest

from domain_migrations.api.source_code.exports import add_exports, remove_exports
from domain_migrations.api.source_code.module_source import ModuleSource
from domain_migrations.api.source_code.source_style import Style

STYLE = Style(line_length=30)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('["Bed", "Room"]', '["Bed"]'),
        ('("Bed", "Room")', '("Bed",)'),
        ('("Bed", "Room", "Ward")', '("Bed", "Ward")'),
        ('"Bed", "Room"', '("Bed",)'),
        ('(\n    "Bed",\n    "Room",\n)', '(\n    "Bed",\n)'),
        ('("Room",)', "()"),
        ('("Ward",)', '("Ward",)'),
        ("()", "()"),
    ],
)
def test_a_name_is_removed(before: str, after: str) -> None:
    source = ModuleSource(f"__all__ = {before}\n".encode(), "ward.models", is_package=True)
    remove_exports(source, {"Room"}, STYLE)
    assert source.edited_text() == f"__all__ = {after}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('["Ward"]', '["Room", "Ward"]'),
        ('("Ward",)', '("Room", "Ward")'),
        ("()", '("Room",)'),
        ("[]", '["Room"]'),
        ('("Bed", "Ward")', '(\n    "Bed",\n    "Room",\n    "Ward",\n)'),
        ('(\n    "Bed",  # (one)\n)', '(\n    "Bed", "Room",  # (one)\n)'),
    ],
)
def test_a_name_is_added(before: str, after: str) -> None:
    source = ModuleSource(f"__all__ = {before}\n".encode(), "ward.models", is_package=True)
    add_exports(source, ["Room"], STYLE)
    assert source.edited_text() == f"__all__ = {after}\n"
