"""What a move changes: the labels, and the names of the tables."""

from __future__ import annotations

from django.apps import apps
from django.db import models
from django.test.utils import isolate_apps

from domain_migrations.api.transfer.model_move import plan_move
from inventory.models import Company


def test_a_move_to_core() -> None:
    move = plan_move(Company, apps.get_app_config("core"))
    assert (move.old_label, move.new_label) == ("inventory.Company", "core.Company")
    assert (move.source_domain.name, move.target_domain.name) == ("inventory", "core")
    assert move.source is apps.get_app_config("inventory")
    assert move.tables == {'"inventory"."companies"': "companies"}
    assert move.new_table == "companies"


def test_a_move_to_a_domain() -> None:
    move = plan_move(apps.get_model("core.CostCentre"), apps.get_app_config("hr"))
    assert move.tables == {"cost_centres": '"hr"."cost_centres"'}


def _model(name: str, **fields: models.Field) -> type[models.Model]:
    meta = type(
        "Meta", (), {"app_label": "inventory", "db_table": f'"inventory"."{name.lower()}s"'}
    )
    return type(name, (models.Model,), {"__module__": __name__, "Meta": meta, **fields})


@isolate_apps("inventory")
def test_automatic_tables_move_too() -> None:
    tag = _model("Tag")
    item = _model(
        "Item",
        tags=models.ManyToManyField(tag),
        others=models.ManyToManyField(tag, db_table='"inventory"."others"', related_name="+"),
        chosen=models.ManyToManyField(tag, through="Choice", related_name="+"),
    )
    _model(
        "Choice",
        tag=models.ForeignKey(tag, models.CASCADE),
        item=models.ForeignKey(item, models.CASCADE),
    )
    move = plan_move(item, apps.get_app_config("hr"))
    assert list(move.tables.values()) == ['"hr"."items"', '"hr"."items_tags"', '"hr"."others"']
