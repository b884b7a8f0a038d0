"""Conversions between packs and units of issue, and fiscal years."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from inventory.fiscal import fiscal_year_of, quarter_of
from inventory.models import DrugUnit, PackRatio
from inventory.selectors.packs import (
    pack_ratio_default,
    pack_ratio_packs,
    pack_ratio_packs_to_cover,
    pack_ratio_unit_cost,
    pack_ratio_units,
)
from tests.inventory.factories import Pharmacy

BOX = PackRatio(pack_unit=DrugUnit(code="BOX", name="box"), units_per_pack=30)


def test_packs_become_units_and_units_packs() -> None:
    assert pack_ratio_units(pack_ratio=BOX, packs=4) == 120
    assert pack_ratio_packs(pack_ratio=BOX, units=120) == 4


def test_a_broken_pack_is_refused() -> None:
    with pytest.raises(ValidationError) as raised:
        pack_ratio_packs(pack_ratio=BOX, units=121)
    assert raised.value.messages == ["121 units are 4 packs (box of 30) and 1 units."]


@pytest.mark.parametrize(("units", "packs"), [(0, 0), (1, 1), (30, 1), (31, 2)])
def test_packs_to_cover_rounds_up(units: int, packs: int) -> None:
    assert pack_ratio_packs_to_cover(pack_ratio=BOX, units=units) == packs


def test_unit_cost_keeps_four_places() -> None:
    assert pack_ratio_unit_cost(pack_ratio=BOX, pack_price=Decimal(100)) == Decimal("3.3333")


def test_default_pack_ratio_is_the_usual_pack(pharmacy: Pharmacy) -> None:
    assert pack_ratio_default(drug=pharmacy.drug) == pharmacy.box
    pharmacy.drug.pack_ratios.update(is_default=False)
    assert pack_ratio_default(drug=pharmacy.drug) is None


@pytest.mark.parametrize(
    ("day", "year", "quarter"),
    [
        ("2026-09-30", 2569, 4),
        ("2026-10-01", 2570, 1),
        ("2026-12-31", 2570, 1),
        ("2027-01-01", 2570, 2),
        ("2027-04-01", 2570, 3),
    ],
)
def test_the_fiscal_year_begins_in_october(day: str, year: int, quarter: int) -> None:
    date = datetime.date.fromisoformat(day)
    assert (fiscal_year_of(date), quarter_of(date)) == (year, quarter)
