"""Whole tables: created, dropped, renamed, commented, and several changes in one migration."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

from tests.backends.cases.sequence import Spell, Story, story, table


def _everything(spell: Spell) -> list[migrations.CreateModel]:
    return [
        table(spell, "Tag", {"code": models.SlugField(unique=True)}),
        table(
            spell,
            "Drug",
            {
                "name": models.CharField(max_length=9, db_index=True, db_comment="its name"),
                "size": models.PositiveIntegerField(db_default=1),
                "main": models.ForeignKey("Tag", models.CASCADE, related_name="main"),
                "tags": models.ManyToManyField("Tag"),
                "similar": models.ManyToManyField("self"),
            },
            unique_together={("name", "size")},
            indexes=[models.Index(fields=["size"], condition=Q(size__gt=1), name="size_idx")],
            constraints=[
                models.CheckConstraint(condition=Q(size__lt=9), name="size_check"),
                models.UniqueConstraint(fields=["name"], condition=Q(size=1), name="name_uniq"),
            ],
            db_table_comment="it's commented",
        ),
    ]


@story
def create_model(spell: Spell) -> Story:
    return Story([], _everything(spell))


@story
def delete_model(spell: Spell) -> Story:
    return Story(_everything(spell), [migrations.DeleteModel("Drug")])


@story
def create_change_and_delete_in_one_migration(spell: Spell) -> Story:
    """All the indexes and keys are still waiting to be made when their tables change."""
    return Story(
        [],
        [
            *_everything(spell),
            table(spell, "Lot", {"drug": models.ForeignKey("Drug", models.CASCADE)}),
            migrations.RenameField("Drug", "name", "title"),
            migrations.AlterModelTable("Tag", spell("label")),
            migrations.AlterModelTable("Drug", spell("medicine")),
            migrations.RenameModel("Tag", "Label"),
            migrations.DeleteModel("Lot"),
            table(spell, "Batch", {"drug": models.ForeignKey("Drug", models.CASCADE)}),
            migrations.AlterField("Label", "code", models.SlugField()),
        ],
    )


@story
def rename_model(spell: Spell) -> Story:
    """The table keeps its name; the columns of many-to-many tables that name the model do not."""
    return Story(_everything(spell), [migrations.RenameModel("Drug", "Medicine")])


@story
def rename_model_that_others_point_to(spell: Spell) -> Story:
    return Story(_everything(spell), [migrations.RenameModel("Tag", "Label")])


@story
def alter_model_table(spell: Spell) -> Story:
    return Story(_everything(spell), [migrations.AlterModelTable("Drug", spell("medicine"))])


@story
def alter_model_table_and_change_it(spell: Spell) -> Story:
    return Story(
        _everything(spell),
        [
            migrations.AlterModelTable("Tag", spell("label")),
            migrations.AlterField("Tag", "id", models.IntegerField(primary_key=True)),
            migrations.RemoveIndex("Drug", "size_idx"),
            migrations.RemoveConstraint("Drug", "name_uniq"),
            migrations.AlterUniqueTogether("Drug", set()),
        ],
    )


@story
def alter_model_table_comment(spell: Spell) -> Story:
    return Story(_everything(spell), [migrations.AlterModelTableComment("Drug", "new")])


@story
def alter_model_table_comment_to_none(spell: Spell) -> Story:
    return Story(_everything(spell), [migrations.AlterModelTableComment("Drug", None)])


def _lots(spell: Spell) -> list[migrations.CreateModel]:
    drug = models.ForeignKey("Drug", models.CASCADE)
    return [*_everything(spell), table(spell, "Lot", {"drug": drug})]


@story
def order_with_respect_to(spell: Spell) -> Story:
    return Story(_lots(spell), [migrations.AlterOrderWithRespectTo("Lot", "drug")])


@story
def order_with_respect_to_removed(spell: Spell) -> Story:
    before = [*_lots(spell), migrations.AlterOrderWithRespectTo("Lot", "drug")]
    return Story(before, [migrations.AlterOrderWithRespectTo("Lot", None)])


@story
def alter_model_options_and_managers(spell: Spell) -> Story:
    options = {"verbose_name": "medicine", "ordering": ["name"]}
    return Story(
        _everything(spell),
        [
            migrations.AlterModelOptions("Drug", options),
            migrations.AlterModelManagers("Drug", [("all", models.Manager())]),
        ],
    )


@story
def names_of_63_bytes(spell: Spell) -> Story:
    name = "x" * 63
    column = "y" * 63
    fields = {"code": models.CharField(max_length=9, unique=True, db_column=column)}
    create = migrations.CreateModel(
        "Drug",
        [("id", models.AutoField(primary_key=True)), *fields.items()],
        {"db_table": spell(name)},
    )
    lot = {"drug": models.ForeignKey("Drug", models.CASCADE, db_column="z" * 63)}
    return Story(
        [create, table(spell, "Lot", lot)],
        [
            migrations.AddField("Drug", "lots", models.ManyToManyField("Lot", related_name="all")),
            migrations.AlterField("Drug", "id", models.BigAutoField(primary_key=True)),
            migrations.AlterField("Drug", "code", models.CharField(max_length=9, db_column=column)),
            migrations.AlterField("Lot", "drug", models.ForeignKey("Drug", models.CASCADE)),
        ],
    )


@story
def names_with_spaces_dots_capitals_and_umlauts(spell: Spell) -> Story:
    create = migrations.CreateModel(
        "Drug",
        [
            ("id", models.AutoField(primary_key=True)),
            ("code", models.CharField(max_length=9, unique=True, db_column="Der Code.ä")),
        ],
        {
            "db_table": spell("Die Ärzte.Liste ยา"),
            "indexes": [
                models.Index(fields=["code"], name="Ein Index.ß"),
            ],
        },
    )
    return Story(
        [create, table(spell, "Lot", {"drug": models.ForeignKey("Drug", models.CASCADE)})],
        [
            migrations.RemoveIndex("Drug", "Ein Index.ß"),
            migrations.AlterField("Drug", "id", models.BigAutoField(primary_key=True)),
            migrations.AlterField("Drug", "code", models.CharField(max_length=9)),
            migrations.AlterField("Lot", "drug", models.BigIntegerField()),
        ],
    )
