"""Each idempotent operation for objects that are missing, equal or different.

What it does where there is something to do is compared with what Django's own operation does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from django.db import models
from django.db.migrations import AddConstraint, AddField, AddIndex, CreateModel, RemoveField
from django.db.migrations.operations.base import Operation
from django.db.models import Deferrable, F, Q
from django.db.models.functions import Lower

from domain_migrations.operations import (
    AddConstraintIfMissing,
    AddFieldIfMissing,
    AddIndexIfMissing,
    CreateModelIfMissing,
    DefinitionMismatch,
    RemoveFieldIfPresent,
)
from tests.operations.conftest import Lab
from tests.support.catalog import execute

WARD_KEY = models.ForeignKey("lab.Ward", models.CASCADE, null=True)
ALTER = "ALTER TABLE lab.things "
SAMPLE_FIELDS = [
    ("id", models.BigAutoField(primary_key=True)),
    ("code", models.CharField(max_length=20, unique=True)),
    ("thing", models.ForeignKey("lab.Thing", models.CASCADE, related_name="+")),
    ("wards", models.ManyToManyField("lab.Ward")),
]
SAMPLE_OPTIONS = {
    "db_table": '"lab"."samples"',
    "indexes": [models.Index(fields=["code", "thing"], name="samples_idx")],
    "constraints": [models.CheckConstraint(condition=~Q(code=""), name="samples_check")],
}


@dataclass
class Case:
    """A conditional operation and the plain one that it stands for.

    Attributes:
        before: what is applied first.
        equal: SQL that makes by hand what the operation would make.
        different: SQL that makes something else, and what the refusal says.
    """

    conditional: Operation
    plain: Operation
    equal: str
    different: dict[str, str]
    before: Sequence[Operation] = field(default_factory=tuple)


THE = "The existing definition differs. The"
ADDITIONS = {
    "text": Case(
        AddFieldIfMissing("thing", "note", models.TextField(null=True)),
        AddField("thing", "note", models.TextField(null=True)),
        f"{ALTER} ADD note text",
        {
            f"{ALTER} ADD note integer": (
                f"{THE} type of the column lab.things.note is integer; the migrations say text."
            ),
            f"{ALTER} ADD note text NOT NULL": (
                f"{THE} column lab.things.note is NOT NULL; the migrations say NULL."
            ),
            f"{ALTER} ADD note text DEFAULT 'x'": (
                f"{THE} column lab.things.note has a default only in the database: 'x'::text."
            ),
            f'{ALTER} ADD note text COLLATE "C"': (
                f"{THE} collation of the column lab.things.note is C; the migrations say none."
            ),
            f"{ALTER} ADD note text UNIQUE": (
                f"{THE} constraint lab.things.things_note_key exists only in the database:"
                " UNIQUE (note)."
            ),
            f"{ALTER} ADD note text GENERATED ALWAYS AS (code) STORED": (
                f"{THE} generated value of the column lab.things.note is (code)::text, stored;"
                " the migrations say none."
            ),
        },
    ),
    "varchar": Case(
        AddFieldIfMissing("Thing", "note", models.CharField(max_length=30, default="new")),
        AddField("Thing", "note", models.CharField(max_length=30, default="new")),
        f"{ALTER} ADD note varchar(30) NOT NULL DEFAULT 'new'; {ALTER} ALTER note DROP DEFAULT",
        {
            f"{ALTER} ADD note varchar(20) NOT NULL": (
                f"{THE} type of the column lab.things.note is character varying(20);"
                " the migrations say character varying(30)."
            ),
            f"{ALTER} ADD note varchar(30)": (
                f"{THE} column lab.things.note allows NULL; the migrations say NOT NULL."
            ),
            f"{ALTER} ADD note varchar(30) NOT NULL DEFAULT 'old'": (
                f"{THE} column lab.things.note has a default only in the database:"
                " 'old'::character varying."
            ),
        },
    ),
    "default": Case(
        AddFieldIfMissing("Thing", "note", models.IntegerField(db_default=5)),
        AddField("Thing", "note", models.IntegerField(db_default=5)),
        f"{ALTER} ADD note integer NOT NULL DEFAULT 5",
        {
            f"{ALTER} ADD note integer NOT NULL": (
                f"{THE} default of the column lab.things.note is missing; the migrations say 5."
            ),
            f"{ALTER} ADD note integer NOT NULL DEFAULT 6": (
                f"{THE} default of the column lab.things.note is 6; the migrations say 5."
            ),
            f"{ALTER} ADD note integer NOT NULL GENERATED ALWAYS AS IDENTITY": (
                f"{THE} default of the column lab.things.note is missing; the migrations say 5."
                " The identity of the column lab.things.note is generated always;"
                " the migrations say none."
            ),
        },
    ),
    "key": Case(
        AddFieldIfMissing(
            "Thing", "ward", models.ForeignKey("lab.Ward", models.CASCADE, null=True)
        ),
        AddField("Thing", "ward", models.ForeignKey("lab.Ward", models.CASCADE, null=True)),
        f"{ALTER} ADD ward_id bigint CONSTRAINT by_hand REFERENCES lab.wards"
        " DEFERRABLE INITIALLY DEFERRED; CREATE INDEX by_hand_idx ON lab.things (ward_id)",
        {
            f"{ALTER} ADD ward_id bigint; CREATE INDEX ON lab.things (ward_id)": (
                f"{THE} constraint lab.things.things_ward_id_02cb367f_fk_wards_id does not exist:"
                " FOREIGN KEY (ward_id) REFERENCES lab.wards(id) DEFERRABLE INITIALLY DEFERRED."
            ),
            f"{ALTER} ADD ward_id bigint REFERENCES lab.things DEFERRABLE INITIALLY DEFERRED;"
            " CREATE INDEX ON lab.things (ward_id)": (
                f"{THE} constraint lab.things.things_ward_id_fkey is FOREIGN KEY (ward_id)"
                " REFERENCES lab.things(id) DEFERRABLE INITIALLY DEFERRED; the migrations say"
                " FOREIGN KEY (ward_id) REFERENCES lab.wards(id) DEFERRABLE INITIALLY DEFERRED."
            ),
            f"{ALTER} ADD ward_id bigint; {ALTER} ADD CONSTRAINT k FOREIGN KEY (ward_id)"
            " REFERENCES lab.wards DEFERRABLE INITIALLY DEFERRED NOT VALID;"
            " CREATE INDEX ON lab.things (ward_id)": (
                f"{THE} constraint lab.things.k is FOREIGN KEY (ward_id) REFERENCES lab.wards(id)"
                " DEFERRABLE INITIALLY DEFERRED NOT VALID; the migrations say FOREIGN KEY"
                " (ward_id) REFERENCES lab.wards(id) DEFERRABLE INITIALLY DEFERRED."
            ),
        },
    ),
    "check": Case(
        AddFieldIfMissing("Thing", "qty", models.PositiveIntegerField(null=True, unique=True)),
        AddField("Thing", "qty", models.PositiveIntegerField(null=True, unique=True)),
        f"{ALTER} ADD qty integer CHECK (qty >= 0); {ALTER} ADD CHECK (length(code) > 1);"
        " CREATE UNIQUE INDEX q ON lab.things (qty)",
        {
            f"{ALTER} ADD qty integer UNIQUE": (
                f"{THE} constraint lab.things.things_qty_check does not exist: CHECK ((qty >= 0))."
            ),
            f"{ALTER} ADD qty integer CHECK (qty >= 0)": (
                f"{THE} constraint lab.things.things_qty_key does not exist: UNIQUE (qty)."
            ),
        },
    ),
    "many_to_many": Case(
        AddFieldIfMissing("Thing", "wards", models.ManyToManyField("lab.Ward")),
        AddField("Thing", "wards", models.ManyToManyField("lab.Ward")),
        "CREATE TABLE lab.things_wards (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,"
        " thing_id bigint NOT NULL REFERENCES lab.things DEFERRABLE INITIALLY DEFERRED,"
        " ward_id bigint NOT NULL REFERENCES lab.wards DEFERRABLE INITIALLY DEFERRED,"
        " UNIQUE (thing_id, ward_id)); CREATE INDEX ON lab.things_wards (thing_id);"
        " CREATE INDEX ON lab.things_wards (ward_id)",
        {
            "CREATE VIEW lab.things_wards AS SELECT 1": (
                "The existing definition differs. lab.things_wards is a view;"
                " the migrations say a table."
            ),
        },
    ),
    "index": Case(
        AddIndexIfMissing("Thing", models.Index(Lower("code"), name="things_code_idx")),
        AddIndex("Thing", models.Index(Lower("code"), name="things_code_idx")),
        "CREATE INDEX things_code_idx ON lab.things ((lower(code)))",
        {
            "CREATE INDEX things_code_idx ON lab.things (code)": (
                f"{THE} index lab.things_code_idx is INDEX (code); the migrations say INDEX"
                " (lower((code)::text))."
            ),
            "CREATE UNIQUE INDEX things_code_idx ON lab.things ((lower(code)))": (
                f"{THE} index lab.things_code_idx is UNIQUE INDEX (lower((code)::text));"
                " the migrations say INDEX (lower((code)::text))."
            ),
            f"{ALTER} ADD CONSTRAINT things_code_idx UNIQUE (code)": (
                f"{THE} constraint lab.things.things_code_idx is UNIQUE (code); the migrations say"
                " INDEX (lower((code)::text))."
            ),
            "CREATE INDEX things_code_idx ON lab.wards (id)": (
                f"{THE} name lab.things_code_idx belongs to an index of lab.wards; the migrations"
                " say to one of lab.things."
            ),
            "CREATE TABLE lab.things_code_idx ()": (
                f"{THE} name lab.things_code_idx belongs to a table; the migrations say to one of"
                " lab.things."
            ),
            "CREATE INDEX things_code_idx ON lab.things ((lower(code)));"
            " UPDATE pg_index SET indisvalid = false"
            " WHERE indexrelid = 'lab.things_code_idx'::regclass": (
                f"{THE} index lab.things_code_idx is INDEX (lower((code)::text)) INVALID;"
                " the migrations say INDEX (lower((code)::text))."
            ),
        },
    ),
    "check_constraint": Case(
        AddConstraintIfMissing(
            "Thing", models.CheckConstraint(condition=~Q(code="%"), name="things_qty_check")
        ),
        AddConstraint(
            "Thing", models.CheckConstraint(condition=~Q(code="%"), name="things_qty_check")
        ),
        f"{ALTER} ADD CONSTRAINT things_qty_check CHECK (NOT (code = '%'))",
        {
            f"{ALTER} ADD CONSTRAINT things_qty_check CHECK (code <> 'b')": (
                f"{THE} constraint lab.things.things_qty_check is CHECK (((code)::text <>"
                " 'b'::text)); the migrations say CHECK (((code)::text <> '%'::text))."
            ),
            f"{ALTER} ADD CONSTRAINT things_qty_check"
            " CHECK (NOT (code = '%')) NOT VALID": "NOT VALID; the migrations",
            f"{ALTER} ADD CONSTRAINT things_qty_check UNIQUE (code)": (
                f"{THE} constraint lab.things.things_qty_check is UNIQUE (code);"
            ),
        },
    ),
    "unique_constraint": Case(
        AddConstraintIfMissing(
            "Thing",
            models.UniqueConstraint(
                fields=["code"], name="things_code_key", deferrable=Deferrable.DEFERRED
            ),
        ),
        AddConstraint(
            "Thing",
            models.UniqueConstraint(
                fields=["code"], name="things_code_key", deferrable=Deferrable.DEFERRED
            ),
        ),
        f"{ALTER} ADD CONSTRAINT things_code_key UNIQUE (code) DEFERRABLE INITIALLY DEFERRED",
        {
            f"{ALTER} ADD CONSTRAINT things_code_key UNIQUE (code)": (
                f"{THE} constraint lab.things.things_code_key is UNIQUE (code); the migrations say"
                " UNIQUE (code) DEFERRABLE INITIALLY DEFERRED."
            ),
            "CREATE UNIQUE INDEX things_code_key ON lab.things (code)": (
                f"{THE} index lab.things_code_key is UNIQUE INDEX (code); the migrations say"
            ),
        },
    ),
    "conditional_constraint": Case(
        AddConstraintIfMissing(
            "Thing",
            models.UniqueConstraint(fields=["code"], name="things_code_key", condition=Q(id__gt=5)),
        ),
        AddConstraint(
            "Thing",
            models.UniqueConstraint(fields=["code"], name="things_code_key", condition=Q(id__gt=5)),
        ),
        "CREATE UNIQUE INDEX things_code_key ON lab.things (code) WHERE id > 5",
        {
            "CREATE UNIQUE INDEX things_code_key ON lab.things (code) WHERE id > 6": (
                f"{THE} index lab.things_code_key is UNIQUE INDEX (code) WHERE (id > 6);"
                " the migrations say UNIQUE INDEX (code) WHERE (id > 5)."
            ),
        },
    ),
    "model": Case(
        CreateModelIfMissing("Sample", SAMPLE_FIELDS, SAMPLE_OPTIONS),
        CreateModel("Sample", SAMPLE_FIELDS, SAMPLE_OPTIONS),
        """
        CREATE TABLE lab.samples (id bigserial PRIMARY KEY, thing_id bigint NOT NULL
            REFERENCES lab.things DEFERRABLE INITIALLY DEFERRED, code varchar(20) NOT NULL UNIQUE,
            CONSTRAINT samples_check CHECK (NOT (code = '')));
        CREATE INDEX samples_idx ON lab.samples (code, thing_id);
        CREATE INDEX ON lab.samples (code varchar_pattern_ops);
        CREATE INDEX ON lab.samples (thing_id);
        CREATE INDEX more ON lab.samples (thing_id, code);
        CREATE TABLE lab.samples_wards (id bigserial PRIMARY KEY,
            sample_id bigint NOT NULL REFERENCES lab.samples DEFERRABLE INITIALLY DEFERRED,
            ward_id bigint NOT NULL REFERENCES lab.wards DEFERRABLE INITIALLY DEFERRED,
            UNIQUE (sample_id, ward_id));
        CREATE INDEX ON lab.samples_wards (sample_id);
        CREATE INDEX ON lab.samples_wards (ward_id)
        """,
        {
            "CREATE TABLE lab.samples (id bigserial PRIMARY KEY, thing_id integer NOT NULL"
            " REFERENCES lab.things DEFERRABLE INITIALLY DEFERRED,"
            " code varchar(20) NOT NULL UNIQUE, extra text,"
            " CONSTRAINT samples_check CHECK (NOT (code = '')));"
            " CREATE INDEX samples_idx ON lab.samples (code, thing_id);"
            " CREATE INDEX ON lab.samples (code varchar_pattern_ops);"
            " CREATE INDEX ON lab.samples (thing_id)": (
                f"{THE} type of the column lab.samples.thing_id is integer; the migrations say"
                " bigint. The column lab.samples.extra exists only in the database."
            ),
            "CREATE VIEW lab.samples AS SELECT 1": (
                "The existing definition differs. lab.samples is a view;"
                " the migrations say a table."
            ),
        },
    ),
}


@pytest.mark.parametrize("name", ADDITIONS)
def test_missing_is_made_as_by_the_plain_operation(lab: Lab, name: str) -> None:
    case, before, decoys = ADDITIONS[name], lab.schema, lab.decoys
    lab.run(case.plain)
    made = lab.schema
    assert made != before
    lab.revert(case.plain)

    lab.run(case.conditional)

    assert lab.schema == made
    lab.revert(case.conditional)
    assert (lab.schema, lab.decoys) == (before, decoys)
    lab.revert(case.conditional)  # what is gone is gone
    assert (lab.schema, lab.decoys) == (before, decoys)


@pytest.mark.parametrize("name", ADDITIONS)
def test_equal_object_is_kept_and_reverted(lab: Lab, name: str) -> None:
    case, before, decoys = ADDITIONS[name], lab.schema, lab.decoys
    execute(case.equal)
    by_hand = lab.schema

    after = lab.run(case.conditional)

    assert (lab.schema, lab.decoys) == (by_hand, decoys)
    assert after == lab.run_state(case.plain)
    lab.revert(case.conditional)
    if name != "check":  # the check of another column, made by hand, stays
        assert lab.schema == before
    assert lab.decoys == decoys


@pytest.mark.parametrize("name", ADDITIONS)
def test_twice_is_once(lab: Lab, name: str) -> None:
    case, before, decoys = ADDITIONS[name], lab.schema, lab.decoys
    lab.run(case.plain)
    made = lab.schema
    lab.revert(case.plain)

    once = lab.state
    lab.keep(case.conditional)
    lab.keep(case.conditional)
    assert lab.schema == made
    assert lab.state == lab.run_state(case.plain, once)
    lab.revert(case.conditional)  # the second: the first one's work stays
    assert lab.schema == made
    lab.state = once
    lab.revert(case.conditional)
    assert (lab.schema, lab.decoys) == (before, decoys)


@pytest.mark.parametrize("name", ADDITIONS)
@pytest.mark.parametrize("first", ["plain", "conditional"])
def test_inside_the_transaction_that_made_it(lab: Lab, name: str, first: str) -> None:
    """Foreign keys and indexes are still to come there: the editor has put them off."""
    case, before, decoys = ADDITIONS[name], lab.schema, lab.decoys
    lab.run(case.plain)
    made = lab.schema
    lab.revert(case.plain)
    operations = (getattr(case, first), case.conditional)

    after = lab.run(*operations)

    assert (lab.schema, lab.decoys) == (made, decoys)
    assert after == lab.run_state(case.plain)
    lab.revert(*operations)
    assert (lab.schema, lab.decoys) == (before, decoys)


@pytest.mark.parametrize(
    ("name", "number"),
    [(name, number) for name, case in ADDITIONS.items() for number in range(len(case.different))],
)
def test_different_is_refused(lab: Lab, name: str, number: int) -> None:
    case = ADDITIONS[name]
    made, message = list(case.different.items())[number]
    execute(made)
    before = lab.schema, lab.decoys

    with pytest.raises(DefinitionMismatch) as refused:
        lab.run(case.conditional)

    assert message in str(refused.value)
    assert message == str(refused.value) or not message.endswith(".")
    assert (lab.schema, lab.decoys) == before


UNDONE = {
    "text": f"{ALTER} ADD note integer",
    "varchar": f"{ALTER} ADD note varchar(30)",
    "many_to_many": "CREATE VIEW lab.things_wards AS SELECT 1",
    "index": "CREATE INDEX things_code_idx ON lab.things (code)",
    "check_constraint": f"{ALTER} ADD CONSTRAINT things_qty_check CHECK (code <> 'b')",
    "unique_constraint": f"{ALTER} ADD CONSTRAINT things_code_key UNIQUE (code)",
    "model": "CREATE TABLE lab.samples (id bigint); CREATE TABLE lab.samples_wards ()",
}


@pytest.mark.parametrize("name", UNDONE)
def test_different_object_is_not_reverted(lab: Lab, name: str) -> None:
    execute(UNDONE[name])
    before = lab.schema, lab.decoys

    with pytest.raises(DefinitionMismatch):
        lab.revert(ADDITIONS[name].conditional)

    assert (lab.schema, lab.decoys) == before


def test_a_default_that_the_field_has_too_is_equal(lab: Lab) -> None:
    execute(f"{ALTER} ADD note varchar(30) NOT NULL DEFAULT 'new'")
    before = lab.schema

    lab.run(ADDITIONS["varchar"].conditional)

    assert lab.schema == before


def test_a_default_for_once_is_equal_too(lab: Lab) -> None:
    execute(f"{ALTER} ADD note integer NOT NULL DEFAULT 7")
    field = models.IntegerField(default=7)
    lab.run(AddFieldIfMissing("Thing", "note", field, preserve_default=False))
    other = models.IntegerField(default=8)
    with pytest.raises(DefinitionMismatch, match="a default only in the database: 7"):
        lab.run(AddFieldIfMissing("Thing", "note", other, preserve_default=False))


def test_some_of_the_tables_is_refused(lab: Lab) -> None:
    execute("CREATE TABLE lab.samples_wards (id bigserial PRIMARY KEY)")
    with pytest.raises(DefinitionMismatch):
        lab.run(ADDITIONS["model"].conditional)
    execute("DROP TABLE lab.samples_wards")
    lab.run(ADDITIONS["model"].conditional)
    execute("DROP TABLE lab.samples_wards")
    with pytest.raises(
        DefinitionMismatch, match=r"lab\.samples exists, but lab.samples_wards does not"
    ):
        lab.run(ADDITIONS["model"].conditional)


# Removing

REMOVE = RemoveFieldIfPresent("Thing", "note")
NOTE = AddField("Thing", "note", models.CharField(max_length=9, default="", db_index=True))


def test_remove_existing_objects(lab: Lab) -> None:
    without, decoys = lab.schema, lab.decoys
    lab.keep(NOTE)
    made = lab.schema

    after = lab.run(REMOVE)

    assert (lab.schema, lab.decoys) == (without, decoys)
    assert after == lab.run_state(RemoveField("Thing", "note"))
    lab.revert(REMOVE)
    assert (lab.schema, lab.decoys) == (made, decoys)
    lab.revert(REMOVE)
    assert (lab.schema, lab.decoys) == (made, decoys)


def test_remove_missing_objects_and_twice(lab: Lab) -> None:
    lab.keep(NOTE)
    made, decoys = lab.schema, lab.decoys
    execute(f"{ALTER} DROP note")
    without = lab.schema
    lab.run(REMOVE, REMOVE)
    assert (lab.schema, lab.decoys) == (without, decoys)
    lab.revert(REMOVE, REMOVE)
    assert (lab.schema, lab.decoys) == (made, decoys)


def test_remove_refuses_different_objects(lab: Lab) -> None:
    lab.keep(NOTE)
    execute(f"{ALTER} ALTER note TYPE text")
    before = lab.schema, lab.decoys
    message = "lab.things.note is text; the migrations say character varying"
    with pytest.raises(DefinitionMismatch, match=message):
        lab.run(REMOVE)
    execute(f"{ALTER} ALTER note TYPE varchar(9)")
    execute(f"{ALTER} ALTER note DROP NOT NULL")
    with pytest.raises(DefinitionMismatch, match=r"lab\.things\.note allows NULL"):
        lab.run(REMOVE)
    with pytest.raises(DefinitionMismatch, match=r"lab\.things\.note allows NULL"):
        lab.revert(REMOVE)
    execute(f"{ALTER} ALTER note SET NOT NULL")
    assert lab.decoys == before[1]


def test_remove_in_the_transaction_that_added(lab: Lab) -> None:
    before = lab.schema, lab.decoys
    lab.run(NOTE, REMOVE)
    assert (lab.schema, lab.decoys) == before
    lab.revert(NOTE, REMOVE)
    assert (lab.schema, lab.decoys) == before


def test_remove_a_column_that_no_field_describes(lab: Lab) -> None:
    before = lab.schema, lab.decoys
    execute(f'{ALTER} ADD "Old note" integer REFERENCES lab.things')
    remove = RemoveFieldIfPresent("Thing", "Old note")
    state = lab.run(remove, remove)
    assert (lab.schema, lab.decoys) == before
    assert state == lab.state
    lab.revert(remove, remove)
    assert (lab.schema, lab.decoys) == before


def test_remove_many_to_many(lab: Lab) -> None:
    before = lab.schema, lab.decoys
    lab.keep(AddField("Thing", "wards", models.ManyToManyField("lab.Ward")))
    made = lab.schema
    remove = RemoveFieldIfPresent("Thing", "wards")
    lab.run(remove)
    assert (lab.schema, lab.decoys) == before
    lab.run(remove)
    lab.revert(remove)
    assert (lab.schema, lab.decoys) == (made, before[1])


def test_without_a_transaction(lab: Lab) -> None:
    operation = ADDITIONS["key"].conditional
    lab.run(operation, atomic=False)
    made = lab.schema
    lab.run(operation, operation, atomic=False)
    assert lab.schema == made


def test_plain_tables_in_public(lab: Lab) -> None:
    """Whatever the search path says, a bare name is a table of `public`."""
    lab.state = lab.state.clone()
    execute("DROP TABLE public.things; CREATE TABLE public.shelves (id bigserial PRIMARY KEY)")
    shelf = CreateModelIfMissing(
        "Shelf",
        [("id", models.BigAutoField(primary_key=True))],
        {"db_table": "shelves"},
    )
    add = AddFieldIfMissing("Shelf", "note", models.TextField(null=True))
    before = lab.decoys
    lab.keep(shelf)
    assert lab.decoys == before
    lab.run(add, add, AddIndexIfMissing("Shelf", models.Index(F("note"), name="shelves_idx")))
    assert "index public.shelves_idx" in lab.decoys
