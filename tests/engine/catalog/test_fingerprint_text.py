"""The text of fingerprints, and the comparison of two."""

from __future__ import annotations

from domain_migrations.engine.catalog.fingerprint import CatalogObject, compare, parse_text, to_text

TABLE = CatalogObject("table", "inventory.drugs", "")
NOTE = CatalogObject("column", "inventory.drugs.note", "character varying(200)\nnot null")
INDEX = CatalogObject("index", "inventory.drugs_note", "CREATE INDEX drugs_note ON …")
VIEW = CatalogObject("materialized view", "inventory.stock", "as\n SELECT 1\n\n FROM x")


def test_the_text_is_sorted_and_readable():
    assert to_text([INDEX, VIEW, NOTE, TABLE]) == (
        "table inventory.drugs\n"
        "column inventory.drugs.note\n"
        "    character varying(200)\n"
        "    not null\n"
        "index inventory.drugs_note\n"
        "    CREATE INDEX drugs_note ON …\n"
        "materialized view inventory.stock\n"
        "    as\n"
        "     SELECT 1\n"
        "    \n"
        "     FROM x\n"
    )


def test_the_text_can_be_read_back():
    assert parse_text(to_text([VIEW, NOTE])) == {
        NOTE.title: ("character varying(200)", "not null"),
        VIEW.title: ("as", " SELECT 1", "", " FROM x"),
    }


def test_equal_texts_have_no_difference():
    assert compare(to_text([TABLE, NOTE]), to_text([NOTE, TABLE])) == []
    assert compare("", "") == []


def test_missing_and_added():
    before, after = to_text([TABLE, NOTE]), to_text([TABLE, INDEX])
    assert compare(before, after) == [
        "column inventory.drugs.note: missing",
        "index inventory.drugs_note: added",
    ]


def test_a_missing_table_is_reported_once():
    assert compare(to_text([TABLE, NOTE, INDEX]), "") == [
        "table inventory.drugs: missing",
        "index inventory.drugs_note: missing",
    ]


def test_only_the_lines_that_differ_are_shown():
    shorter = CatalogObject("column", NOTE.name, "character varying(100)\nnot null")
    nullable = CatalogObject("column", NOTE.name, "character varying(200)")
    assert compare(to_text([NOTE]), to_text([shorter])) == [
        "column inventory.drugs.note differs: character varying(200) / character varying(100)"
    ]
    assert compare(to_text([NOTE]), to_text([nullable])) == [
        "column inventory.drugs.note differs: not null / nothing"
    ]


def test_lines_in_another_order_are_shown_whole():
    one = CatalogObject("type", "lab.status", "label 'a'\nlabel 'b'")
    other = CatalogObject("type", "lab.status", "label 'b'\nlabel 'a'")
    assert compare(to_text([one]), to_text([other])) == [
        "type lab.status differs: label 'a', label 'b' / label 'b', label 'a'"
    ]


def test_a_line_break_in_a_name_stays_in_its_line():
    odd = CatalogObject("table", 'lab."a\nb"', "unlogged")
    assert to_text([odd]) == 'table lab."a\\nb"\n    unlogged\n'
