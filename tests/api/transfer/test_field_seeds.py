"""Rows of seeds that give foreign keys by natural keys."""

from __future__ import annotations

from pathlib import Path

from django.apps import apps

from domain_migrations.api.transfer.field_seeds import seeded_keys
from domain_migrations.api.transfer.key_conversions import KeyConversion

REASON = "location is the reference location_id then, which takes ids: write these rows in Python"
PATH = Path(apps.get_app_config("inventory").path) / "seeds"


def _conversion() -> KeyConversion:
    model = apps.get_model("inventory.Department")
    return KeyConversion(model, "location", "location_id", "hr.Location", True)


def test_a_seed_of_the_model_is_found() -> None:
    (found,) = seeded_keys([_conversion()], {})
    assert (found.path.name, found.line, found.reason) == ("900_demo.yaml", 18, REASON)
    assert found.text.endswith("cost_centre: PHARM, location: WH}")


def test_planned_contents_count() -> None:
    path = PATH / "900_demo.yaml"
    moved = PATH.parent.parent / "core/seeds"
    planned = {
        path: None,
        moved / "1_a.yaml": b"Other:\n- {location: A}\n"
        b"Department:\n- {x_location: 1}\n- location: B\n",
        moved / "2_b.json": b'{"core.Department": [\n{"code": "location", "location__code": 1}]}',
        moved / "3_departments.csv": b"# comment\ncode,location__code,name\nA,location,B\n",
        moved / "4_departments.csv": b"code,locations\nlocation,A\n",
        moved / "5_other.csv": b"# model: core.Department\ncode,location\n",
        moved / "6_other.csv": b"code,location\n",
        PATH.parent.parent / "hr/seeds/900_demo.yaml": b"Department:\n- {location: 1}\n",
        moved / "7_departments.py": b"location",
    }
    found = [(each.path.name, each.line) for each in seeded_keys([_conversion()], planned)]
    assert found == [("1_a.yaml", 5), ("2_b.json", 2), ("3_departments.csv", 2), ("5_other.csv", 2)]
