from __future__ import annotations

import pytest

from domain_migrations.engine.sql.lexer import split_statements, split_string, statements, tokens

WHOLE = [
    "SELECT 1;",
    "SELECT 'a;b', 'it''s;', E'\\';', \"a;\"\"b\", $$;$$, $x$ ;$$; $x$, U&';';",
    "SELECT a$b$c, $1; ",
    "SELECT /* ; /* ; */ ; */ 1 -- ; '\n, 2;",
    "CREATE RULE r AS ON INSERT TO t DO INSTEAD (DELETE FROM a; DELETE FROM b;);",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;",
    "CREATE OR REPLACE PROCEDURE p() LANGUAGE sql\nBEGIN ATOMIC\n SELECT CASE WHEN true THEN"
    " CASE 1 WHEN 2 THEN ';' END END;\n SELECT 1;\nEND;",
    "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'BEGIN ATOMIC; it''s;';",
    'CREATE TABLE begin_case ("begin" int, atomic int CHECK (atomic > CASE WHEN true THEN 1 END));',
    "CREATE FUNCTION f(x text DEFAULT 'begin;') RETURNS int LANGUAGE plpgsql AS $_$begin; end$_$;",
]


@pytest.mark.parametrize("statement", WHOLE)
def test_a_statement_stays_whole(statement: str) -> None:
    assert split_statements(statement) == [statement.strip()]
    assert split_statements(f"SELECT 0;\n{statement}\n\nSELECT 9;") == [
        "SELECT 0;",
        statement.strip(),
        "SELECT 9;",
    ]
    assert "".join(token.raw for token in tokens(statement)) == statement


def test_blanks_and_psql_commands_between_statements_are_removed() -> None:
    text = "--\n-- A dump; of\n--\n\n\\restrict aB1\n\nSELECT 1; ;\n/* ; */\n\\unrestrict aB1\n\n"
    assert split_statements(text) == ["SELECT 1;"]


@pytest.mark.parametrize("text", ["SELECT 1", "SELECT ';", "SELECT $$;", "SELECT (1;", 'SELECT ";'])
def test_a_text_that_ends_inside_a_statement_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"It ends inside of a statement: SEL|never closed: "):
        split_statements(text)


def test_tokens_have_positions_and_a_text_without_quotes() -> None:
    source = r"""Select "A ""b", E'it\'s' || $x$ $$ $x$ /* a /* b */ c */ >= 1.5..n"""
    found = [token for token in tokens(source) if not token.is_blank]
    assert [(token.kind, token.text) for token in found] == [
        ("word", "select"),
        ("quoted", 'A "b'),
        ("other", ","),
        ("string", "it's"),
        ("other", "||"),
        ("string", " $$ "),
        ("other", ">="),
        ("other", "1.5"),
        ("other", ".."),
        ("word", "n"),
    ]
    assert [source[token.start : token.end] for token in found] == [token.raw for token in found]
    assert [token.text for token in found if token.is_name] == ["select", 'A "b', "n"]


def test_statements_of_a_block_are_split_at_its_words() -> None:
    body = "BEGIN IF a THEN b := CASE WHEN c THEN 1 ELSE 2 END; END IF; -- ;\n RETURN ';'; END"
    assert [found.text_after(0) for found in statements(body, procedural=True)] == [
        "IF a",
        "b := CASE WHEN c THEN 1 ELSE 2 END",
        "END IF",
        "RETURN ';'",
        "END",
    ]
    assert [found.text_after(1) for found in statements("SELECT 1; SELECT", procedural=False)] == [
        "1",
        "",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT ';'; -- and;\n/* ; */ SELECT 2;;", ["SELECT ';';", "SELECT 2;"]),
        ("DO $$ BEGIN a; END $$; SELECT 2 -- the last;", ["DO $$ BEGIN a; END $$;", "SELECT 2"]),
        ("SELECT E'\\';'; SELECT 2;", ["SELECT E'\\';';", "SELECT 2;"]),
        ("CREATE RULE r AS ON INSERT TO t DO (a; b); c", None),
        ("CREATE FUNCTION f() BEGIN ATOMIC a; CASE b; END; END; c;", None),
        ("SELECT 1; SELECT 'open; SELECT 2;", ["SELECT 1;", "SELECT 'open; SELECT 2;"]),
        ("-- nothing;\n", []),
    ],
)
def test_strings_are_split_as_by_the_server(text: str, expected: list[str] | None) -> None:
    found = split_string(text)
    if expected is None:
        assert [statement.split()[-1] for statement in found] in (["b);", "c"], ["END;", "c;"])
        return
    assert len(found) == len(expected)
    assert all(map(str.startswith, found, expected))
