"""Every kind of value, in every kind of file, in somebody else's project."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.postgres.fields import ArrayField
from django.core.validators import validate_slug
from django.db import connections, models

from domain_migrations.api.seed.document import PlainScalar
from domain_migrations.api.seed.values import InvalidValue, converter
from tests.support.catalog import execute, query
from tests.support.projects import CONTRIB, Project, domain_app

MODELS = """
import uuid
from django.conf import settings
from django.contrib.postgres.fields import ArrayField

class Mark(models.Model):
    name = models.CharField(max_length=10, unique=True)
    class Meta:
        db_table = '"lab"."marks"'

class Thing(models.Model):
    code = models.CharField(max_length=20)
    note = models.CharField(max_length=20, null=True, blank=True)
    amount = models.DecimalField(max_digits=8, decimal_places=3, default=0)
    share = models.FloatField(null=True)
    day = models.DateField(null=True)
    moment = models.DateTimeField(null=True)
    span = models.DurationField(null=True)
    token = models.UUIDField(default=uuid.uuid4)
    is_new = models.BooleanField(default=True)
    data = models.JSONField(default=dict, blank=True)
    words = ArrayField(models.CharField(max_length=9), default=list, blank=True)
    made = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True)
    hour = models.TimeField(auto_now_add=True)
    double = models.GeneratedField(
        expression=models.F("amount") * 2,
        output_field=models.DecimalField(max_digits=9, decimal_places=3),
        db_persist=True,
    )
    weight = models.IntegerField(db_default=7)
    Ordered = models.IntegerField("odd name", default=1, db_column="Order by")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    marks = models.ManyToManyField(Mark, db_table='"lab"."thing_marks"')
    class Meta:
        db_table = '"lab"."Things"'
        constraints = [models.UniqueConstraint(fields=["code"], name="things_key")]
"""
YAML = """
Mark: [{name: red}, {name: blue}]
Thing:
- code: NO
  note: 0010
  amount: 12.5
  share: 1.5e3
  day: 2026-11-22
  moment: 2026-11-22 10:00:00
  span: 1 02:03:04
  token: 6f1f6f0e-8f62-4f0f-9a3e-3f4a5f1c2b3d
  is_new: no
  data: {on: off, list: [1, 2.5, ~, "3", 2026-01-01]}
  words: [yes, "no", 3]
  Ordered: 16
  owner: ann
- {code: "null", note: ~, token: 6f1f6f0e-8f62-4f0f-9a3e-3f4a5f1c2b3e}
lab.Thing_marks:
- {thing: NO, mark: red}
- {thing: NO, mark: blue}
"""
SETTINGS = {
    "INSTALLED_APPS": ["domain_migrations", *CONTRIB, "django.contrib.postgres", "lab"],
    "TIME_ZONE": "Asia/Bangkok",
}
HEAD = (
    "# model: Thing\ncode,note,amount,share,day,moment,span,token,is_new,data,words,Ordered,owner\n"
)
CSV_ROW = (
    "CSV,0010,12.5,1.5e3,2026-11-22,2026-11-22 10:00:00,1 02:03:04,"
    '6f1f6f0e-8f62-4f0f-9a3e-3f4a5f1c2b3d,off,"{""on"": false, ""list"": [1, 2.5, null, ""3"",'
    ' ""2026-01-01""]}","[""yes"", ""no"", ""3""]",16,ann\n'
)
JSON: dict[str, Any] = {
    "Thing": [
        {
            "code": "JSON",
            "note": "0010",
            "amount": 12.5,
            "share": 1500,
            "day": "2026-11-22",
            "moment": "2026-11-22T03:00:00Z",
            "span": "P1DT02H03M04S",
            "token": "6f1f6f0e-8f62-4f0f-9a3e-3f4a5f1c2b3d",
            "is_new": False,
            "data": {"on": False, "list": [1, 2.5, None, "3", "2026-01-01"]},
            "words": ["yes", "no", "3"],
            "Ordered": 16,
            "owner": {"username": "ann"},
        }
    ]
}
SELECT = """
SELECT code, note, amount::text, share, day::text,
    moment AT TIME ZONE 'UTC' = '2026-11-22 03:00:00', span::text,
    token::text, is_new, data, words, double::text, weight, "Order by", u.username,
    changed - made < '1 s'
        AND abs(extract(epoch FROM hour - (made AT TIME ZONE 'Asia/Bangkok')::time)) < 1
FROM lab."Things" t LEFT JOIN public.auth_user u ON u.id = t.owner_id ORDER BY code
"""
VALUES = (
    "0010",
    "12.500",
    1500.0,
    "2026-11-22",
    True,
    "1 day 02:03:04",
    "6f1f6f0e-8f62-4f0f-9a3e-3f4a5f1c2b3d",
    False,
    '{"on": false, "list": [1, 2.5, null, "3", "2026-01-01"]}',
    ["yes", "no", "3"],
    "25.000",
    7,
    16,
    "ann",
    True,
)


@pytest.fixture
def lab(project: Callable[..., Project]) -> Project:
    made = project({"lab": domain_app("lab", models=MODELS)}, settings=SETTINGS)
    (made.path / "lab/seeds").mkdir()
    for arguments in (("makemigrations", "lab"), ("migrate_domain", "lab", "--with-dependencies")):
        result = made.manage(*arguments)
        assert result.returncode == 0, result.stderr
    execute(
        "INSERT INTO public.auth_user (username, password, is_superuser, first_name, last_name,"
        " email, is_staff, is_active, date_joined)"
        " VALUES ('ann', '', false, '', '', '', false, true, now())"
    )
    return made


def seeded(lab: Project) -> list[tuple[int, int, int]]:
    result = lab.manage("seed_domain", "lab", "--force", "--format", "json")
    assert result.returncode == 0, result.stderr + result.stdout
    return [
        (one["inserted"], one["updated"], one["kept"]) for one in json.loads(result.stdout)["seeds"]
    ]


def test_values(lab: Project) -> None:
    seeds: Path = lab.path / "lab/seeds"
    (seeds / "001_all.yaml").write_text(YAML)
    (seeds / "002_things.csv").write_text(f"{HEAD}{CSV_ROW}EMPTY,,0,,,,,{VALUES[6]},t,{{}},[],1,\n")
    (seeds / "003_all.json").write_text(json.dumps(JSON))
    assert seeded(lab) == [(6, 0, 0), (2, 0, 0), (1, 0, 0)]
    rows = {row[0]: row[1:] for row in query(SELECT)}
    assert rows["NO"] == rows["CSV"] == rows["JSON"] == VALUES
    assert rows["null"][:5] == (None, "0.000", None, None, None)
    assert rows["null"][7:] == (True, "{}", [], "0.000", 7, 1, None, True)
    assert rows["EMPTY"][:5] == (None, "0.000", None, None, None)
    assert query("SELECT count(*) FROM lab.thing_marks") == [(2,)]
    assert seeded(lab) == [(0, 0, 0)] * 3
    # Every column is compared as what it is.
    execute("""UPDATE lab."Things" SET data = '{"list": [], "on": 1}', day = NULL""")
    assert seeded(lab) == [(0, 0, 2), (0, 0, 2), (0, 0, 1)]
    execute("""UPDATE lab."Things" SET changed = '2020-01-01' WHERE code = 'JSON'""")
    JSON["Thing"][0]["note"] = "new"
    (seeds / "003_all.json").write_text(json.dumps(JSON))
    assert seeded(lab)[2] == (0, 1, 1)
    assert query("""SELECT note, made < changed FROM lab."Things" WHERE code = 'JSON'""") == [
        ("new", True)
    ]


@pytest.mark.parametrize(
    "value",
    [
        Decimal("1e999999999"),
        PlainScalar.of("x", Decimal("1e999999999")),
        {"a": [Decimal("1e-999999")]},
    ],
)
@pytest.mark.parametrize(
    "field", [models.JSONField(), models.IntegerField(), ArrayField(models.IntegerField())]
)
def test_a_number_that_would_fill_the_memory_is_refused(field: Any, value: Any) -> None:
    with pytest.raises(InvalidValue):
        converter(field, connections["default"], required=False)(
            [value] if isinstance(field, ArrayField) else value
        )


@pytest.mark.parametrize(
    "value", ["1e999", Decimal("-1e999"), PlainScalar.of("1e999", 0.0), 10**400]
)
def test_a_float_does_not_become_infinite(value: Any) -> None:
    convert = converter(models.FloatField(), connections["default"], required=False)
    with pytest.raises(InvalidValue):
        convert(value)
    assert convert("inf") == math.inf
    assert convert("1e300") == 1e300


@pytest.mark.parametrize("value", [["a"], {"a": 1}, True])
@pytest.mark.parametrize("field", [models.CharField(null=True), models.TextField()])
def test_values_that_are_not_text_are_refused(field: Any, value: Any) -> None:
    with pytest.raises(InvalidValue, match="is not text"):
        converter(field, connections["default"], required=False)(value)


@pytest.mark.parametrize(
    ("field", "value", "converted"),
    [
        (models.CharField(max_length=3), "ทด ", "ทด "),
        (models.CharField(max_length=3), "", None),
        (models.CharField(max_length=3), "abcd", None),
        (models.CharField(max_length=3, choices=[("a", "A")]), "b", None),
        (models.CharField(validators=[validate_slug]), "a b", None),
        (models.SlugField(), "a b", None),
        (models.TextField(), "abcd" * 99, "abcd" * 99),
        (models.BooleanField(), "yes", True),
    ],
)
def test_values_that_are_converted_quickly(field: Any, value: str, converted: Any) -> None:
    """Twice, because values that are the same may be converted once."""
    field.set_attributes_from_name("note")
    convert = converter(field, connections["default"], required=False, is_text=True)
    for _ in range(2):
        if converted is None:
            with pytest.raises(InvalidValue):
                convert(value)
        else:
            assert convert(value) == converted
