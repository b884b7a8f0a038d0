"""Declarations of adoptions, read and written."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest

from domain_migrations.domains import QualifiedName
from domain_migrations.engine.sources.adoptions import Adoption, read_adoption
from domain_migrations.exceptions import InvalidConfiguration

LAB = Adoption(
    domain="lab",
    schema="lab",
    apps=("lab", "lab_reports"),
    date=datetime.date(2026, 11, 29),
    tables={"lab_sample": "samples", "lab_sample_tags": "lab_sample_tags"},
)

TEXT = """\
# Moves these apps out of public into the schema of their domain. Each database
# follows with the next run of migrate_domain or migrate.
format = 1
domain = "lab"
schema = "lab"
apps = ["lab", "lab_reports"]
date = 2026-11-29

[tables]
lab_sample = "samples"
lab_sample_tags = "lab_sample_tags"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "adoption.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_text_of_a_declaration() -> None:
    assert LAB.as_text() == TEXT


@pytest.mark.parametrize(
    "adoption",
    [
        LAB,
        replace(LAB, compat_views_until=datetime.date(2026, 12, 29), undo=True),
        replace(LAB, tables={'we"ird.\\tä\n\x7f': 'Ü"\x7f'}),
    ],
)
def test_a_declaration_that_is_written_is_read(adoption: Adoption, tmp_path: Path) -> None:
    path = write(tmp_path, adoption.as_text())
    assert read_adoption(path) == adoption
    assert read_adoption(path).path == path


def test_moves_are_qualified() -> None:
    assert LAB.moves == {
        QualifiedName("public", "lab_sample"): QualifiedName("lab", "samples"),
        QualifiedName("public", "lab_sample_tags"): QualifiedName("lab", "lab_sample_tags"),
    }


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("format = 1", "format = 2", "has the format 2, and only 1 is known."),
        ("format = 1\n", "", "has the format None, and only 1 is known."),
        ("format = 1", "format = 1\nname = 3", "has an unknown key: name."),
        ('domain = "lab"\n', "", "lacks domain."),
        ('domain = "lab"', "domain = 3", "has an invalid domain: 3."),
        ('schema = "lab"', 'schema = ""', "has an invalid schema: ''."),
        (
            'schema = "lab"',
            'schema = "public"',
            "has the schema public, where the tables are already.",
        ),
        ('["lab", "lab_reports"]', "[]", "needs a list of app labels in apps."),
        ("2026-11-29", '"soon"', "needs a date such as 2026-11-29 in date."),
        ("2026-11-29", "2026-11-29T10:00:00", "needs a date such as 2026-11-29 in date."),
        ("\n[tables]", "undo = 1\n[tables]", "needs true or false in undo."),
        ('"samples"', "{}", "has an invalid name in [tables]: {}."),
        (
            '"samples"',
            '"lab_sample_tags"',
            "moves two tables to the name lab_sample_tags.",
        ),
        ('"samples"', f'"{"x" * 64}"', f"has an invalid name in [tables]: '{'x' * 64}'."),
    ],
)
def test_an_invalid_declaration_is_refused(
    old: str, new: str, problem: str, tmp_path: Path
) -> None:
    assert TEXT.count(old) == 1 or old == "2026-11-29"
    path = write(tmp_path, TEXT.replace(old, new))
    with pytest.raises(InvalidConfiguration) as caught:
        read_adoption(path)
    assert caught.value.message == f"The declaration {path} {problem}"
    assert "manage.py adopt_domain " in caught.value.hint


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "domain = lab\n")
    with pytest.raises(InvalidConfiguration) as caught:
        read_adoption(path)
    assert caught.value.message == (
        f"The declaration {path} cannot be read: Invalid value (at line 1, column 10)."
    )
    assert caught.value.hint == (
        "Correct it, or write it again: manage.py adopt_domain DOMAIN --write"
    )
