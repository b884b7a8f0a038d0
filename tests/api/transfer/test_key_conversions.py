"""Relations that the move of a model makes illegal, or lets become foreign keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db.migrations.writer import MigrationWriter

from domain_migrations.api.transfer.key_conversions import (
    KeyConversion,
    blocked_relations,
    illegal_keys,
    legal_keys,
)
from domain_migrations.api.transfer.model_move import ModelMove, plan_move
from tests.support.projects import domain_app, plain_app, write_project

LAB = """
from domain_migrations.fields import DomainReference

class Kit(models.Model):
    code = models.CharField(max_length=9, unique=True)
    class Meta:
        db_table = '"lab"."kits"'

class Sample(models.Model):
    kit = models.ForeignKey(Kit, models.PROTECT, related_name="samples", db_column="kit")
    other = models.OneToOneField("lab.Kit", models.CASCADE, null=True, db_constraint=False,
        related_name="+")
    code = models.ForeignKey(Kit, models.CASCADE, to_field="code", related_name="+")
    parent = models.ForeignKey("self", models.CASCADE)
    kits = models.ManyToManyField(Kit, db_table='"lab"."samples_kits"', related_name="+")
    more = models.ManyToManyField(Kit, through="Use", related_name="+")
    ward_id = DomainReference("shop.Ward", db_index=True)
    class Meta:
        db_table = '"lab"."samples"'

class Use(models.Model):
    kit = models.ForeignKey(Kit, models.CASCADE)
    sample = models.ForeignKey(Sample, models.CASCADE)
    class Meta:
        db_table = '"lab"."uses"'

class Rush(Sample):
    class Meta:
        db_table = '"lab"."rush"'
"""
SHOP = """
from domain_migrations.fields import DomainReference

class Ward(models.Model):
    sample_id = DomainReference("lab.Sample", unique=True)
    kit = DomainReference("lab.Kit", null=True)
    class Meta:
        db_table = '"shop"."wards"'
"""
HALL = """
class Tag(models.Model):
    pass

class Thing(models.Model):
    tags = models.ManyToManyField(Tag, through="Tagging")
    plain = models.ManyToManyField(Tag, related_name="+")

class Tagging(models.Model):
    thing = models.ForeignKey(Thing, models.CASCADE)
    tag = models.ForeignKey(Tag, models.CASCADE)
"""
SCRIPT = """
import json, sys
import django; django.setup()
from django.apps import apps
from django.db.migrations.writer import MigrationWriter
from domain_migrations.api.transfer.key_conversions import *
from domain_migrations.api.transfer.model_move import plan_move
label, target = sys.argv[1:]
move = plan_move(apps.get_model(label), apps.get_app_config(target))
def written(conversions):
    return {
        str(each): [each.new_name, each.to,
            " ".join(MigrationWriter.serialize(each.operation())[0].split())]
        for each in conversions
    }
print(json.dumps({
    "illegal": written(illegal_keys(move)),
    "legal": written(legal_keys(move)),
    "blocked": [[each.message, each.hint] for each in blocked_relations(move)],
}))
"""


def _move(model: str, target: str) -> ModelMove:
    return plan_move(apps.get_model(model), apps.get_app_config(target))


def _names(found: list[KeyConversion]) -> list[str]:
    return [f"{each} → {each.new_name} of {each.to}" for each in found]


def _written(conversion: KeyConversion) -> str:
    return " ".join(MigrationWriter.serialize(conversion.operation())[0].split())


def test_a_model_that_moves_to_core_keeps_no_key_to_a_domain() -> None:
    move = _move("inventory.Department", "core")
    assert _names(illegal_keys(move)) == [
        "inventory.Department.location → location_id of inventory.Location"
    ]
    assert blocked_relations(move) == []


def test_nothing_crosses__where_a_model_has_no_keys() -> None:
    move = _move("inventory.Company", "core")
    assert illegal_keys(move) == []
    assert blocked_relations(move) == []
    assert _names(legal_keys(move)) == [
        "finance.Invoice.supplier_id → supplier of core.Company",
    ]


def test_every_key_between_a_model_and_the_domain_that_it_leaves_is_illegal() -> None:
    found = _names(illegal_keys(_move("inventory.Department", "hr")))
    assert "inventory.Department.location → location_id of inventory.Location" in found
    assert "inventory.BudgetRequest.department → department_id of hr.Department" in found
    assert not any("cost_centre" in each for each in found)


def test_every_domain_and_core_loses_its_keys_to_a_model_that_leaves_core() -> None:
    found = illegal_keys(_move("core.CostCentre", "finance"))
    assert sorted({each.app_label for each in found}) == ["hr", "inventory"]
    assert {each.to for each in found} == {"finance.CostCentre"}


def test_the_reference_has_the_column_the_index_and_the_new_name_of_the_model() -> None:
    (found,) = illegal_keys(_move("inventory.Department", "core"))
    assert _written(found) == (
        "domain_migrations.operations.ConvertToReference( model_name='Department',"
        " name='location', field=domain_migrations.fields.DomainReference('inventory.Location',"
        " blank=True, db_index=True, help_text='Where the department keeps its drugs, if it"
        " does.', id_field=models.BigIntegerField(), null=True, verbose_name='own stock'), )"
    )
    assert found.as_json() == {
        "model": "inventory.Department",
        "field": "location",
        "new_name": "location_id",
        "to": "inventory.Location",
        "operation": "ConvertToReference",
    }


def test_what_installed_packages_have_cannot_be_converted() -> None:
    (found,) = [
        each for each in blocked_relations(_move("core.User", "hr")) if "LogEntry" in each.message
    ]
    assert found.message == (
        "admin.LogEntry.user is a foreign key to core.User, which the move of core.User would let"
        ' cross a boundary: core may not depend on domains, and it belongs to the domain "hr", and'
        " its model belongs to an installed package, which cannot be edited."
    )


def _found(tmp_path: Path, label: str, target: str) -> Any:
    project = write_project(
        tmp_path,
        {
            "lab": domain_app("lab", models=LAB),
            "shop": domain_app("shop", models=SHOP),
            "hall": plain_app(models=HALL),
        },
        database={"NAME": "unused"},
    )
    script = project.write("script.py", SCRIPT)
    return json.loads(project.python(str(script), label, target))


def test_a_many_to_many_needs_the_keys_of_the_model_between(tmp_path: Path) -> None:
    found = _found(tmp_path, "hall.Thing", "lab")
    assert list(found["illegal"]) == ["hall.Tagging.thing"]
    assert found["blocked"] == [
        [
            "hall.Thing.tags is a many-to-many through hall.Tagging, whose thing would have to"
            " become a reference.",
            "Remove tags in a migration before, and query hall.Tagging instead.",
        ]
    ]


def test_keys_of_every_kind__to_another_domain(tmp_path: Path) -> None:
    found = _found(tmp_path, "lab.Kit", "shop")
    assert sorted(found["illegal"]) == ["lab.Sample.kit", "lab.Sample.other", "lab.Use.kit"]
    assert found["illegal"]["lab.Sample.kit"] == [
        "kit_id",
        "shop.Kit",
        "domain_migrations.operations.ConvertToReference( model_name='Sample', name='kit',"
        " field=domain_migrations.fields.DomainReference('shop.Kit', db_column='kit',"
        " db_index=True, id_field=models.BigIntegerField()), )",
    ]
    assert (
        "DomainReference('shop.Kit', id_field=models.BigIntegerField(), null=True, unique=True)"
        in (found["illegal"]["lab.Sample.other"][2])
    )
    crosses = (
        ', which the move of lab.Kit would let cross a boundary: it belongs to the domain "shop"'
    )
    assert found["blocked"] == [
        [
            f"lab.Sample.code is a foreign key to lab.Kit{crosses}, and it holds code, where a"
            " reference holds the primary key.",
            "Remove it, or replace it with a DomainReference, in a migration before.",
        ],
        [
            f"lab.Sample.kits is a many-to-many to lab.Kit{crosses}.",
            "Replace it before with a model that has a foreign key to one side and a"
            " DomainReference to the other; a many-to-many field cannot be converted.",
        ],
        [
            f"lab.Sample.more is a many-to-many to lab.Kit{crosses}.",
            "Replace it before with a model that has a foreign key to one side and a"
            " DomainReference to the other; a many-to-many field cannot be converted.",
        ],
    ]
    assert found["legal"] == {
        "shop.Ward.kit": [
            "kit",
            "shop.Kit",
            "domain_migrations.operations.ConvertToForeignKey( model_name='Ward', name='kit',"
            " field=models.ForeignKey(db_column='kit', null=True,"
            " on_delete=django.db.models.deletion.PROTECT, to='shop.kit'), )",
        ]
    }


def test_keys_of_every_kind__of_the_model_that_moves(tmp_path: Path) -> None:
    found = _found(tmp_path, "lab.Sample", "shop")
    assert sorted(found["illegal"]) == ["lab.Sample.kit", "lab.Sample.other", "lab.Use.sample"]
    assert found["illegal"]["lab.Use.sample"][1] == "shop.Sample"
    assert [each[0].split(", ")[0] for each in found["blocked"]] == [
        "lab.Sample.code is a foreign key to lab.Kit",
        "lab.Sample.kits is a many-to-many to lab.Kit",
        "lab.Sample.more is a many-to-many to lab.Kit",
        "lab.Rush inherits from lab.Sample",
    ]
    assert sorted(found["legal"]) == ["lab.Sample.ward_id", "shop.Ward.sample_id"]
    assert found["legal"]["shop.Ward.sample_id"][2] == (
        "domain_migrations.operations.ConvertToForeignKey( model_name='Ward', name='sample_id',"
        " field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT,"
        " to='shop.sample'), )"
    )


def test_keys_to_a_model_in_core_stay(tmp_path: Path) -> None:
    found = _found(tmp_path, "lab.Kit", "hall")
    assert found["illegal"] == {}
    assert found["blocked"] == []
    assert sorted(found["legal"]) == ["shop.Ward.kit"]
