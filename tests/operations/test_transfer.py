"""The state that transfers of tables leave, and how they are written."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.migrations import CreateModel
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter

import domain_migrations.operations
from domain_migrations.operations import ReceiveTable, TransferTable

ID = ("id", models.BigAutoField(primary_key=True))
TABLES = {'"lab"."companies"': "companies"}
TRANSFER = TransferTable("Company", pair="shop.0002_receive", tables=TABLES)
RECEIVE = ReceiveTable(
    "Company",
    pair="lab.0002_transfer",
    tables=TABLES,
    fields=[ID],
    options={"db_table": "companies"},
)


def _state() -> ProjectState:
    state = ProjectState()
    for operation in (
        CreateModel("Company", [ID], options={"db_table": '"lab"."companies"'}),
        CreateModel(
            "Item",
            [
                ID,
                ("company", models.ForeignKey("lab.Company", models.CASCADE)),
                ("others", models.ManyToManyField("lab.Company", related_name="+")),
                ("item", models.ForeignKey("self", models.CASCADE)),
            ],
        ),
        CreateModel("Special", [], bases=("lab.company",)),
    ):
        operation.state_forwards("lab", state)
    return state


def test_every_relation_leads_to_the_other_model() -> None:
    state = _state()
    state.apps  # noqa: B018 (rendered, as in a run)
    RECEIVE.state_forwards("shop", state)
    TRANSFER.state_forwards("lab", state)
    assert sorted(state.models) == [("lab", "item"), ("lab", "special"), ("shop", "company")]
    fields: dict[str, Any] = state.models["lab", "item"].fields
    assert fields["company"].remote_field.model == "shop.Company"
    assert fields["others"].remote_field.model == "shop.Company"
    assert fields["item"].remote_field.model == "self"
    assert state.models["lab", "special"].bases == ("shop.Company",)
    item: Any = state.apps.get_model("lab", "item")
    assert item._meta.get_field("company").related_model is state.apps.get_model("shop", "company")


def test_they_are_written_as_they_are_read() -> None:
    for operation in (TRANSFER, RECEIVE):
        text, imports = MigrationWriter.serialize(operation)
        assert "import domain_migrations.operations" in imports
        names = {"models": models, "domain_migrations": domain_migrations}
        found = eval(text, names)  # noqa: S307 (what the writer has written)
        assert MigrationWriter.serialize(found) == (text, imports)


def test_they_describe_what_moves() -> None:
    assert TRANSFER.describe() == "Transfer the table of Company to shop"
    assert RECEIVE.describe() == "Receive the table of Company from lab"
    fragments = (TRANSFER.migration_name_fragment, RECEIVE.migration_name_fragment)
    assert fragments == ("transfer_company", "receive_company")
    assert TRANSFER.references_model("anything", "hr")
