"""Project states that render again only what a change touches."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import connections, migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from domain_migrations.domains import get_domain
from domain_migrations.engine.runner.loader import DomainLoader
from domain_migrations.engine.runner.observed_operations import run_operations
from domain_migrations.engine.runner.project_state import (
    MOST_RELOADS,
    BulkRenderState,
    PartialRenderState,
    full_order,
)

KEY: dict[str, Any] = {"id": models.BigAutoField(primary_key=True)}


def _key(to: str, **options: Any) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(to, models.CASCADE, **options)


def _create(name: str, **fields: models.Field[Any, Any]) -> migrations.CreateModel:
    return migrations.CreateModel(name, list({**KEY, **fields}.items()))


def _state(*operations: Operation, of: type[ProjectState] = PartialRenderState) -> ProjectState:
    state = of()
    for operation in operations:
        operation.state_forwards("shop", state)
    assert state.apps.ready
    return state


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each model has been rendered since."""
    counter: Counter[str] = Counter()
    render = ModelState.render

    def count(self: ModelState, apps: Any) -> Any:
        counter[self.name] += 1
        return render(self, apps)

    monkeypatch.setattr(ModelState, "render", count)
    return counter


MANY = [_create("User"), *(_create(f"Table{n}", by=_key("shop.User")) for n in range(50))]


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("Table7", "note", models.TextField(default="")),
        migrations.AddField("Table7", "other", _key("shop.Table8", null=True)),
        migrations.AlterField("Table7", "by", _key("shop.User", null=True)),
        migrations.RenameField("Table7", "by", "made_by"),
        migrations.AlterModelOptions("Table7", {"ordering": ["by"]}),
        migrations.AddIndex("Table7", models.Index(fields=["by"], name="by")),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_shared_references_cause_no_further_rendering(
    operation: Operation, rendered: Counter[str]
) -> None:
    state = _state(*MANY)
    rendered.clear()
    operation.state_forwards("shop", state)
    assert rendered == {"Table7": 1}


@pytest.mark.parametrize("of", [BulkRenderState, PartialRenderState])
@pytest.mark.parametrize("backwards", [False, True])
def test_an_operation_on_many_models_renders_each_once(
    of: type[ProjectState], backwards: bool, rendered: Counter[str]
) -> None:
    state = _state(_create("Other"), of=of)
    whole = migrations.SeparateDatabaseAndState(state_operations=MANY)
    migration = type("Migration", (migrations.Migration,), {"operations": [whole]})("0001", "shop")
    rendered.clear()
    with connections["default"].schema_editor(collect_sql=True, atomic=False) as editor:
        if backwards:
            migration.unapply(state, editor)
            state = migration.mutate_state(state)
        else:
            state = migration.apply(state, editor)
    assert "Table49" in {model.__name__ for model in state.apps.get_models()}
    assert max(rendered[operation.name] for operation in MANY[MOST_RELOADS:]) == 1
    assert sum(rendered.values()) < 4 * len(MANY)


def test_models_that_refer_to_a_changed_model_are_rendered_again(rendered: Counter[str]) -> None:
    state = _state(
        _create("Drug"),
        _create("Batch", drug=_key("shop.Drug")),
        _create("Stock", batch=_key("shop.Batch"), tags=models.ManyToManyField("shop.Tag")),
        _create("Tag"),
        _create("Other"),
    )
    rendered.clear()
    migrations.AlterField("Drug", "id", models.IntegerField(primary_key=True)).state_forwards(
        "shop", state
    )
    assert rendered == {"Drug": 1, "Batch": 1, "Stock": 1}
    batch, drug = (state.apps.get_model("shop", name) for name in ("Batch", "Drug"))
    assert batch._meta.get_field("drug").related_model is drug
    assert [relation.related_model for relation in drug._meta.related_objects] == [batch]


def test_the_state_before_keeps_the_relations_to_a_model() -> None:
    state = _state(_create("Rider"), _create("Pony", riders=models.ManyToManyField("shop.Rider")))
    before = state.clone()
    migrations.RenameModel("Rider", "Jockey").state_forwards("shop", state)
    rider = before.apps.get_model("shop", "Rider")
    jockey = state.apps.get_model("shop", "Jockey")
    pointing = [
        [relation.name for relation in each._meta.related_objects] for each in (rider, jockey)
    ]
    assert pointing == [["pony"], ["pony"]]
    assert set(state.apps.all_models["shop"]) == {"jockey", "pony", "pony_riders"}


def test_a_copy_does_not_change_the_original() -> None:
    state = _state(_create("Drug"), _create("Batch"))
    copy = state.clone()
    assert isinstance(copy, PartialRenderState)
    migrations.AddField("Batch", "drug", _key("shop.Drug", null=True)).state_forwards("shop", copy)
    there, here = (each.apps.get_model("shop", "Drug")._meta for each in (state, copy))
    assert not there.related_objects
    assert [relation.name for relation in here.related_objects] == ["batch"]
    migrations.RemoveField("Batch", "drug").state_forwards("shop", copy)
    assert not copy.apps.get_model("shop", "Drug")._meta.related_objects


class Opaque(Operation):
    """An operation of a third party that looks at models by the relations that lead to them."""

    def __init__(self) -> None:
        self.seen: list[bool] = []

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for state in (from_state, to_state):
            drug, batch = (state.apps.get_model("shop", name) for name in ("Drug", "Batch"))
            self.seen.append(drug.batch_set.rel.related_model is batch)

    database_backwards = database_forwards


@pytest.mark.parametrize("third_party", [True, False])
def test_operations_see_all_relations(module_database: str, third_party: bool) -> None:
    state = _state(_create("Drug"), _create("Batch", drug=_key("shop.Drug")))
    migrations.AddField("Batch", "note", models.TextField(default="")).state_forwards("shop", state)
    migration, opaque = migrations.Migration("0001_look", "shop"), Opaque()
    migration.operations = [
        opaque
        if third_party
        else migrations.RunPython(
            lambda apps, editor: opaque.database_forwards(
                "shop", editor, *[type("State", (), {"apps": apps})()] * 2
            )
        )
    ]
    with connections["default"].schema_editor() as editor:
        run_operations(migration, state, editor, "forwards", lambda _: nullcontext())
    assert opaque.seen == [True, True]


@pytest.mark.parametrize("domain", ["core", "inventory", "hr", "finance"])
def test_histories_of_this_project_end_in_models_as_if_rendered_at_the_end(domain: str) -> None:
    loader = DomainLoader(None, get_domain(domain))
    # Django's is rendered at the end; on the way it keeps classes of models that have changed.
    ours, stock = PartialRenderState(), ProjectState()
    assert ours.apps.ready
    for key in full_order(loader):
        for state in (ours, stock):
            loader.graph.nodes[key].mutate_state(state, preserve=False)
    assert _described(ours) == _described(stock)


def _described(state: ProjectState) -> dict[str, Any]:
    """Everything that a schema editor can see of the models, by names."""
    return {
        model._meta.label: (
            model._meta.db_table,
            [(field.name, field.column, _of(field)) for field in model._meta.local_fields],
            [(field.name, _of(field)) for field in model._meta.local_many_to_many],
            sorted(
                f"{r.related_model._meta.label}.{r.field.name}" for r in model._meta.related_objects
            ),
        )
        for model in state.apps.get_models(include_auto_created=True)
    }


def _of(field: Any) -> Any:
    related = field.related_model
    if related is None:
        return None
    # The class that is referred to is the one that is registered.
    assert related is related._meta.apps.get_model(related._meta.label)
    return related._meta.label, field.remote_field.field_name if field.many_to_one else None
