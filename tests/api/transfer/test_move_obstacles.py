"""Moves that are refused before anything is edited, and names that are not found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.apps import apps

from domain_migrations.api.transfer.named_parts import app_named, model_named
from domain_migrations.exceptions import UnknownDomain, UnknownModel
from tests.support.projects import Project, domain_app, plain_app, write_project

LAB = """
class Kit(models.Model):
    class Meta:
        db_table = '"lab"."kits"'

class Old(Kit):
    class Meta:
        proxy = True

class View(models.Model):
    class Meta:
        managed = False
        db_table = '"lab"."view"'

class Swapped(models.Model):
    others = models.ManyToManyField(Kit, db_table='"lab"."swapped_others"')
    class Meta:
        swappable = "LAB_SWAPPED"
        db_table = '"lab"."swapped"'
"""
SHOP = """
class Kit(models.Model):
    class Meta:
        db_table = "kits"

class Bare(models.Model):
    class Meta:
        db_table = "bare"

class Loose(models.Model):
    class Meta:
        db_table = "loose"
"""
MORE = """
class Kit(models.Model):
    class Meta:
        db_table = '"lab"."more_kits"'

class Bare(models.Model):
    class Meta:
        db_table = '"lab"."bare"'
"""
WARDS = """
class Thing(models.Model):
    class Meta:
        db_table = '"wards"."{}"'
"""
FIRST = """
class Migration(migrations.Migration):
    dependencies = []
    operations = []
"""
APPS = {
    "lab": domain_app("lab", models=LAB, migrations={"0001_initial": FIRST}),
    "lab_more": domain_app("lab_more", domain="lab", schema="lab", models=MORE),
    "shop": plain_app(models=SHOP, migrations={"0001_a": FIRST, "0001_b": FIRST}),
    "far": domain_app("far", migrations={"0001_initial": FIRST}),
    "silent": domain_app("silent"),
    "beds": domain_app("beds", domain="wards", models=WARDS.format("beds")),
    "rooms": domain_app("rooms", domain="wards", models=WARDS.format("rooms")),
    "bills": domain_app("bills", domain="money", models=WARDS.format("bills")),
    "void": domain_app("void", domain="nothing"),
}
SCRIPT = """
import json, sys
import django
django.setup()
from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from domain_migrations.api.transfer.model_move import plan_move
from domain_migrations.api.transfer.move_obstacles import move_obstacles
from domain_migrations.api.transfer.named_parts import app_named
from domain_migrations.exceptions import UnknownDomain

loader = MigrationLoader(None, ignore_no_migrations=True)
found = {}
for model, target in json.loads(sys.argv[1]):
    move = plan_move(apps.get_model(model), apps.get_app_config(target))
    found[f"{model} {target}"] = [[b.message, b.hint] for b in move_obstacles(move, loader, [])]
for domain in ("core", "lab", "wards", "money", "nothing"):
    try:
        found[domain] = app_named(domain).label
    except UnknownDomain as exc:
        found[domain] = [exc.message, exc.hint]
print(json.dumps(found))
"""
WITHIN = (
    "Within a domain no table moves: move the class by hand, keep its db_table, and write"
    " SeparateDatabaseAndState(state_operations=[…]) in a migration of both apps."
)
STAYS = "Leave it where it is."
EXPECTED = {
    "lab.Kit lab": [["lab.Kit is in the app lab already.", "Name another app."]],
    "lab.Kit lab_more": [
        ['lab and lab_more both belong to the domain "lab".', WITHIN],
        [
            "The app lab_more has a model Kit already.",
            "Rename one of both, and migrate, before.",
        ],
    ],
    "lab.Kit shop": [
        [
            "The app shop has a model Kit already.",
            "Rename one of both, and migrate, before.",
        ],
        [
            "The table public.kits is that of shop.Kit already.",
            "Give it or lab.Kit another db_table, and migrate, before.",
        ],
    ],
    "lab.Kit auth": [
        [
            "The app auth is an installed package, which cannot be edited.",
            "Copy the app into the project first, or leave the model where it is.",
        ],
        [
            "The table public.kits is that of shop.Kit already.",
            "Give it or lab.Kit another db_table, and migrate, before.",
        ],
    ],
    "lab.Kit far": [
        [
            'The domain "lab" is in the database "default", and "far" in "other".',
            "A table moves within one database; copy its rows by hand.",
        ],
    ],
    "auth.User lab": [
        [
            "The app auth is an installed package, which cannot be edited.",
            "Copy the app into the project first, or leave the model where it is.",
        ],
        [
            "auth.User is the AUTH_USER_MODEL, whose migrations Django wants to be the first.",
            STAYS,
        ],
    ],
    "lab.Old silent": [["lab.Old is a proxy, which has no table.", "Move its class by hand."]],
    "lab.View silent": [
        [
            "lab.View has managed = False: its table is not the migrations' to move.",
            "Move its class and its table by hand.",
        ]
    ],
    "lab.Swapped silent": [["lab.Swapped can be swapped by the setting LAB_SWAPPED.", STAYS]],
    "lab.Swapped_others silent": [
        [
            "lab.Swapped_others is the automatic table of a many-to-many field.",
            "It moves with the model that has the field: lab.Swapped.",
        ]
    ],
    "shop.Loose lab": [
        [
            "The migrations of shop have several leaves: 0001_a, 0001_b.",
            "Run: manage.py makemigrations --merge shop",
        ]
    ],
    "lab_more.Bare shop": [
        [
            "The table public.bare is that of shop.Bare already.",
            "Give it or lab_more.Bare another db_table, and migrate, before.",
        ],
        [
            "The app shop has a model Bare already.",
            "Rename one of both, and migrate, before.",
        ],
    ],
    "lab_more.Bare silent": [
        [
            "The app lab_more has no migrations.",
            "Run: manage.py makemigrations lab_more",
        ]
    ],
    "core": "shop",
    "lab": "lab",
    "wards": [
        'The domain "wards" has several apps with models: beds, rooms.',
        "Give the label of the app that gets the model.",
    ],
    "money": "bills",
    "nothing": [
        'The domain "nothing" has no app with models.',
        "Give the label of the app that gets the model.",
    ],
}


def _project(path: Path) -> Project:
    others = {"ENGINE": "domain_migrations.backends.postgresql", "NAME": "unused"}
    return write_project(
        path,
        APPS,
        database={"NAME": "unused"},
        settings={
            "DATABASES": {"default": others, "other": others},
            "DOMAIN_MIGRATIONS": {"DATABASES": {"far": "other"}},
        },
    )


def test_each_obstacle_is_a_sentence(tmp_path: Path) -> None:
    pairs = [name.split() for name in EXPECTED if " " in name]
    output = _project(tmp_path / "project").python("-c", SCRIPT, json.dumps(pairs))
    found = json.loads(output)
    assert {name: sorted(value) for name, value in found.items()} == {
        name: sorted(value) for name, value in EXPECTED.items()
    }


def test_names() -> None:
    assert model_named("inventory.company") is apps.get_model("inventory.Company")
    assert app_named("core") is apps.get_app_config("core")
    assert app_named("hr") is apps.get_app_config("hr")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "company",
            '"company" is not the label of a model. Did you mean "inventory.Company"?'
            " Give it as APP.Model.",
        ),
        (
            "inventory.Compny",
            'There is no model "inventory.Compny". Did you mean "inventory.Company"?',
        ),
        ("x.y", 'There is no model "x.y".'),
    ],
)
def test_a_model_that_is_not_there(name: str, message: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        model_named(name)
    assert caught.value.full_message == message
    assert caught.value.exit_status == 2


def test_an_app_that_is_not_there() -> None:
    with pytest.raises(UnknownDomain) as caught:
        app_named("finanse")
    assert caught.value.full_message == (
        'There is no app and no domain "finanse". Did you mean "finance"?'
        " The domains are core, inventory, hr, finance."
    )
    assert caught.value.exit_status == 2
