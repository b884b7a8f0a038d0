"""Indexes of every kind: added, removed, renamed, also concurrently."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField, DateTimeRangeField
from django.contrib.postgres.indexes import (
    BrinIndex,
    BTreeIndex,
    GinIndex,
    GistIndex,
    HashIndex,
    SpGistIndex,
)
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Lower

from tests.backends.cases.sequence import Spell, Story, story, table

INDEXES: dict[str, models.Index] = {
    "plain": models.Index(fields=["name", "-size"], name="drug_idx"),
    "partial": models.Index(fields=["name"], condition=Q(size__gt=5), name="drug_idx"),
    "covering": models.Index(fields=["name"], include=["size"], name="drug_idx"),
    "expression": models.Index(Lower("name").desc(), F("size") * 2, name="drug_idx"),
    "opclass": models.Index(fields=["name"], opclasses=["text_pattern_ops"], name="drug_idx"),
    "unnamed": models.Index(fields=["name"]),
    "btree": BTreeIndex(fields=["name"], fillfactor=80, name="drug_btree"),
    "hash": HashIndex(fields=["name"], name="drug_idx"),
    "brin": BrinIndex(fields=["size"], pages_per_range=4, name="drug_idx"),
    "gin": GinIndex(fields=["words"], name="drug_idx"),
    "gist": GistIndex(fields=["period"], name="drug_idx"),
    "spgist": SpGistIndex(fields=["name"], name="drug_idx"),
}


def _drug(spell: Spell, *indexes: models.Index, **options: Any) -> Any:
    fields = {
        "name": models.CharField(max_length=9),
        "size": models.IntegerField(),
        "words": ArrayField(models.TextField()),
        "period": DateTimeRangeField(),
    }
    return table(spell, "Drug", fields, indexes=[index.clone() for index in indexes], **options)


def _named(index: models.Index) -> models.Index:
    """The index as migrations have it: the autodetector writes the name that models derive."""
    return index if index.name else models.Index(fields=index.fields, name="drug_name_3f1b2c_idx")


def _stories(index: models.Index) -> dict[str, Any]:
    index = _named(index)

    def add(spell: Spell) -> Story:
        return Story([_drug(spell)], [migrations.AddIndex("Drug", index.clone())])

    def remove(spell: Spell) -> Story:
        return Story([_drug(spell, index)], [migrations.RemoveIndex("Drug", index.name)])

    def rename(spell: Spell) -> Story:
        operation = migrations.RenameIndex("Drug", "other_idx", old_name=index.name)
        return Story([_drug(spell, index)], [operation])

    def add_concurrently(spell: Spell) -> Story:
        return Story([_drug(spell)], [AddIndexConcurrently("Drug", index.clone())], atomic=False)

    def remove_concurrently(spell: Spell) -> Story:
        operation = RemoveIndexConcurrently("Drug", index.name)
        return Story([_drug(spell, index)], [operation], atomic=False)

    return {
        "add_index": add,
        "remove_index": remove,
        "rename_index": rename,
        "add_index_concurrently": add_concurrently,
        "remove_index_concurrently": remove_concurrently,
    }


for _name, _index in INDEXES.items():
    for _verb, _tell in _stories(_index).items():
        _tell.__name__ = f"{_verb}_{_name}"
        story(_tell)


@story
def name_an_index_of_index_together(spell: Spell) -> Story:
    """`index_together` is gone from models, but old migrations still have it."""
    pair = ("name", "size")
    return Story(
        [_drug(spell), migrations.AlterIndexTogether("Drug", {pair})],
        [migrations.RenameIndex("Drug", "drug_idx", old_fields=pair)],
    )


@story
def index_together_removed(spell: Spell) -> Story:
    return Story(
        [_drug(spell), migrations.AlterIndexTogether("Drug", {("name", "size")})],
        [migrations.AlterIndexTogether("Drug", set())],
    )


@story
def index_together_changed_with_a_named_index_alike(spell: Spell) -> Story:
    named = models.Index(fields=["name", "size"], name="drug_idx")
    return Story(
        [_drug(spell, named), migrations.AlterIndexTogether("Drug", {("name", "size")})],
        [migrations.AlterIndexTogether("Drug", {("size", "name")})],
    )


@story
def index_kept_when_db_index_goes(spell: Spell) -> Story:
    """A named index on the same column as `db_index=True` stays."""
    create = table(
        spell,
        "Drug",
        {"size": models.IntegerField(db_index=True)},
        indexes=[models.Index(fields=["size"], name="drug_idx")],
    )
    return Story([create], [migrations.AlterField("Drug", "size", models.IntegerField())])
