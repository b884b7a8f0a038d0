"""The architecture page: its picture follows the import contracts, its paths exist."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType

import pytest

from tests.support.commands import ROOT

PAGE = (ROOT / "docs/explanation/architecture.md").read_text()
PATHS = sorted(set(re.findall(r"`((?:\w+/)*\w+\.py|(?:\w+/)+)`", PAGE)))


@pytest.fixture(scope="module")
def rooms() -> ModuleType:
    """`docs/rooms.py`, which is a script beside Sphinx's settings and in no package."""
    spec = importlib.util.spec_from_file_location("rooms", ROOT / "docs/rooms.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_picture_follows_the_import_contracts(rooms: ModuleType) -> None:
    assert rooms.PICTURE.read_text() == rooms.svg(), "Run: python docs/rooms.py"


def test_every_room_is_on_disk_and_every_package_in_the_contracts(rooms: ModuleType) -> None:
    engine = ROOT / "domain_migrations"
    contracts = rooms.layers()
    for folder, layers in ((engine, contracts["layers"]), (engine / "engine", contracts["rooms"])):
        named = {module for layer in layers for module in layer}
        found = {
            path.stem
            for path in folder.iterdir()
            if path.stem != "__init__" and (path.suffix == ".py" or (path / "__init__.py").exists())
        }
        assert named == found


def test_every_step_is_in_a_room(rooms: ModuleType) -> None:
    named = {module for layers in rooms.layers().values() for layer in layers for module in layer}
    assert rooms.STEPS.keys() <= named
    steps = re.findall(r"\d", " ".join(rooms.STEPS.values()))
    assert sorted(steps) == re.findall(r"^(\d)\. ", PAGE, flags=re.MULTILINE)


@pytest.mark.parametrize("path", PATHS)
def test_every_path_exists(path: str) -> None:
    assert any((ROOT / base / path).exists() for base in ("", "domain_migrations"))
