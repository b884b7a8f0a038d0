"""What is around the tables of an adopted app: views, functions, types, privileges …"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import lab
from tests.support.catalog import execute, query, snapshot
from tests.support.projects import Project

Write = Callable[..., Project]


def run(project: Project, *arguments: str, status: int = 0) -> dict[str, Any]:
    """The result of the domain that a run in JSON names."""
    result = project.manage(*arguments, "--format=json")
    assert result.returncode == status, result.stdout + result.stderr
    return dict(json.loads(result.stdout)["domains"][0])


@pytest.mark.usefixtures("surrounded")
def test_what_belongs_to_the_tables_follows_and_the_rest_keeps_working(write: Write) -> None:
    result = run(write(lab.after()), "migrate_domain", "lab")
    objects = {(item["kind"], item["to"]) for item in result["adoptions"][0]["objects"]}
    assert objects == {
        ("table", "lab.lab_sample"),
        ("table", "lab.lab_sample_tags"),
        ("table", "lab.lab_tag"),
        ("view", "lab.lab_sizes"),
        ("materialized view", "lab.lab_totals"),
        ("sequence", "lab.lab_numbers"),
        ("statistics", "lab.lab_stat"),
        ("domain", "lab.code"),
        ("function", "lab.lab_touch"),
    }
    assert result["adoptions"][0]["functions"] == [
        "public.count_samples()",
        "public.lab_touch()",
        "public.samples_of(public.mood)",
    ]
    execute("UPDATE lab.lab_sample SET size = 9 WHERE code = 'A'")
    assert query("SELECT sample, what FROM lab_log") == [(1, "lab_sample")]
    assert query("SELECT count_samples(), (SELECT count(*) FROM samples_of('ok'))") == [(2, 2)]
    execute("REFRESH MATERIALIZED VIEW lab.lab_totals")
    assert query("SELECT total FROM lab.lab_totals") == [(17,)]
    execute("INSERT INTO lab.lab_sample (code, size) VALUES ('C', 1)")
    assert query("SELECT number FROM lab.lab_sample WHERE code = 'C'") == [(3,)]
    published = "SELECT schemaname FROM pg_publication_tables WHERE pubname = 'lab_pub'"
    assert query(published) == [("lab",)]


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (
            "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n"
            "  EXECUTE format('DELETE FROM %I', 'lab_tag');\nEND $$",
            "line 3: EXECUTE format('DELETE FROM %I', 'lab_tag');",
        ),
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS\n"
            "'WITH lab_tag AS (SELECT 1 AS id) SELECT id FROM lab_tag'",
            "line 1: WITH lab_tag AS (SELECT 1 AS id) SELECT id FROM lab_tag",
        ),
    ],
)
def test_a_function_that_cannot_be_mended_for_certain_is_refused(
    write: Write, function: str, line: str
) -> None:
    execute(function)
    before = snapshot()
    result = run(write(lab.after()), "migrate_domain", "lab", status=1)
    assert result["status"] == "refused"
    assert f"the text of public.f(), {line} may name what is moved" in result["error"]["message"]
    assert snapshot() == before


def test_a_default_that_names_a_sequence_as_text_is_refused(write: Write) -> None:
    execute(
        "CREATE SEQUENCE n; ALTER TABLE lab_tag ADD number bigint DEFAULT nextval('n');"
        "ALTER TABLE lab_sample ADD number bigint DEFAULT nextval('lab_tag_id_seq'::text)"
    )
    result = run(write(lab.after()), "migrate_domain", "lab", status=1)
    assert (
        "the default of lab_sample.number names a sequence as a text"
        in (result["error"]["message"])
    )


def test_roles_keep_their_access(write: Write) -> None:
    reader = f"lab_reader_{id(write)}"
    execute(
        f"CREATE ROLE {reader}; GRANT SELECT ON lab_sample TO {reader};"
        f" ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {reader}"
    )
    try:
        run(write(lab.after()), "migrate_domain", "lab")
        execute(f"SET ROLE {reader}")
        assert query("SELECT count(*) FROM lab.lab_sample") == [(2,)]
        execute("RESET ROLE")
        execute("CREATE TABLE lab.new (id int)")
        execute(f"SET ROLE {reader}")
        assert query("SELECT count(*) FROM lab.new") == [(0,)]
    finally:
        execute("RESET ROLE")
        execute(f"DROP OWNED BY {reader}; DROP ROLE {reader}")


def test_roles_of_domains_do_not_reach_the_tables(write: Write) -> None:
    """Another domain's gets nothing; the domain's own has to be given the tables, which is said."""
    from tests.support.projects import domain_app

    files = {"shop": domain_app("shop")}
    project = write(lab.after(), apps=files)
    execute("CREATE SCHEMA lab")
    roles = [f"{project.database}_{name}_domain" for name in ("lab", "shop")]
    try:
        assert project.manage("grant_domain", "--apply").returncode == 0
        assert query("SELECT has_table_privilege(%s, 'lab_tag', 'REFERENCES')", roles[1])[0][0]
        output = project.manage("migrate_domain", "lab").stdout
        assert f"the role {roles[0]} runs the domain's migrations" in output
        assert not query("SELECT has_schema_privilege(%s, 'lab', 'USAGE')", roles[1])[0][0]
        assert project.manage("grant_domain", "lab", "--apply").returncode == 0
        owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'lab_tag'"
        assert query(owner) == [(roles[0],)]
    finally:
        assert project.manage("grant_domain", "--remove").returncode == 0


def test_partitions_follow_their_table(write: Write) -> None:
    execute(
        "ALTER TABLE lab_sample_tags RENAME TO old; CREATE TABLE lab_sample_tags"
        " (LIKE old INCLUDING DEFAULTS) PARTITION BY RANGE (id);"
        " CREATE TABLE lab_part PARTITION OF lab_sample_tags FOR VALUES FROM (0) TO (100);"
        " INSERT INTO lab_sample_tags SELECT * FROM old; DROP TABLE old"
    )
    result = run(write(lab.after()), "migrate_domain", "lab")
    assert result["adoptions"][0]["tables"] == 4
    assert query("SELECT count(*) FROM lab.lab_part") == [(2,)]


def test_a_view_that_is_the_table_of_another_app_stays(write: Write) -> None:
    execute("CREATE VIEW shop_lab AS SELECT code FROM lab_sample")
    from tests.support.projects import plain_app

    shop = plain_app(
        models="class Lab(models.Model):\n"
        "    code = models.CharField(max_length=20, primary_key=True)\n"
        "    class Meta:\n        managed = False\n        db_table = 'shop_lab'\n"
    )
    run(write(lab.after(), apps={"shop": shop}), "migrate_domain", "lab")
    assert query("SELECT code FROM public.shop_lab ORDER BY 1") == [("A",), ("B",)]
