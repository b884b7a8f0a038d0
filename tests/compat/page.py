"""Write docs/reference/compatibility.md from the results of a run of the other tests here."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.compat.packages import PACKAGES
from tests.compat.trials import Trial, load

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/compatibility.md"

HEAD = """\
# Compatibility

Third-party packages, tried with Django {django} on PostgreSQL {server}. `nox -s compat` installs
the pinned versions of `requirements/compat.txt`, makes a throw-away project for each, and writes
this page from what happened.

- *In core*: `check`, `migrate`, a second `migrate` with nothing to do, `verify_domain` without
  findings, and `migrate APP zero` for each of the package's apps, then `migrate` again.
- *In a domain*, a model that uses the package: `makemigrations`, `migrate`, nothing to do again,
  `makemigrations --check`, `verify_domain` without findings, `migrate_domain lab zero` and back.
  A dash: the package has nothing for models.

After "works with" is what the project has to write besides the package's own instructions;
after "irreversible" what the package's own migrations do not allow, with Django's backend neither.

| package | version | in core | in a domain |
|---|---|---|---|
"""


def cell(trial: Trial | None) -> str:
    """Return what happened, with the setting that it took or the sentence that refused it."""
    if trial is None:
        return "—"
    if trial.problem is None:
        text = f"works with {trial.setting}" if trial.setting else "works"
        refused = [step.command for step in trial.steps if step.refused]
        return f"{text}; irreversible: `{'`, `'.join(refused)}`" if refused else text
    text, _, _ = trial.problem.problem.partition(" It was rolled back.")
    text = text.replace("|", "\\|").removeprefix("?: ")
    note = next((each.note for each in PACKAGES if each.name == trial.package), "")
    return f"{trial.outcome} at `{trial.problem.command}`: {text} {note}".rstrip()


def render(trials: Sequence[Trial]) -> str:
    return HEAD.format(
        django=" and ".join(sorted({trial.django for trial in trials})),
        server=" and ".join(sorted({trial.server for trial in trials})),
    ) + "".join(f"{row}\n" for row in rows(trials))


def rows(trials: Sequence[Trial]) -> Iterator[str]:
    places = {(trial.package, trial.place): trial for trial in trials}
    versions = {trial.package: trial.version for trial in trials}
    for package in sorted(versions, key=str.lower):
        core, domain = (cell(places.get((package, place))) for place in ("core", "domain"))
        yield f"| {package} | {versions[package]} | {core} | {domain} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="the folder given to pytest --compat")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    options.page.write_text(render(load(options.results)))


if __name__ == "__main__":
    main()
