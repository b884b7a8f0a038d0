"""Columns: added, removed, renamed, changed in every way a field can change."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField, IntegerRangeField
from django.db import migrations, models
from django.db.models import F, Value
from django.db.models.functions import Lower, Now

from tests.backends.cases.sequence import Spell, Story, story, table

COLUMN_CHANGES: dict[str, tuple[models.Field[Any, Any], models.Field[Any, Any]]] = {
    "type": (models.IntegerField(), models.BigIntegerField()),
    "type_with_cast": (models.IntegerField(), models.CharField(max_length=9)),
    "type_under_index": (models.IntegerField(db_index=True), models.BigIntegerField(db_index=True)),
    "type_under_like_index": (
        models.CharField(max_length=9, db_index=True, default="1"),
        models.IntegerField(db_index=True, default=1),
    ),
    "type_under_unique_like_index": (
        models.CharField(max_length=9, unique=True),
        models.IntegerField(unique=True),
    ),
    "text_under_like_index": (models.TextField(unique=True), models.IntegerField(unique=True)),
    "varchar_to_text_under_like_index": (
        models.CharField(max_length=9, unique=True),
        models.TextField(unique=True),
    ),
    "length": (models.CharField(max_length=9), models.CharField(max_length=99)),
    "length_under_like_index": (
        models.CharField(max_length=9, db_index=True),
        models.CharField(max_length=99, db_index=True),
    ),
    "null": (models.IntegerField(), models.IntegerField(null=True)),
    "not_null_with_default": (models.IntegerField(null=True), models.IntegerField(default=3)),
    "default": (models.IntegerField(default=1), models.IntegerField(default=2)),
    "db_default_added": (models.IntegerField(), models.IntegerField(db_default=3)),
    "db_default_changed": (models.DateTimeField(), models.DateTimeField(db_default=Now())),
    "db_default_for_null": (models.IntegerField(null=True), models.IntegerField(db_default=7)),
    "unique": (models.IntegerField(), models.IntegerField(unique=True)),
    "unique_text": (models.CharField(max_length=9), models.CharField(max_length=9, unique=True)),
    "index": (models.IntegerField(), models.IntegerField(db_index=True)),
    "index_text": (models.CharField(max_length=9), models.CharField(max_length=9, db_index=True)),
    "index_instead_of_unique": (
        models.CharField(max_length=9, unique=True),
        models.CharField(max_length=9, db_index=True),
    ),
    "check": (models.IntegerField(), models.PositiveIntegerField()),
    "check_and_type": (models.PositiveIntegerField(), models.PositiveBigIntegerField()),
    "check_to_text": (models.PositiveSmallIntegerField(), models.CharField(max_length=9)),
    "column_name": (models.IntegerField(db_index=True), models.IntegerField(db_column="other")),
    "comment": (models.IntegerField(db_comment="one"), models.IntegerField(db_comment="it's 2")),
    "comment_removed": (models.IntegerField(db_comment="one"), models.IntegerField()),
    "comment_and_type": (models.IntegerField(), models.BigIntegerField(db_comment="big")),
    "collation": (models.CharField(max_length=9), models.CharField(max_length=9, db_collation="C")),
    "collation_under_like_index": (
        models.CharField(max_length=9, unique=True),
        models.CharField(max_length=9, unique=True, db_collation="C"),
    ),
    "array": (
        ArrayField(models.IntegerField(), null=True),
        ArrayField(models.CharField(max_length=9), null=True),
    ),
    "array_index": (
        ArrayField(models.CharField(max_length=9), default=list),
        ArrayField(models.CharField(max_length=9), default=list, db_index=True),
    ),
    "everything_at_once": (
        models.CharField(max_length=9, unique=True, db_comment="one"),
        models.PositiveIntegerField(null=True, db_index=True, db_default=5, db_column="other"),
    ),
}


def _change(old: models.Field[Any, Any], new: models.Field[Any, Any]) -> Any:
    def tell(spell: Spell) -> Story:
        return Story(
            [table(spell, "Drug", {"value": old.clone()})],
            [migrations.AlterField("Drug", "value", new.clone())],
        )

    return tell


for _name, (_old, _new) in COLUMN_CHANGES.items():
    for _suffix, _pair in (("", (_old, _new)), ("_reversed", (_new, _old))):
        _tell = _change(*_pair)
        _tell.__name__ = f"alter_field_{_name}{_suffix}"
        story(_tell)


ADDED: dict[str, models.Field[Any, Any]] = {
    "plain": models.IntegerField(null=True),
    "default": models.CharField(max_length=9, default="x"),
    "db_default": models.IntegerField(db_default=Value(4)),
    "unique": models.CharField(max_length=9, unique=True, null=True),
    "index": models.CharField(max_length=9, db_index=True, default="x"),
    "check": models.PositiveIntegerField(default=0),
    "comment": models.IntegerField(null=True, db_comment="it's"),
    "array": ArrayField(models.IntegerField(), default=list),
    "range": IntegerRangeField(null=True),
    "generated": models.GeneratedField(
        expression=Lower("label"), output_field=models.CharField(max_length=9), db_persist=True
    ),
    "generated_index": models.GeneratedField(
        expression=Lower("label"),
        output_field=models.CharField(max_length=9),
        db_persist=True,
        db_index=True,
    ),
}


def _add(field: models.Field[Any, Any]) -> Any:
    def tell(spell: Spell) -> Story:
        label = models.CharField(max_length=9)
        return Story(
            [table(spell, "Drug", {"label": label})],
            [migrations.AddField("Drug", "value", field.clone())],
        )

    return tell


def _remove(field: models.Field[Any, Any]) -> Any:
    def tell(spell: Spell) -> Story:
        fields = {"label": models.CharField(max_length=9), "value": field.clone()}
        return Story([table(spell, "Drug", fields)], [migrations.RemoveField("Drug", "value")])

    return tell


for _name, _field in ADDED.items():
    for _verb, _make in (("add", _add), ("remove", _remove)):
        _tell = _make(_field)
        _tell.__name__ = f"{_verb}_field_{_name}"
        story(_tell)


@story
def rename_field(spell: Spell) -> Story:
    fields = {
        "code": models.CharField(max_length=9, unique=True),
        "name": models.CharField(max_length=9, db_index=True),
    }
    before = [
        table(spell, "Drug", fields, unique_together={("code", "name")}),
        table(spell, "Lot", {"drug": models.ForeignKey("Drug", models.CASCADE)}),
    ]
    return Story(
        before,
        [
            migrations.RenameField("Drug", "code", "number"),
            migrations.RenameField("Lot", "drug", "medicine"),
            migrations.AlterField("Drug", "number", models.CharField(max_length=9)),
        ],
    )


@story
def rename_field_that_a_key_points_to(spell: Spell) -> Story:
    lot = {"drug": models.ForeignKey("Drug", models.CASCADE, to_field="code")}
    return Story(
        [
            table(spell, "Drug", {"code": models.CharField(max_length=9, unique=True)}),
            table(spell, "Lot", lot),
        ],
        [migrations.RenameField("Drug", "code", "number")],
    )


@story
def rename_field_of_a_generated_one(spell: Spell) -> Story:
    total = models.GeneratedField(
        expression=F("price") + 1, output_field=models.IntegerField(), db_persist=True
    )
    return Story(
        [table(spell, "Drug", {"price": models.IntegerField(), "total": total})],
        [migrations.AlterField("Drug", "price", models.IntegerField(db_index=True))],
    )


def _key_with_references(old: models.Field[Any, Any], new: models.Field[Any, Any]) -> Any:
    def tell(spell: Spell) -> Story:
        before = [
            table(spell, "Tag", key=old.clone()),
            table(
                spell,
                "Drug",
                {
                    "tags": models.ManyToManyField("Tag"),
                    "main_tag": models.ForeignKey("Tag", models.CASCADE, related_name="main"),
                    "only_tag": models.OneToOneField("Tag", models.CASCADE, related_name="only"),
                },
            ),
            table(spell, "Sale", {"tag": models.ForeignKey("Tag", models.CASCADE)}),
        ]
        return Story(before, [migrations.AlterField("Tag", "id", new.clone())])

    return tell


KEYS: dict[str, tuple[models.Field[Any, Any], models.Field[Any, Any]]] = {
    "identity_to_big_identity": (
        models.AutoField(primary_key=True),
        models.BigAutoField(primary_key=True),
    ),
    "identity_to_integer": (
        models.BigAutoField(primary_key=True),
        models.BigIntegerField(primary_key=True),
    ),
    "integer_to_identity": (
        models.IntegerField(primary_key=True),
        models.BigAutoField(primary_key=True),
    ),
    "text": (
        models.CharField(max_length=9, primary_key=True),
        models.CharField(max_length=99, primary_key=True),
    ),
    "text_to_integer": (
        models.CharField(max_length=9, primary_key=True),
        models.IntegerField(primary_key=True),
    ),
}
for _name, (_old, _new) in KEYS.items():
    _tell = _key_with_references(_old, _new)
    _tell.__name__ = f"alter_key_{_name}"
    story(_tell)


@story
def another_field_becomes_the_key(spell: Spell) -> Story:
    return Story(
        [
            table(spell, "Drug", {"code": models.CharField(max_length=9, unique=True)}),
        ],
        [
            migrations.RemoveField("Drug", "id"),
            migrations.AlterField("Drug", "code", models.CharField(max_length=9, primary_key=True)),
        ],
    )


def _serial(spell: Spell) -> list[Any]:
    """A table of before Django 4.1, with a sequence that is not an identity."""
    create = table(spell, "Drug", key=models.AutoField(primary_key=True))
    name = create.options["db_table"]
    sql = f"CREATE TABLE {name} (id serial PRIMARY KEY)"
    return [
        table(spell, "Shelf"),
        migrations.RunSQL(sql, f"DROP TABLE {name}", state_operations=[create]),
        table(spell, "Lot", {"drug": models.ForeignKey("Drug", models.CASCADE)}),
    ]


@story
def serial_to_big_identity(spell: Spell) -> Story:
    key = models.BigAutoField(primary_key=True)
    return Story(_serial(spell), [migrations.AlterField("Drug", "id", key)])


@story
def serial_to_small_identity(spell: Spell) -> Story:
    key = models.SmallAutoField(primary_key=True)
    return Story(_serial(spell), [migrations.AlterField("Drug", "id", key)])


@story
def serial_to_integer(spell: Spell) -> Story:
    key = models.IntegerField(primary_key=True)
    return Story(_serial(spell), [migrations.AlterField("Drug", "id", key)])
