"""Places of the project's code that name a table in SQL."""

from __future__ import annotations

from pathlib import Path

from domain_migrations.api.source_code.mentions import find_mentions

SOURCE = '''"""Reads lab_sample; a docstring."""
SQL = """
CREATE VIEW lab_sizes AS SELECT size FROM lab_sample;
CREATE TABLE other (id int);
GRANT SELECT ON lab_sample, lab_tag TO reader;
CREATE VIEW done AS SELECT size FROM lab.lab_sample;
"""
JOINED = (
    "SELECT 1\\n"
    "FROM lab_tag\\nWHERE true"
)
TABLE = "lab_tag"
NAME = "the lab_tag, as a word"
'''


def test_every_line_that_names_a_table_is_found(tmp_path: Path) -> None:
    file = tmp_path / "lab/migrations/0002_sql.py"
    file.parent.mkdir(parents=True)
    file.write_text(SOURCE)
    found = find_mentions([tmp_path], ["lab_sample", "lab_tag"], {}, [file.parent])
    assert [(each.line, each.table, each.text, each.in_migration) for each in found] == [
        (3, "lab_sample", "CREATE VIEW lab_sizes AS SELECT size FROM lab_sample;", True),
        (5, "lab_sample", "GRANT SELECT ON lab_sample, lab_tag TO reader;", True),
        (9, "lab_tag", "FROM lab_tag", True),
        (12, "lab_tag", "lab_tag", True),
    ]
