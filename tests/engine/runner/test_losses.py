"""What reverting migrations drops."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.catalog import execute
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations

Call = Callable[..., Result]

THINGS = """
class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Thing", fields=[
            ("id", models.BigAutoField(primary_key=True)),
        ], options={"db_table": '"hr"."things"'}),
        migrations.CreateModel("Part", fields=[
            ("id", models.BigAutoField(primary_key=True)),
        ], options={"db_table": '"hr"."parts"'}),
    ]
"""
SIZE = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_initial")]
    operations = [
        migrations.AddField("thing", "size", models.IntegerField(null=True)),
        migrations.RunSQL(
            'CREATE TABLE "hr"."by_sql" (id int)', 'DROP TABLE IF EXISTS "hr"."by_sql"'
        ),
    ]
"""
PYTHON = """
def nothing(apps, schema_editor):
    pass

class Migration(migrations.Migration):
    dependencies = [("hr", "0002_size")]
    operations = [migrations.RunPython(nothing, {reverse})]
"""


@pytest.fixture
def release(hr_migrations: TemporaryMigrations, call: Call) -> Callable[..., str]:
    def revert(target: str, *, reverse: str = "nothing", sql: str = "") -> str:
        """Apply the migrations, and return what is said before those after the target go."""
        files = {
            "0001_initial": THINGS,
            "0002_size": SIZE,
            "0003_python": PYTHON.format(reverse=reverse),
        }
        with hr_migrations.release(files):
            assert call("migrate_domain", "hr").exit_status == 0
            execute(f"CREATE TABLE public.things AS SELECT generate_series(1, 99) id; {sql}")
            output = call("migrate_domain", "hr", target, "--noinput").stdout
        return next((line.strip() for line in output.splitlines() if "This reverts" in line), "")

    return revert


def test_tables_with_their_rows(release: Callable[..., str]) -> None:
    rows = "INSERT INTO hr.things SELECT generate_series(1, 1240); ANALYZE hr.things, hr.parts"
    assert release("zero", reverse="migrations.RunPython.noop", sql=rows) == (
        "This reverts 3 migrations and drops 3 tables with an estimated 1,240 rows (hr.by_sql,"
        " hr.parts, hr.things)."
    )


def test_a_column_of_a_table_that_stays(release: Callable[..., str]) -> None:
    row = "INSERT INTO hr.by_sql VALUES (1); ANALYZE hr.by_sql"
    assert release("0001", reverse="migrations.RunPython.noop", sql=row) == (
        "This reverts 2 migrations and drops 1 table with an estimated 1 row (hr.by_sql) and"
        " 1 column (hr.things.size)."
    )


def test_what_python_does_is_not_known(release: Callable[..., str]) -> None:
    assert release("0002") == (
        "This reverts 1 migration. What else hr.0003_python does is known only when it runs."
    )


def test_a_partitioned_table_has_the_rows_of_its_partitions(release: Callable[..., str]) -> None:
    sql = (
        "DROP TABLE hr.by_sql; CREATE TABLE hr.by_sql (id int) PARTITION BY RANGE (id);"
        " CREATE TABLE hr.part_1 PARTITION OF hr.by_sql FOR VALUES FROM (0) TO (50);"
        " CREATE TABLE hr.part_2 PARTITION OF hr.by_sql FOR VALUES FROM (50) TO (100);"
        " INSERT INTO hr.by_sql SELECT generate_series(0, 69); ANALYZE hr.by_sql"
    )
    assert "1 table with an estimated 70 rows (hr.by_sql)" in release("0001", sql=sql)


def test_nothing_to_revert(release: Callable[..., str]) -> None:
    assert release("0003") == ""
