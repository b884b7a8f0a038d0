"""The sites of a fleet: lines of a file, aliases of DATABASES, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domain_migrations.api.fleet.site_access import SiteAccess, site_password
from domain_migrations.api.fleet.site_file import SiteFile, read_sites
from domain_migrations.api.fleet.sites import chosen_sites
from domain_migrations.exceptions import InvalidSites, SiteFailed

SECRET = "SENTINEL_p@ss w'rd%"


def read(path: Path, *lines: str, **environment: str) -> SiteFile:
    file = path / "sites.txt"
    file.write_text("\n".join(lines))
    file.chmod(0o600)
    return read_sites(file, environment)


def settings_of(path: Path, dsn: str, **environment: str) -> dict[str, Any]:
    (site,) = read(path, f"one {dsn}", **environment).sites
    return dict(site.settings)


def test_lines_are_sites(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "# all branches",
        "",
        "branch-1 postgres://app@db1:5433/one",
        "  branch-2\thost=db2 dbname=two sslmode=require",
    )
    first, second = found.sites
    assert [site.name for site in found.sites] == ["branch-1", "branch-2"]
    keys = ("NAME", "HOST", "PORT", "USER", "PASSWORD")
    assert [first.settings[key] for key in keys] == ["one", "db1", "5433", "app", ""]
    assert [second.settings[key] for key in keys] == ["two", "db2", "", "", ""]
    assert second.settings["OPTIONS"]["sslmode"] == "require"
    assert second.origin == f"line 4 of {tmp_path / 'sites.txt'}"


def test_site_has_the_engine_and_the_options_of_the_default_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import connections

    theirs = {"application_name": "app", "service": "theirs", "pool": True, "sslmode": "disable"}
    default = {**connections.settings["default"], "OPTIONS": theirs, "PASSWORD": "theirs"}
    monkeypatch.setitem(connections.settings, "default", default)
    found = settings_of(tmp_path, "host=db dbname=x sslmode=require")
    assert found["ENGINE"] == default["ENGINE"]
    assert found["PASSWORD"] == ""
    assert found["OPTIONS"] == {
        "application_name": "app",
        "sslmode": "require",
        "connect_timeout": 10,
    }


@pytest.mark.parametrize(
    "dsn",
    [
        "postgres://app:${PASSWORD}@db/x",
        "host=db dbname=x user=app password=${PASSWORD}",
        "${DSN}",
    ],
)
def test_variables_need_no_escaping(tmp_path: Path, dsn: str) -> None:
    quoted = SECRET.replace("'", "\\'")
    whole = f"host=db dbname=x user=app password='{quoted}'"
    found = settings_of(tmp_path, dsn, PASSWORD=SECRET, DSN=whole)
    assert (found["PASSWORD"], found["USER"]) == (SECRET, "app")


def test_variables_are_known(tmp_path: Path) -> None:
    found = read(tmp_path, "a postgres://${HOST}/x", "b ${DSN}", HOST="db", DSN="dbname=y", X="1")
    assert found.variables == {"HOST", "DSN"}


@pytest.mark.parametrize(
    "dsn",
    [
        "postgres://app:SENTINEL/x@db:5432/x",
        "postgres://app:12/SENTINEL@db/x",
        "postgres://app:p@SENTINEL@db/x",
        "host=db port=SENTINEL dbname=x",
        "host=db dbname=postgres://u:SENTINEL@db/x",
        "host=db dbname='host=db password=SENTINEL'",
        "host=db dbname=x\0SENTINEL",
    ],
)
def test_no_part_of_a_password_is_taken_for_a_host_port_or_name(tmp_path: Path, dsn: str) -> None:
    for line, environment in ((f"one {dsn}", {}), ("one ${DSN}", {"DSN": dsn})):
        with pytest.raises(InvalidSites) as caught:
            read(tmp_path, line, **environment)
        assert 'The DSN of the site "one" cannot be read.' in caught.value.message
        assert "SENTINEL" not in caught.value.full_message


def test_at_signs_that_are_meant(tmp_path: Path) -> None:
    found = settings_of(tmp_path, "postgres://app%40server:a%40b%2Fc@db/x?application_name=a@b")
    assert (found["USER"], found["PASSWORD"], found["HOST"]) == ("app@server", "a@b/c", "db")
    assert settings_of(tmp_path, "host=a,b port=5432,5433 dbname=x@y")["NAME"] == "x@y"
    assert settings_of(tmp_path, "postgres://app:${P}@db:${PORT}/x", P="@/", PORT="5433") == {
        **settings_of(tmp_path, "postgres://app:%40%2F@db:5433/x")
    }


@pytest.mark.parametrize("dsn", ["${VALUE}", "postgres://app:${VALUE}@db/x"])
def test_variable_that_is_no_text(tmp_path: Path, dsn: str) -> None:
    with pytest.raises(InvalidSites, match="The variable VALUE is not encoded in UTF-8"):
        read(tmp_path, f"one {dsn}", VALUE="SENTINEL\udcff")


def test_default_port_is_the_same_port(tmp_path: Path) -> None:
    lines = "one postgres://db/x", "two host=DB port=5432 dbname=x"
    with pytest.raises(InvalidSites, match='"two" is the same database as "one"'):
        read(tmp_path, *lines)
    assert len(read(tmp_path, *lines, PGPORT="5433").sites) == 2


def test_every_wrong_line_has_a_sentence_without_what_may_be_secret(tmp_path: Path) -> None:
    with pytest.raises(InvalidSites) as caught:
        read(
            tmp_path,
            "postgres://u:SENTINEL@db/x",
            "none",
            "bad host=db SENTINEL",
            "escape postgres://u:%SENTINEL@db/x",
            "option host=db dbname=x SENTINEL=1",
            "nameless postgres://u:SENTINEL@db",
            "unset postgres://u:${UNSET}@db/x",
            "good postgres://db/x",
            "good postgres://db/y",
            "twin host=db dbname=x",
        )
    file = tmp_path / "sites.txt"
    text = (
        "Write a URL, postgres://user@host:5432/name, with special characters percent-encoded, such"
        " as %40 for @ and %2F for /, or pairs: host=… dbname=…."
    )
    example = "Write: branch-01 postgres://user@host:5432/name"
    assert str(caught.value).splitlines() == [
        f"{file}, line 1: The line does not begin with the name of a site. {example}",
        f'{file}, line 2: The site "none" has no DSN. {example}',
        f'{file}, line 3: The DSN of the site "bad" cannot be read. {text}',
        f'{file}, line 4: The DSN of the site "escape" cannot be read. {text}',
        f'{file}, line 5: The DSN of the site "option" cannot be read. {text}',
        f'{file}, line 6: The DSN of the site "nameless" names no database. Add it:'
        " postgres://user@host:5432/name, or dbname=….",
        f"{file}, line 7: The variable UNSET is not set. Set it in the environment.",
        f'{file}, line 9: The site "good" is on line 8, too. Give each site a name of its own.',
        f'{file}, line 10: The site "twin" is the same database as "good". Correct its DSN, or'
        " remove one of the lines.",
    ]
    assert caught.value.exit_status == 2


def test_missing_and_empty_files(tmp_path: Path) -> None:
    with pytest.raises(InvalidSites, match=r"cannot be read: No such file or directory\.$"):
        read_sites(tmp_path / "none.txt")
    with pytest.raises(InvalidSites, match=r"has no site\.$"):
        read(tmp_path, "# nothing yet")


def test_passwords_that_others_may_read(tmp_path: Path) -> None:
    lines = ["one postgres://u:secret@db/x"]
    assert read(tmp_path, *lines).warning == ""
    file = tmp_path / "sites.txt"
    file.chmod(0o640)
    assert read_sites(file).warning == (
        f"{file} has passwords, and others may read it (mode 0640). Run: chmod 600 {file}. Or take"
        " the passwords out: ${VARIABLE}, a password command, or libpq's passfile."
    )
    file.write_text("one postgres://u:${PASSWORD}@db/x")
    assert read_sites(file, {"PASSWORD": "x"}).warning == ""


def test_sites_show_no_secret(tmp_path: Path) -> None:
    assert "SENTINEL" not in repr(read(tmp_path, "one postgres://u:SENTINEL@db/x"))


def test_chosen_sites(tmp_path: Path) -> None:
    sites = read(tmp_path, "a1 dbname=a1", "b1 dbname=b1", "a2 dbname=a2").sites
    assert [site.name for site in chosen_sites(sites, [])] == ["a1", "b1", "a2"]
    assert [site.name for site in chosen_sites(sites, ["a*", "b1"])] == ["a1", "b1", "a2"]
    assert [site.name for site in chosen_sites(sites, ["a2"])] == ["a2"]
    with pytest.raises(InvalidSites, match='There is no site "c"'):
        chosen_sites(sites, ["c"])


def test_password_command_gets_the_site() -> None:
    assert site_password("echo pw-of-{site} other", "branch-1") == "pw-of-branch-1 other"
    assert site_password("printenv DOMAIN_MIGRATIONS_SITE", "branch-1") == "branch-1"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("/nowhere/program", "cannot be run: No such file or directory."),
        ("echo 'open", "cannot be run: it is not a command line."),
        ("true", "has printed no password on its first line."),
        (
            "sh -c 'echo SENTINEL; echo no SENTINEL >&2; exit 4'",
            "has ended with exit status 4.",
        ),
        ("sh -c 'echo SENTINEL >&2; exit 4'", "has ended with exit status 4."),
    ],
)
def test_password_command_that_fails(command: str, message: str) -> None:
    with pytest.raises(SiteFailed) as caught:
        site_password(command, "one")
    assert caught.value.message == f'The password command of the site "one" {message}'
    assert "SENTINEL" not in caught.value.full_message
    assert caught.value.exit_status == 1


def test_password_command_gets_no_variable_of_other_sites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_PASSWORD", "SENTINEL")
    (site,) = read(tmp_path, "one dbname=x").sites
    with pytest.raises(SiteFailed, match="exit status 1"):
        SiteAccess("printenv SITE_PASSWORD", ["SITE_PASSWORD"]).enter(site)
