"""Foreign keys and many-to-many relations."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from tests.backends.cases.sequence import Spell, Story, story, table


def _key(to: str = "Tag", **options: Any) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(to, models.CASCADE, **options)


def _one(**options: Any) -> models.OneToOneField[Any, Any]:
    return models.OneToOneField("Tag", models.CASCADE, **options)


RELATION_CHANGES: dict[str, tuple[models.Field[Any, Any], models.Field[Any, Any]]] = {
    "target": (_key(), _key("Other")),
    "target_of_one_to_one": (_one(), models.OneToOneField("Other", models.CASCADE)),
    "constraint": (_key(), _key(db_constraint=False)),
    "index": (_key(), _key(db_index=False)),
    "null": (_key(), _key(null=True)),
    "one_to_one": (_key(), _one()),
    "plain_column": (_key(db_column="value"), models.BigIntegerField()),
    "plain_column_with_index": (_key(db_column="value"), models.BigIntegerField(db_index=True)),
    "to_field": (_key(), _key(to_field="number")),
    "column_name": (_key(), _key(db_column="other")),
    "to_itself": (_key(), _key("Drug")),
    "comment": (_key(), _key(db_comment="why")),
    "many_to_many_target": (models.ManyToManyField("Tag"), models.ManyToManyField("Other")),
    "many_to_many_table": (
        models.ManyToManyField("Tag"),
        models.ManyToManyField("Tag", blank=True, related_name="all_drugs"),
    ),
}


def _change(old: models.Field[Any, Any], new: models.Field[Any, Any]) -> Any:
    def tell(spell: Spell) -> Story:
        before = [
            table(spell, "Tag", {"number": models.BigIntegerField(unique=True)}),
            table(spell, "Other"),
            table(spell, "Drug", {"value": old.clone()}),
        ]
        return Story(before, [migrations.AlterField("Drug", "value", new.clone())])

    return tell


for _name, (_old, _new) in RELATION_CHANGES.items():
    for _suffix, _pair in (("", (_old, _new)), ("_reversed", (_new, _old))):
        _tell = _change(*_pair)
        _tell.__name__ = f"alter_relation_{_name}{_suffix}"
        story(_tell)


ADDED: dict[str, models.Field[Any, Any]] = {
    "key": _key(null=True),
    "key_to_itself": _key("Drug", null=True),
    "key_without_constraint": _key(null=True, db_constraint=False),
    "one_to_one": _one(null=True),
    "many_to_many": models.ManyToManyField("Tag"),
    "many_to_many_to_itself": models.ManyToManyField("Drug"),
    "many_to_many_through": models.ManyToManyField("Tag", through="Tagging"),
}


def _add(field: models.Field[Any, Any]) -> Any:
    def tell(spell: Spell) -> Story:
        before = [
            table(spell, "Tag"),
            table(spell, "Drug"),
            table(spell, "Tagging", {"tag": _key(), "drug": _key("Drug")}),
        ]
        return Story(before, [migrations.AddField("Drug", "value", field.clone())])

    return tell


def _remove(field: models.Field[Any, Any]) -> Any:
    def tell(spell: Spell) -> Story:
        added = _add(field)(spell)
        return Story([*added.before, *added.then], [migrations.RemoveField("Drug", "value")])

    return tell


for _name, _field in ADDED.items():
    for _verb, _make in (("add", _add), ("remove", _remove)):
        _tell = _make(_field)
        _tell.__name__ = f"{_verb}_relation_{_name}"
        story(_tell)


@story
def rename_many_to_many(spell: Spell) -> Story:
    return Story(
        [table(spell, "Tag"), table(spell, "Drug", {"tags": models.ManyToManyField("Tag")})],
        [migrations.RenameField("Drug", "tags", "labels")],
    )


@story
def many_to_many_with_own_table(spell: Spell) -> Story:
    tags = models.ManyToManyField("Tag", db_table=spell("tagging"))
    moved = models.ManyToManyField("Tag", db_table=spell("labelling"))
    return Story(
        [table(spell, "Tag"), table(spell, "Drug", {"tags": tags})],
        [migrations.AlterField("Drug", "tags", moved)],
    )


@story
def type_of_a_referenced_unique_field(spell: Spell) -> Story:
    return Story(
        [
            table(spell, "Tag", {"code": models.CharField(max_length=9, unique=True)}),
            table(spell, "Drug", {"tag": _key(to_field="code")}),
        ],
        [migrations.AlterField("Tag", "code", models.CharField(max_length=99, unique=True))],
    )


@story
def composite_primary_key(spell: Spell) -> Story:
    line = migrations.CreateModel(
        "Line",
        [
            ("pk", models.CompositePrimaryKey("tag", "number")),
            ("tag", _key()),
            ("number", models.IntegerField()),
        ],
        {"db_table": spell("line")},
    )
    return Story(
        [table(spell, "Tag")],
        [
            line,
            migrations.AddField("Line", "note", models.CharField(max_length=9, unique=True)),
            migrations.AlterField("Line", "note", models.CharField(max_length=9)),
            migrations.AlterField("Line", "number", models.BigIntegerField()),
        ],
    )


@story
def inheritance(spell: Spell) -> Story:
    parent = models.OneToOneField(
        "shop.Drug", models.CASCADE, parent_link=True, primary_key=True, serialize=False
    )
    child = migrations.CreateModel(
        "Vaccine",
        [("drug_ptr", parent), ("dose", models.PositiveIntegerField())],
        {"db_table": spell("vaccine")},
        bases=("shop.drug",),
    )
    return Story(
        [table(spell, "Drug", key=models.AutoField(primary_key=True)), child],
        [migrations.AlterField("Drug", "id", models.BigAutoField(primary_key=True))],
    )
