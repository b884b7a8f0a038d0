"""Classes of choices for enum types and for the values that a CHECK lists."""

from __future__ import annotations

from django.db import models

from domain_migrations.api.inspect.model_choices import ChoicesNames, enumeration

VALUES = ["in_stock", "inStock", "2nd", "it's", "", "None", "50%", "จ(1)", "ก", "ร" * 21, "a" * 63]


def written(name: str, values: list[str]) -> type[models.TextChoices]:
    module: dict[str, type[models.TextChoices]] = {}
    exec("\n".join(enumeration(name, values)), {"models": models}, module)  # noqa: S102 (what the engine has written)
    return module[name]


def test_every_value_is_a_member() -> None:
    found = written("State", VALUES)
    assert found.values == VALUES
    assert [(item.name, item.label) for item in found] == [
        ("IN_STOCK", "In Stock"),
        ("IN_STOCK_2", "In Stock 2"),
        ("VALUE_2ND", "2nd"),
        ("IT_S", "it's"),
        ("BLANK", ""),
        ("NONE", "None"),
        ("VALUE_50", "50%"),
        ("จ_1", "จ(1)"),
        ("ก", "ก"),
        ("ร" * 21, "ร" * 21),
        ("A" * 63, "A" + "a" * 62),
    ]


def test_plain_values_need_no_label() -> None:
    assert list(enumeration("State", ["new", "on-hold", "50%"], 1)) == [
        "    class State(models.TextChoices):",
        '        NEW = "new"',
        '        ON_HOLD = "on-hold"',
        '        VALUE_50 = "50%", "50%"',
    ]


def test_no_name_is_taken_twice() -> None:
    names = ChoicesNames(["Drug", "DrugStatus"])
    types = ("drug_status_enum", "poStatus", "enum", "2nd", "drug_status")
    assert [names.of_type(name) for name in types] == [
        "DrugStatusChoices",
        "PoStatus",
        "Enum",
        "Choices2nd",
        "DrugStatusChoices2",
    ]
    columns = ("state", "drug", "meta", "--")
    assert [names.of_column(name, {"meta", "State2"}) for name in columns] == [
        "State",
        "DrugChoices",
        "MetaChoices",
        "Choices",
    ]
