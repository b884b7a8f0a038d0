"""The kinds of migration of the page on Citus, each the operations of a migration of the lab."""

from __future__ import annotations

from typing import NamedTuple

HEADER = """
import datetime
import uuid
from decimal import Decimal

from django.contrib.postgres import fields as pg
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.indexes import BrinIndex, GinIndex, GistIndex, HashIndex
from django.contrib.postgres.operations import (
    AddConstraintNotValid, AddIndexConcurrently, RemoveIndexConcurrently, ValidateConstraint,
)
from django.db import migrations, models
from django.db.models import F, Q, Value
from django.db.models.functions import Lower, Now, Upper
from domain_migrations import operations as own

Sql = migrations.RunSQL
"""

BASE = """
    initial = True
    operations = [
        migrations.CreateModel("Ward", fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("name", models.CharField(max_length=20)),
        ], options={"db_table": '"lab"."wards"'}),
        migrations.CreateModel("Tag", fields=[
            ("id", models.AutoField(primary_key=True)),
            ("label", models.CharField(max_length=20, unique=True)),
        ], options={"db_table": '"lab"."tags"'}),
        migrations.CreateModel("Thing", fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("code", models.CharField(max_length=20, db_index=True)),
            ("size", models.IntegerField(null=True)),
            ("amount", models.PositiveIntegerField(default=0)),
            ("price", models.DecimalField(max_digits=8, decimal_places=2, null=True)),
            ("note", models.TextField(default="")),
            ("at", models.DateTimeField(null=True)),
            ("data", models.JSONField(default=dict)),
            ("ward", models.ForeignKey("lab.Ward", models.CASCADE, null=True)),
            ("person", models.ForeignKey("registry.Person", models.CASCADE, null=True)),
            ("tags", models.ManyToManyField("lab.Tag", db_table='"lab"."thing_tags"')),
        ], options={"db_table": '"lab"."things"'}),
        migrations.AddIndex("Thing", models.Index(fields=["size"], name="things_size")),
        migrations.AddConstraint("Thing", models.CheckConstraint(
            condition=Q(size__gt=0), name="things_size_check")),
        migrations.AddConstraint("Thing", models.UniqueConstraint(
            fields=["code", "ward"], name="things_code_ward")),
    ]
"""
ROWS = """
    dependencies = [("lab", "0001_initial")]
    operations = [
        migrations.RunSQL(
            ["INSERT INTO lab.wards (name) VALUES ('A'), ('B')",
             "INSERT INTO lab.tags (label) VALUES ('x'), ('y')",
             "INSERT INTO lab.things (code, size, amount, note, data, ward_id, person_id) VALUES"
             " ('a', 1, 1, 'n', '{}', 1, 1), ('b', 2, 2, '', '{}', 2, NULL)",
             "INSERT INTO lab.thing_tags (thing_id, tag_id) VALUES (1, 1)"],
            ["DELETE FROM lab.thing_tags", "DELETE FROM lab.things", "DELETE FROM lab.tags",
             "DELETE FROM lab.wards"]),
    ]
"""


KEY = '("id", models.BigAutoField(primary_key=True)), '


class Kind(NamedTuple):
    """One kind of migration.

    Attributes:
        operations: Python source, after the header.
        says: more attributes of the migration.
        code: functions that the operations name.
        app: the app of the migration; that of core has the model of a reference table.
    """

    group: str
    title: str
    operations: str
    says: str = ""
    code: str = ""
    app: str = "lab"


def of_core(title: str, operations: str, *, says: str = "", code: str = "") -> Kind:
    return Kind("Core, on a reference table", title, operations, says, code, "registry")


def add(title: str, field: str, name: str = "extra") -> Kind:
    return Kind("New columns", title, f'migrations.AddField("Thing", "{name}", {field})')


def alter(title: str, name: str, field: str, model: str = "Thing") -> Kind:
    operation = f'migrations.AlterField("{model}", "{name}", {field})'
    return Kind("Changed columns", title, operation)


def create(title: str, fields: str, options: str = "") -> Kind:
    key = "" if "primary_key" in fields or "CompositePrimaryKey" in fields else KEY
    table = f"{{'db_table': '\"lab\".\"samples\"', {options}}}"
    operation = f'migrations.CreateModel("Sample", fields=[{key}{fields}], options={table})'
    return Kind("Tables", title, operation)


def index(title: str, index: str) -> Kind:
    return Kind("Indexes", title, f'migrations.AddIndex("Thing", {index})')


def constraint(title: str, constraint: str) -> Kind:
    return Kind("Constraints", title, f'migrations.AddConstraint("Thing", {constraint})')


def sql(title: str, forwards: str, backwards: str) -> Kind:
    return Kind("RunSQL", title, f"Sql({forwards}, {backwards})")


def python(title: str, forwards: str, backwards: str = "pass", more: str = "") -> Kind:
    code = "".join(
        f"def {name}(apps, editor):\n    Thing = apps.get_model('lab', 'Thing')\n"
        "    alias = editor.connection.alias\n    things = Thing.objects.using(alias)\n"
        f"    {body}\n\n"
        for name, body in (("forwards", forwards), ("backwards", backwards))
    )
    return Kind("RunPython", title, f"migrations.RunPython(forwards, backwards){more}", code=code)


TRIGGER = (
    '"CREATE FUNCTION lab.touch() RETURNS trigger LANGUAGE plpgsql AS'
    " 'BEGIN new.note := upper(new.note); RETURN new; END'\""
)
TABLES = [
    create("CreateModel", '("name", models.TextField())'),
    create("with foreign keys to the domain and to core",
           '("ward", models.ForeignKey("lab.Ward", models.CASCADE)),'
           ' ("person", models.ForeignKey("registry.Person", models.CASCADE))'),
    create("with a many-to-many field",
           '("tags", models.ManyToManyField("lab.Tag", db_table=\'"lab"."sample_tags"\'))'),
    create("with a foreign key to itself",
           '("parent", models.ForeignKey("self", models.CASCADE, null=True))'),
    create("with a UUID as its key", '("id", models.UUIDField(primary_key=True))'),
    create("with a composite key",
           '("pk", models.CompositePrimaryKey("a", "b")), ("a", models.IntegerField()),'
           ' ("b", models.IntegerField())'),
    create("with checks, unique fields and an index",
           '("n", models.PositiveIntegerField()), ("code", models.SlugField(unique=True))'),
    create("with a database default and a comment",
           '("at", models.DateTimeField(db_default=Now(), db_comment="when"))',
           "'db_table_comment': 'all samples'"),
    create("with a generated column",
           '("n", models.IntegerField()), ("twice", models.GeneratedField(expression=F("n") * 2,'
           " output_field=models.IntegerField(), db_persist=True))"),
    Kind("Tables", "of a model that inherits",
         'migrations.CreateModel("Big", fields=[("thing_ptr", models.OneToOneField("lab.Thing",'
         ' models.CASCADE, parent_link=True, primary_key=True, serialize=False)),'
         ' ("weight", models.IntegerField())], options={"db_table": \'"lab"."bigs"\'},'
         ' bases=("lab.thing",))'),
    Kind("Tables", "DeleteModel, with its many-to-many table",
         'migrations.RemoveField("Thing", "tags"), migrations.DeleteModel("Tag")'),
    Kind("Tables", "DeleteModel with rows and foreign keys", 'migrations.DeleteModel("Thing")'),
    Kind("Tables", "RenameModel", 'migrations.RenameModel("Ward", "Room")'),
    Kind("Tables", "AlterModelTable",
         'migrations.AlterModelTable("Ward", \'"lab"."rooms"\')'),
    Kind("Tables", "AlterModelTable with a many-to-many field",
         'migrations.AlterModelTable("Thing", \'"lab"."objects"\')'),
    Kind("Tables", "AlterModelTableComment",
         'migrations.AlterModelTableComment("Thing", "all things")'),
    Kind("Tables", "AlterUniqueTogether",
         'migrations.AlterUniqueTogether("Thing", {("code", "size")})'),
    Kind("Tables", "AlterOrderWithRespectTo",
         'migrations.AlterOrderWithRespectTo("Thing", "ward")'),
    Kind("Tables", "AlterModelOptions",
         'migrations.AlterModelOptions("Thing", {"verbose_name": "object"})'),
]  # fmt: skip
ADDED = [
    add("CharField with a default", 'models.CharField(max_length=20, default="x")'),
    add("TextField, null", "models.TextField(null=True)"),
    add("IntegerField with a default", "models.IntegerField(default=1)"),
    add("PositiveIntegerField (with a check)", "models.PositiveIntegerField(default=1)"),
    add("PositiveIntegerField, null", "models.PositiveIntegerField(null=True)"),
    add("PositiveIntegerField, unique", "models.PositiveIntegerField(null=True, unique=True)"),
    add("BigIntegerField with a database default", "models.BigIntegerField(db_default=5)"),
    add("BooleanField with a default", "models.BooleanField(default=False)"),
    add("DateField, null", "models.DateField(null=True)"),
    add("DateTimeField with db_default=Now()", "models.DateTimeField(db_default=Now())"),
    add("DecimalField with a default",
        'models.DecimalField(max_digits=8, decimal_places=2, default=Decimal("1.50"))'),
    add("FloatField, null", "models.FloatField(null=True)"),
    add("DurationField with a default",
        "models.DurationField(default=datetime.timedelta(days=1))"),
    add("UUIDField with a default", "models.UUIDField(default=uuid.uuid4)"),
    add("UUIDField, null and unique", "models.UUIDField(null=True, unique=True)"),
    add("JSONField with a default", "models.JSONField(default=list)"),
    add("BinaryField, null", "models.BinaryField(null=True)"),
    add("GenericIPAddressField, null", "models.GenericIPAddressField(null=True)"),
    add("SlugField (with two indexes)", 'models.SlugField(default="")'),
    add("CharField, unique", "models.CharField(max_length=20, null=True, unique=True)"),
    add("CharField with an index", 'models.CharField(max_length=20, default="", db_index=True)'),
    add("field with a comment", 'models.TextField(null=True, db_comment="a note")'),
    add("field with a collation", 'models.TextField(null=True, db_collation="C")'),
    add("ArrayField", "pg.ArrayField(models.IntegerField(), default=list)"),
    add("DateRangeField", "pg.DateRangeField(null=True)"),
    add("GeneratedField",
        'models.GeneratedField(expression=F("size") * 2, output_field=models.IntegerField(),'
        " db_persist=True)"),
    add("ForeignKey to the domain",
        'models.ForeignKey("lab.Ward", models.CASCADE, null=True, related_name="+")'),
    add("ForeignKey to core",
        'models.ForeignKey("registry.Person", models.CASCADE, null=True, related_name="+")'),
    add("ForeignKey, required, with a default",
        'models.ForeignKey("lab.Ward", models.CASCADE, default=1, related_name="+")'),
    add("ForeignKey to itself", 'models.ForeignKey("self", models.CASCADE, null=True)'),
    add("ForeignKey with db_constraint=False",
        'models.ForeignKey("registry.Person", models.CASCADE, null=True, db_constraint=False,'
        ' related_name="+")'),
    add("OneToOneField",
        'models.OneToOneField("lab.Ward", models.CASCADE, null=True, related_name="+")'),
    add("ManyToManyField",
        'models.ManyToManyField("lab.Tag", related_name="+", db_table=\'"lab"."more_tags"\')'),
]  # fmt: skip
WARD = 'models.ForeignKey("lab.Ward", models.CASCADE, null=True'
CHANGED = [
    alter("longer CharField", "code", "models.CharField(max_length=50, db_index=True)"),
    alter("shorter CharField", "code", "models.CharField(max_length=10, db_index=True)"),
    alter("CharField to TextField", "code", "models.TextField(db_index=True)"),
    alter("TextField to CharField", "note", 'models.CharField(max_length=50, default="")'),
    alter("IntegerField to BigIntegerField", "size", "models.BigIntegerField(null=True)"),
    alter("IntegerField to PositiveIntegerField", "size",
          "models.PositiveIntegerField(null=True)"),
    alter("PositiveIntegerField to IntegerField", "amount", "models.IntegerField(default=0)"),
    alter("IntegerField to CharField", "amount", 'models.CharField(max_length=9, default="")'),
    alter("null to required, with a default", "at",
          "models.DateTimeField(default=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))"),
    alter("required to null", "note", "models.TextField(null=True)"),
    alter("new database default", "size", "models.IntegerField(null=True, db_default=3)"),
    alter("DecimalField with more digits", "price",
          "models.DecimalField(max_digits=12, decimal_places=4, null=True)"),
    alter("unique", "size", "models.IntegerField(null=True, unique=True)"),
    alter("not unique", "label", "models.CharField(max_length=20)", "Tag"),
    alter("new index", "note", 'models.TextField(default="", db_index=True)'),
    alter("without its index", "code", "models.CharField(max_length=20)"),
    alter("comment", "note", 'models.TextField(default="", db_comment="a note")'),
    alter("collation", "note", 'models.TextField(default="", db_collation="C")'),
    alter("ForeignKey to OneToOneField", "ward",
          'models.OneToOneField("lab.Ward", models.CASCADE, null=True)'),
    alter("ForeignKey without its constraint", "ward", f"{WARD}, db_constraint=False)"),
    alter("ForeignKey required", "ward",
          'models.ForeignKey("lab.Ward", models.CASCADE, default=1)'),
    alter("key from AutoField to BigAutoField", "id", "models.BigAutoField(primary_key=True)",
          "Tag"),
    alter("many-to-many field to another table", "tags",
          'models.ManyToManyField("lab.Tag", db_table=\'"lab"."thing_labels"\')'),
    Kind("Changed columns", "RenameField", 'migrations.RenameField("Thing", "note", "remark")'),
    Kind("Changed columns", "RenameField with an index and constraints",
         'migrations.RenameField("Thing", "code", "number")'),
    Kind("Changed columns", "RenameField of a foreign key",
         'migrations.RenameField("Thing", "ward", "room")'),
    Kind("Changed columns", "RemoveField", 'migrations.RemoveField("Thing", "at")'),
    Kind("Changed columns", "RemoveField with a check",
         'migrations.RemoveField("Thing", "amount")'),
    Kind("Changed columns", "RemoveField of a foreign key to core",
         'migrations.RemoveField("Thing", "person")'),
    Kind("Changed columns", "RemoveField of a many-to-many field",
         'migrations.RemoveField("Thing", "tags")'),
]  # fmt: skip
INDEXES = [
    index("AddIndex", 'models.Index(fields=["note"], name="more")'),
    index("on several columns, descending", 'models.Index(fields=["size", "-at"], name="more")'),
    index("partial",
          'models.Index(fields=["note"], name="more", condition=Q(size__gt=1))'),
    index("on an expression", 'models.Index(Lower("note"), name="more")'),
    index("with more columns (INCLUDE)",
          'models.Index(fields=["note"], include=["size"], name="more")'),
    index("BRIN", 'BrinIndex(fields=["at"], name="more")'),
    index("GIN on JSON", 'GinIndex(fields=["data"], name="more")'),
    index("hash", 'HashIndex(fields=["note"], name="more")'),
    index("with an operator class",
          'models.Index(fields=["note"], opclasses=["text_pattern_ops"], name="more")'),
    Kind("Indexes", "RemoveIndex", 'migrations.RemoveIndex("Thing", "things_size")'),
    Kind("Indexes", "RenameIndex",
         'migrations.RenameIndex("Thing", new_name="things_by_size", old_name="things_size")'),
    Kind("Indexes", "AddIndexConcurrently",
         'AddIndexConcurrently("Thing", models.Index(fields=["note"], name="more"))',
         "atomic = False"),
    Kind("Indexes", "RemoveIndexConcurrently",
         'RemoveIndexConcurrently("Thing", "things_size")', "atomic = False"),
]  # fmt: skip
CONSTRAINTS = [
    constraint("check", 'models.CheckConstraint(condition=Q(amount__gte=0), name="more")'),
    constraint("unique", 'models.UniqueConstraint(fields=["size"], name="more")'),
    constraint("unique, partial",
               'models.UniqueConstraint(fields=["note"], condition=Q(size__gt=1), name="more")'),
    constraint("unique, on an expression",
               'models.UniqueConstraint(Lower("code"), name="more")'),
    constraint("unique, deferrable",
               'models.UniqueConstraint(fields=["size"], name="more",'
               " deferrable=models.Deferrable.DEFERRED)"),
    constraint("unique, nulls not distinct",
               'models.UniqueConstraint(fields=["size"], nulls_distinct=False, name="more")'),
    constraint("exclusion",
               'ExclusionConstraint(name="more", expressions=[(models.Func("size",'
               ' Value(None), function="int4range", output_field=pg.IntegerRangeField()), "&&")],'
               " condition=Q(size__gt=1))"),
    Kind("Constraints", "AddConstraintNotValid, ValidateConstraint",
         'AddConstraintNotValid("Thing", models.CheckConstraint(condition=Q(amount__gte=0),'
         ' name="more")), ValidateConstraint("Thing", "more")'),
    Kind("Constraints", "RemoveConstraint of a check",
         'migrations.RemoveConstraint("Thing", "things_size_check")'),
    Kind("Constraints", "RemoveConstraint, unique",
         'migrations.RemoveConstraint("Thing", "things_code_ward")'),
]  # fmt: skip
RUN_SQL = [
    sql("function", "\"CREATE FUNCTION lab.one() RETURNS int LANGUAGE sql AS 'SELECT 1'\"",
        '"DROP FUNCTION lab.one()"'),
    sql("procedure", "\"CREATE PROCEDURE lab.p() LANGUAGE sql AS 'DELETE FROM lab.tags'\"",
        '"DROP PROCEDURE lab.p()"'),
    sql("trigger",
        f'[{TRIGGER}, "CREATE TRIGGER touch BEFORE UPDATE ON lab.things FOR EACH ROW'
        ' EXECUTE FUNCTION lab.touch()"]',
        '["DROP TRIGGER touch ON lab.things", "DROP FUNCTION lab.touch()"]'),
    sql("trigger, in one string with its function",
        f'{TRIGGER} "; CREATE TRIGGER touch BEFORE UPDATE ON lab.things FOR EACH ROW'
        ' EXECUTE FUNCTION lab.touch();"',
        '"DROP TRIGGER touch ON lab.things; DROP FUNCTION lab.touch();"'),
    sql("constraint trigger",
        f'[{TRIGGER}, "CREATE CONSTRAINT TRIGGER touch AFTER UPDATE ON lab.things DEFERRABLE'
        ' INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lab.touch()"]',
        '["DROP TRIGGER touch ON lab.things", "DROP FUNCTION lab.touch()"]'),
    sql("view", '"CREATE VIEW lab.v AS SELECT t.id, w.name FROM lab.things t JOIN lab.wards w'
        ' ON w.id = t.ward_id"', '"DROP VIEW lab.v"'),
    sql("view over core too", '"CREATE VIEW lab.v AS SELECT t.id, p.name FROM lab.things t'
        ' JOIN public.people p ON p.id = t.person_id"', '"DROP VIEW lab.v"'),
    sql("materialized view", '"CREATE MATERIALIZED VIEW lab.v AS SELECT id FROM lab.things"',
        '"DROP MATERIALIZED VIEW lab.v"'),
    sql("enum type", "[\"CREATE TYPE lab.mood AS ENUM ('a', 'b')\","
        ' "ALTER TABLE lab.things ADD COLUMN mood lab.mood"]',
        '["ALTER TABLE lab.things DROP COLUMN mood", "DROP TYPE lab.mood"]'),
    sql("domain type", '"CREATE DOMAIN lab.positive AS int CHECK (VALUE > 0)"',
        '"DROP DOMAIN lab.positive"'),
    sql("composite type", '"CREATE TYPE lab.pair AS (a int, b int)"', '"DROP TYPE lab.pair"'),
    sql("row security and a policy",
        '["ALTER TABLE lab.things ENABLE ROW LEVEL SECURITY", "CREATE POLICY mine ON lab.things'
        ' USING (true)"]',
        '["DROP POLICY mine ON lab.things", "ALTER TABLE lab.things DISABLE ROW LEVEL SECURITY"]'),
    sql("policy with a query",
        '"CREATE POLICY mine ON lab.things USING (ward_id IN (SELECT id FROM lab.wards))"',
        '"DROP POLICY mine ON lab.things"'),
    sql("partitioned table",
        '["CREATE TABLE lab.log (id int, at date) PARTITION BY RANGE (at)", "CREATE TABLE'
        " lab.log_26 PARTITION OF lab.log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')\"]",
        '"DROP TABLE lab.log"'),
    sql("extended statistics",
        '"CREATE STATISTICS lab.st ON size, amount FROM lab.things"', '"DROP STATISTICS lab.st"'),
    sql("sequence and a default from it",
        '["CREATE SEQUENCE lab.numbers AS integer", "ALTER TABLE lab.things ALTER COLUMN size'
        " SET DEFAULT nextval('lab.numbers')\"]",
        '["ALTER TABLE lab.things ALTER COLUMN size DROP DEFAULT", "DROP SEQUENCE lab.numbers"]'),
    sql("sequence of another type than the column that draws from it",
        '["CREATE SEQUENCE lab.numbers", "ALTER TABLE lab.things ALTER COLUMN size SET DEFAULT'
        " nextval('lab.numbers')\"]",
        '["ALTER TABLE lab.things ALTER COLUMN size DROP DEFAULT", "DROP SEQUENCE lab.numbers"]'),
    sql("rule that does nothing",
        '"CREATE RULE keep AS ON DELETE TO lab.tags DO INSTEAD NOTHING"',
        '"DROP RULE keep ON lab.tags"'),
    sql("storage parameters", '"ALTER TABLE lab.things SET (fillfactor = 80)"',
        '"ALTER TABLE lab.things RESET (fillfactor)"'),
    sql("replica identity", '"ALTER TABLE lab.things REPLICA IDENTITY FULL"',
        '"ALTER TABLE lab.things REPLICA IDENTITY DEFAULT"'),
    sql("table with data (CREATE TABLE AS)", '"CREATE TABLE lab.copy AS SELECT * FROM lab.things"',
        '"DROP TABLE lab.copy"'),
    sql("unlogged table", '"CREATE UNLOGGED TABLE lab.cache (id int)"', '"DROP TABLE lab.cache"'),
    sql("INSERT, UPDATE and DELETE in one string",
        "\"INSERT INTO lab.wards (name) VALUES ('C'); UPDATE lab.wards SET name = lower(name);"
        " DELETE FROM lab.wards WHERE name = 'c';\"", '""'),
    sql("UPDATE with now()", '"UPDATE lab.things SET at = now()"',
        '"UPDATE lab.things SET at = NULL"'),
    sql("UPDATE from another table",
        '"UPDATE lab.things t SET note = w.name FROM lab.wards w WHERE w.id = t.ward_id"', '""'),
    sql("DO block", '"DO $$ BEGIN UPDATE lab.things SET note = \'z\'; END $$"', '""'),
    sql("several statements in one string",
        '"ALTER TABLE lab.things ALTER COLUMN note DROP NOT NULL;'
        ' CREATE INDEX more ON lab.things (note);"',
        '"DROP INDEX lab.more; ALTER TABLE lab.things ALTER COLUMN note SET NOT NULL;"'),
    sql("ADD COLUMN with a check without a name",
        '"ALTER TABLE lab.things ADD COLUMN n int CHECK (n > 0)"',
        '"ALTER TABLE lab.things DROP COLUMN n"'),
    sql("ADD COLUMN and ADD CONSTRAINT in one statement",
        '"ALTER TABLE lab.things ADD COLUMN n int, ADD CONSTRAINT n_check CHECK (n > 0)"',
        '"ALTER TABLE lab.things DROP COLUMN n"'),
    sql("constraints without a name",
        '["ALTER TABLE lab.things ADD CHECK (amount < 99)", "ALTER TABLE lab.things ADD UNIQUE'
        ' (size, note)", "ALTER TABLE lab.wards ADD EXCLUDE (name WITH =)"]',
        '["ALTER TABLE lab.things DROP CONSTRAINT things_amount_check1", "ALTER TABLE lab.things'
        ' DROP CONSTRAINT things_size_note_key", "ALTER TABLE lab.wards DROP CONSTRAINT'
        ' wards_name_excl"]'),
    sql("RENAME CONSTRAINT",
        '"ALTER TABLE lab.things RENAME CONSTRAINT things_size_check TO size_check"',
        '"ALTER TABLE lab.things RENAME CONSTRAINT size_check TO things_size_check"'),
    sql("ALTER SEQUENCE", '"ALTER SEQUENCE lab.things_id_seq INCREMENT BY 2"',
        '"ALTER SEQUENCE lab.things_id_seq INCREMENT BY 1"'),
    sql("new identity", '"ALTER TABLE lab.things ADD COLUMN n int GENERATED ALWAYS AS IDENTITY"',
        '"ALTER TABLE lab.things DROP COLUMN n"'),
    sql("SET STORAGE", '"ALTER TABLE lab.things ALTER COLUMN note SET STORAGE EXTERNAL"',
        '"ALTER TABLE lab.things ALTER COLUMN note SET STORAGE EXTENDED"'),
    sql("SET STATISTICS", '"ALTER TABLE lab.things ALTER COLUMN note SET STATISTICS 500"',
        '"ALTER TABLE lab.things ALTER COLUMN note SET STATISTICS -1"'),
    sql("UPDATE with a volatile function",
        '"UPDATE lab.things SET note = gen_random_uuid()::text"', '""'),
    sql("DO UPDATE with now()",
        "\"INSERT INTO lab.things (id, code, amount, note, data) VALUES (1, 'a', 1, '', '{}')"
        ' ON CONFLICT (id) DO UPDATE SET at = now()"', '""'),
    sql("table that inherits", '"CREATE TABLE lab.child () INHERITS (lab.wards)"',
        '"DROP TABLE lab.child"'),
    sql("range type", '["CREATE TYPE lab.sizes AS RANGE (subtype = int)",'
        ' "ALTER TABLE lab.things ADD COLUMN sizes lab.sizes"]',
        '["ALTER TABLE lab.things DROP COLUMN sizes", "DROP TYPE lab.sizes"]'),
]  # fmt: skip
FIELD = ', migrations.AddField("Thing", "extra", models.IntegerField(null=True))'
RUN_PYTHON = [
    python("save and create", 'things.create(code="c", size=5); things.get(code="a").save()',
           'things.filter(code="c").delete()'),
    python("bulk_create, bulk_update",
           'rows = things.bulk_create([Thing(code="d"), Thing(code="e")])\n'
           "    for row in rows: row.size = 3\n    things.bulk_update(rows, ['size'])",
           'things.filter(code__in="de").delete()'),
    python("bulk_create with update_conflicts",
           'things.bulk_create([Thing(id=1, code="a", note="w")], update_conflicts=True,'
           ' unique_fields=["id"], update_fields=["note"])'),
    python("update with F and a subquery",
           'things.update(note=Upper("code")); things.update(size=F("size") + 1)'),
    python("update with Now()", "things.update(at=Now())", "things.update(at=None)"),
    python("joins, aggregates, iterator",
           "list(things.select_related('ward', 'person').iterator());"
           " list(things.values('ward__name').annotate(n=models.Count('tags')))"),
    python("select_for_update", 'list(things.select_for_update().order_by("id"))'),
    python("delete with its relations", 'things.filter(code="b").delete()'),
    python("rows without foreign keys, then their table",
           "apps.get_model('lab', 'Ward').objects.using(alias).create(name='C')", "pass",
           ', migrations.AddField("Ward", "extra", models.IntegerField(null=True))'),
    python("rows with foreign keys, SET CONSTRAINTS ALL IMMEDIATE, then their table",
           'things.create(code="g", ward_id=1)', 'things.filter(code="g").delete()',
           ', Sql("SET CONSTRAINTS ALL IMMEDIATE", "")' + FIELD),
    python("rows with foreign keys, then their table", 'things.create(code="f", ward_id=1)',
           'things.filter(code="f").delete()', FIELD),
]  # fmt: skip
OWN = [
    Kind("Operations of the engine", "AddFieldIfMissing",
         'own.AddFieldIfMissing("Thing", "extra", models.PositiveIntegerField(default=1))'),
    Kind("Operations of the engine", "AddFieldIfMissing of a column that exists",
         'Sql("ALTER TABLE lab.things ADD COLUMN extra integer", ""),'
         ' own.AddFieldIfMissing("Thing", "extra", models.IntegerField(null=True))'),
    Kind("Operations of the engine", "RemoveFieldIfPresent",
         'own.RemoveFieldIfPresent("Thing", "at")'),
    Kind("Operations of the engine", "CreateModelIfMissing",
         'own.CreateModelIfMissing("Sample", fields=[("id", models.BigAutoField('
         'primary_key=True))], options={"db_table": \'"lab"."samples"\'})'),
    Kind("Operations of the engine", "AddIndexIfMissing",
         'own.AddIndexIfMissing("Thing", models.Index(fields=["note"], name="more"))'),
    Kind("Operations of the engine", "AddConstraintIfMissing",
         'own.AddConstraintIfMissing("Thing", models.CheckConstraint(condition=Q(amount__gte=0),'
         ' name="more"))'),
    Kind("Operations of the engine", "ConvertToReference",
         'own.ConvertToReference("Thing", "ward")'),
    Kind("Operations of the engine", "ConvertToReference of a key to core",
         'own.ConvertToReference("Thing", "person")'),
    Kind("Operations of the engine", "SeparateDatabaseAndState",
         "migrations.SeparateDatabaseAndState(database_operations=["
         'Sql("ALTER TABLE lab.things ADD COLUMN extra integer", "ALTER TABLE lab.things'
         ' DROP COLUMN extra")], state_operations=[migrations.AddField("Thing", "extra",'
         " models.IntegerField(null=True))])"),
]  # fmt: skip
CORE_ROWS = """
def forwards(apps, editor):
    people = apps.get_model("registry", "Person").objects.using(editor.connection.alias)
    people.create(name="Q"); people.filter(name="Q").update(name="R")


def backwards(apps, editor):
    people = apps.get_model("registry", "Person").objects.using(editor.connection.alias)
    people.filter(name="R").update(name="S")


def delete(apps, editor):
    people = apps.get_model("registry", "Person").objects.using(editor.connection.alias)
    people.create(name="T"); people.filter(name="T").delete()

"""
CORE = [
    of_core("AddField", 'migrations.AddField("Person", "note", models.TextField(default="x"))'),
    of_core("AddField of a PositiveIntegerField",
            'migrations.AddField("Person", "age", models.PositiveIntegerField(default=1))'),
    of_core("AddField, unique",
            'migrations.AddField("Person", "code", models.TextField(null=True, unique=True))'),
    of_core("AddField of a ForeignKey to itself",
            'migrations.AddField("Person", "chief", models.ForeignKey("self", models.CASCADE,'
            " null=True))"),
    of_core("CreateModel with a foreign key to it",
            'migrations.CreateModel("Badge", fields=[("id", models.BigAutoField('
            'primary_key=True)), ("person", models.ForeignKey("registry.Person",'
            ' models.CASCADE))], options={"db_table": \'"public"."badges"\'})'),
    of_core("AlterField", 'migrations.AlterField("Person", "name", models.CharField('
            'max_length=50, default=""))'),
    of_core("RenameField", 'migrations.RenameField("Person", "name", "label")'),
    of_core("AddIndex, AddConstraint",
            'migrations.AddIndex("Person", models.Index(fields=["name"], name="people_name")),'
            ' migrations.AddConstraint("Person", models.CheckConstraint(condition=~Q(name="?"),'
            ' name="people_check"))'),
    of_core("AddIndexConcurrently",
            'AddIndexConcurrently("Person", models.Index(fields=["name"], name="people_name"))',
            says="atomic = False"),
    of_core("AlterModelTable", 'migrations.AlterModelTable("Person", \'"public"."persons"\')'),
    of_core("RunPython", "migrations.RunPython(forwards, backwards)", code=CORE_ROWS),
    of_core("RunPython, then AddField",
            "migrations.RunPython(forwards, backwards),"
            ' migrations.AddField("Person", "note", models.TextField(default="x"))',
            code=CORE_ROWS),
    of_core("RunPython that deletes rows",
            "migrations.RunPython(delete, delete)", code=CORE_ROWS),
    of_core("AlterReferencedKey",
            'own.AlterReferencedKey("Person", "id", models.AutoField(primary_key=True))'),
]  # fmt: skip
KINDS = [*TABLES, *ADDED, *CHANGED, *INDEXES, *CONSTRAINTS, *RUN_SQL, *RUN_PYTHON, *OWN, *CORE]
