"""The format of snapshot files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain_migrations.domains import Domain
from domain_migrations.engine.snapshots import snapshot_file as snapshot_files
from domain_migrations.engine.snapshots.snapshot_file import (
    Snapshot,
    SnapshotUnreadable,
    join_statements,
    new_snapshot_file,
    read_snapshot,
    snapshot_file,
)
from domain_migrations.engine.sources.files import MigrationKey

SNAPSHOT = Snapshot(
    domain="shop",
    migrations={
        MigrationKey("shop", "0001_initial"): "1:ab",
        MigrationKey("till", "0001_a"): "1:c",
    },
    fingerprint="1:ff",
    core={"public.users.id": "character varying(20)", "public.odd :: name.id": "bigint"},
    unmanaged={"view shop.on hand": "0123456789abcdef"},
    body=join_statements(
        ("CREATE TABLE shop.t (\n    a int\n);", "COMMENT ON TABLE shop.t IS '\n\n-- x;';")
    ),
)
TEXT = """\
-- The schema of the domain "shop" as its migrations leave it, for an empty database.
-- Written by: manage.py snapshot_domain shop
-- Do not edit it: write it again.
--
-- format: 1
-- domain: shop
-- migration: shop.0001_initial 1:ab
-- migration: till.0001_a 1:c
-- fingerprint: 1:ff
-- content: 6dc6c1b8
-- core: public.odd :: name.id::bigint
-- core: public.users.id::character varying(20)
-- unmanaged: 0123456789abcdef view shop.on hand

CREATE TABLE shop.t (
    a int
);

COMMENT ON TABLE shop.t IS '

-- x;';
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "snapshot.sql"
    path.write_bytes(text.encode())
    return path


def test_the_text() -> None:
    lines = SNAPSHOT.render().splitlines()
    content = next(number for number, line in enumerate(lines) if line.startswith("-- content: "))
    lines[content] = "-- content: 6dc6c1b8"
    assert lines == TEXT.splitlines()


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_what_is_written_is_read(tmp_path: Path, ending: str) -> None:
    path = written(tmp_path, SNAPSHOT.render().replace("\n", ending))
    assert read_snapshot(path) == SNAPSHOT


def test_a_carriage_return_of_a_row_is_kept(tmp_path: Path) -> None:
    made = replace(SNAPSHOT, body=join_statements(("INSERT INTO shop.items VALUES ('a\r\nb\r');",)))
    assert read_snapshot(written(tmp_path, made.render())) == made


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("a int", "b int", "its statements were edited"),
        ("-- format: 1", "-- format: 2", "its format is not 1"),
        ("-- fingerprint: 1:ff\n", "", "its header is not complete"),
        ("-- domain: shop", "-- domain: shop\n-- domain: till", "its header is not complete"),
        ("shop.0001_initial 1:ab", "shop", "its header is not complete"),
        ("-- domain", "<<<<<<< HEAD\n-- domain", "its header has the line '<<<<<<< HEAD'"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, old: str, new: str, reason: str) -> None:
    text = SNAPSHOT.render()
    assert old in text
    with pytest.raises(SnapshotUnreadable) as raised:
        read_snapshot(written(tmp_path, text.replace(old, new, 1)))
    assert str(raised.value) == reason


def test_what_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.sql"
    path.write_bytes(b"\xff")
    with pytest.raises(SnapshotUnreadable, match="it cannot be read: 'utf-8' codec"):
        read_snapshot(path)


def test_the_file_is_in_the_app_with_the_domains_name_unless_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = Domain(name="shop", schema="shop", app_labels=("till", "shop", "empty"))
    folders = {label: tmp_path / label for label in domain.app_labels}
    for folder in folders.values():
        folder.mkdir()
    monkeypatch.setattr(snapshot_files, "migrations_folders", lambda label: [folders[label]])
    monkeypatch.setattr(snapshot_files, "migrations_on_disk", lambda labels: labels != ["empty"])
    assert snapshot_file(domain) is None
    assert new_snapshot_file(domain) == folders["shop"] / "snapshot.sql"
    (folders["till"] / "snapshot.sql").touch()
    assert snapshot_file(domain) == new_snapshot_file(domain) == folders["till"] / "snapshot.sql"
    alone = Domain(name="empty", schema="empty", app_labels=("empty",))
    assert new_snapshot_file(alone) is None
