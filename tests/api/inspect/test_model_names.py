"""Names of models and fields."""

from __future__ import annotations

import pytest

from domain_migrations.api.inspect.model_names import ClassNames, field_name, singular


@pytest.mark.parametrize(
    ("plural", "expected"),
    [
        ("items", "item"),
        ("categories", "category"),
        ("addresses", "address"),
        ("statuses", "status"),
        ("warehouses", "warehouse"),
        ("clauses", "clause"),
        ("boxes", "box"),
        ("batches", "batch"),
        ("people", "person"),
        ("analyses", "analysis"),
        ("series", "series"),
        ("status", "status"),
        ("address", "address"),
        ("gas", "gas"),
        ("gases", "gas"),
        ("buses", "bus"),
        ("causes", "cause"),
        ("diseases", "disease"),
        ("doses", "dose"),
        ("diagnoses", "diagnosis"),
        ("hypotheses", "hypothesis"),
        ("menus", "menu"),
        ("goods", "goods"),
        ("ids", "id"),
        ("ยา", "ยา"),
    ],
)
def test_singular(plural, expected):
    assert singular(plural) == expected


def test_plurals_become_singular_where_tables_have_them():
    names = ClassNames(["users", "user_roles", "news", "orderLines"])
    assert [names.add(name) for name in ("users", "user_roles", "news", "orderLines")] == [
        "User",
        "UserRole",
        "News",
        "OrderLine",
    ]


@pytest.mark.parametrize(
    "tables", [["kunde", "preis", "kurs", "artikel"], ["siswa", "kelas", "guru", "tugas", "nilai"]]
)
def test_other_languages_are_left_alone(tables):
    names = ClassNames(tables)
    assert [names.add(name) for name in tables] == [name.capitalize() for name in tables]


def test_no_two_classes_have_one_name():
    names = ClassNames(["user_role", "UserRole", "userrole", "warning"], {"SQL"})
    found = [names.add(name) for name in ("user_role", "UserRole", "userrole", "warning", "sql")]
    assert found == ["UserRole", "UserRole2", "Userrole3", "WarningRecord", "SqlRecord"]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("createdAt", "created_at"),
        ("HTTPStatus", "http_status"),
        ("class", "class_field"),
        ("objects", "objects_field"),
        ("a__b_", "a_b"),
        ("2fa", "field_2fa"),
        ("ราคา", "ราคา"),
        ("ชื่อผู้ป่วย", "ชื่อผู้ป่วย"),
        ("❤️", "field"),
        ("--", "field"),
        ("id", "id"),
    ],
)
def test_field_name(column, expected):
    assert field_name(column) == expected
