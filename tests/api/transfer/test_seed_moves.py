"""What becomes of the seeds of a model that moves."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from django.apps import apps

from domain_migrations.api.seed.seed_files import SeedFile
from domain_migrations.api.source_code.file_changes import FileChange
from domain_migrations.api.source_code.source_editor import SourceEditor
from domain_migrations.api.transfer import seed_moves
from domain_migrations.api.transfer.model_move import plan_move
from domain_migrations.api.transfer.seed_moves import SeedMove
from domain_migrations.domains import Domain

YAML = """\
# Of the hospital.
tags: demo

DosageForm:
  - {code: TAB}  # kept
# Whom we buy from.
# Codes are ours.
Company:
  - {code: GPO, name: "A #1"}
  - code: TNP

# Where we are.
Location:
  - {code: W1}
"""
JSON = """\
{
  "tags": ["demo"],
  "DosageForm": [{"code": "TAB"}],
  "companies": {"key": "code", "rows": [{"code": "}, {"}]}
}
"""


class Seeds:
    """Seed files of the sample project's apps, in a folder of the test's."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(dedent(text).encode())
        return file

    def files(self, domain: Domain) -> list[SeedFile]:
        return [
            SeedFile(label, path)
            for label in domain.app_labels
            for path in sorted((self.root / label).glob("*"))
        ]

    def plan(self, model: str, target: str, changes: list[FileChange] | None = None) -> SeedMove:
        planned = plan_move(apps.get_model(model), apps.get_app_config(target))
        move = SeedMove(planned, SourceEditor(changes or []))
        move.plan()
        return move

    def texts(self, move: SeedMove) -> dict[str, str | None]:
        return {
            str(change.path.relative_to(self.root)): change.after and change.after.decode()
            for change in move.editor.changes
        }


@pytest.fixture
def seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Seeds:
    made = Seeds(tmp_path)
    monkeypatch.setattr(seed_moves, "seed_files", made.files)
    monkeypatch.setattr(seed_moves, "seeds_folder", lambda label: tmp_path / label)
    return made


def test_a_file_of_its_own_moves_as_it_is(seeds: Seeds) -> None:
    text = "# tags: demo\r\ncode,name\r\nGPO,ก\r\n"
    seeds.write("inventory/002_companies.csv", text)
    seeds.write("inventory/003_locations.csv", "code\nW1\n")
    seeds.write("hr/004_company.csv", "code\nX\n")
    move = seeds.plan("inventory.Company", "core")
    assert seeds.texts(move) == {
        "core/002_companies.csv": text,
        "inventory/002_companies.csv": None,
    }
    assert (move.by_hand, move.editor.blockers) == ([], [])


@pytest.mark.parametrize(
    ("suffix", "text", "label"),
    [
        ("csv", "# key: code\n#  model: {}\ncode\nGPO\n", "inventory.company"),
        ("yaml", "# Ours.\n{}:\n  - {{code: GPO, note: inventory.Company}}\n", "inventory.Company"),
        ("yaml", '"{}": [{{code: GPO}}]\n', "inventory.Company"),
        ("json", '{{"tags": [], "{}": [{{"code": "GPO"}}]}}\n', "inventory.Company"),
    ],
)
def test_a_label_becomes_the_new_one(seeds: Seeds, suffix: str, text: str, label: str) -> None:
    seeds.write(f"inventory/002_a.{suffix}", text.format(label))
    move = seeds.plan("inventory.Company", "core")
    assert seeds.texts(move)[f"core/002_a.{suffix}"] == text.format("core.Company")


def test_an_entry_leaves_a_file_of_several_models__yaml(seeds: Seeds) -> None:
    seeds.write("inventory/001_reference.yaml", YAML)
    found = seeds.texts(seeds.plan("inventory.Company", "core"))
    entry = YAML[YAML.index("# Whom") : YAML.index("\n# Where")]
    assert found == {
        "inventory/001_reference.yaml": YAML.replace(f"{entry}\n", ""),
        "core/001_reference.yaml": f"# Of the hospital.\ntags: demo\n\n{entry}",
    }


def test_an_entry_leaves_a_file_of_several_models__last_in_yaml(seeds: Seeds) -> None:
    seeds.write("inventory/001_a.yaml", "Location:\n- {code: W}\n\nCompany:\n- {code: A}\n")
    found = seeds.texts(seeds.plan("inventory.Company", "core"))
    assert found == {
        "inventory/001_a.yaml": "Location:\n- {code: W}\n",
        "core/001_a.yaml": "Company:\n- {code: A}\n",
    }


def test_an_entry_leaves_a_file_of_several_models__json(seeds: Seeds) -> None:
    seeds.write("inventory/001_reference.json", JSON)
    found = seeds.texts(seeds.plan("inventory.Company", "core"))
    assert found == {
        "inventory/001_reference.json": (
            '{\n  "tags": ["demo"],\n  "DosageForm": [{"code": "TAB"}]\n}\n'
        ),
        "core/001_reference.json": (
            '{\n  "tags": ["demo"],\n'
            '  "companies": {"key": "code", "rows": [{"code": "}, {"}]}\n}\n'
        ),
    }


def test_an_entry_leaves_a_file_of_several_models__first_in_json(seeds: Seeds) -> None:
    seeds.write("inventory/001_a.json", '{"Company": [{"code": "A"}], "Location": []}')
    found = seeds.texts(seeds.plan("inventory.Company", "core"))
    assert found["inventory/001_a.json"] == '{"Location": []}'


def test_yaml_in_braces_is_left_to_people(seeds: Seeds) -> None:
    path = seeds.write("inventory/001_a.yaml", "{Company: [{code: A}], Location: [{code: B}]}\n")
    move = seeds.plan("inventory.Company", "core")
    assert move.editor.changes == []
    (line,) = move.by_hand
    assert (line.path, line.line) == (path, 1)
    assert line.reason == "move the model's rows to a seed of the other app"


def test_a_name_that_is_taken_becomes_the_table_s(seeds: Seeds) -> None:
    seeds.write("inventory/001_a.yaml", "Company: [{code: A}]\n")
    seeds.write("core/001_a.yaml", "CostCentre: [{code: A}]\n")
    assert seeds.texts(seeds.plan("inventory.Company", "core")) == {
        "core/001_companies.yaml": "Company: [{code: A}]\n",
        "inventory/001_a.yaml": None,
    }
    seeds.write("core/001_companies.yaml", "")
    move = seeds.plan("inventory.Company", "core")
    assert move.editor.changes == []
    assert [blocker.message for blocker in move.editor.blockers] == [
        "inventory/seeds/001_a.yaml has rows of inventory.Company, and core has seeds of the names"
        " 001_a.yaml and 001_companies.yaml already."
    ]


PYTHON = """\
    def seed(context):
        é = "Company"; model = context.get_model("Company"); other = get_model("Company")
        context.get_model('inventory.Company'), context.get_model("Location")
        context.upsert(
            "companies", [])
    """


def test_python_names_the_model_of_core(seeds: Seeds) -> None:
    path = seeds.write("inventory/910_a.py", PYTHON)
    move = seeds.plan("inventory.Company", "core")
    expected = dedent(PYTHON).replace('model("Company"); o', 'model("core.Company"); o')
    expected = expected.replace("inventory.Company", "core.Company")
    assert seeds.texts(move) == {
        "inventory/910_a.py": expected.replace("companies", "core.Company")
    }
    (line,) = move.by_hand
    assert (line.path, line.line, line.text) == (path, 5, '"companies", [])')
    assert line.reason == "the seed writes to core: writes_core = True"


def test_python_names_the_model_of_core__after_other_edits(seeds: Seeds) -> None:
    path = seeds.write("inventory/910_a.py", "writes_core = True\n")
    edited = b"writes_core = True\ndef seed(context):\n    context.upsert('Company', [])\n"
    move = seeds.plan("inventory.Company", "core", [FileChange(path, path.read_bytes(), edited)])
    (text,) = seeds.texts(move).values()
    assert text == edited.decode().replace("Company", "core.Company")
    assert move.by_hand == []


def test_python_cannot_name_the_model_of_another_domain(seeds: Seeds) -> None:
    path = seeds.write("inventory/910_a.py", "def seed(c):\n    c.get_model('Company')\n")
    move = seeds.plan("inventory.Company", "hr")
    assert move.editor.changes == []
    (line,) = move.by_hand
    assert (line.path, line.line, line.text) == (path, 2, "c.get_model('Company')")
    assert line.reason == "the seed names the model, which another domain will have"


def test_python_cannot_name_the_model_of_another_domain__after_other_edits(seeds: Seeds) -> None:
    path = seeds.write("inventory/910_a.py", "c.get_model('Company')\n")
    edited = b"c.get_model('hr.Company')\n"
    move = seeds.plan("inventory.Company", "hr", [FileChange(path, path.read_bytes(), edited)])
    assert [(line.line, line.text) for line in move.by_hand] == [(1, "c.get_model('hr.Company')")]


def test_a_model_of_core_moves_to_a_domain(seeds: Seeds) -> None:
    seeds.write("core/001_a.yaml", "CostCentre: [{code: A}]\n")
    seeds.write("hr/900_a.yaml", "writes_core: true\ncore.CostCentre: [{code: B}]\n")
    other = seeds.write("inventory/900_a.yaml", "tags: demo\ncore.CostCentre: [{code: C}]\n")
    move = seeds.plan("core.CostCentre", "hr")
    assert seeds.texts(move) == {
        "hr/001_a.yaml": "CostCentre: [{code: A}]\n",
        "core/001_a.yaml": None,
        "hr/900_a.yaml": "writes_core: true\nhr.CostCentre: [{code: B}]\n",
    }
    assert [(line.path, line.line) for line in move.by_hand] == [(other, 2)]
    assert {path.parent.name for path in move.data} == {"core", "hr", "inventory"}
