"""Scripts of findings/, and their results."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.commands import ROOT

FINDINGS = ROOT / "findings"


@dataclass(frozen=True)
class Result:
    """How a script ended.

    Attributes:
        message: the last lines of its output if it did not end with 0.
    """

    name: str
    is_as_described: bool
    seconds: float
    message: str

    def __str__(self) -> str:
        verdict = "as described" if self.is_as_described else "CHANGED"
        line = f"{self.name:<48} {verdict:<12} {self.seconds:5.0f} s"
        return line if self.is_as_described else f"{line}\n{self.message}"


def choose_scripts(names: Sequence[str], folder: Path = FINDINGS) -> list[Path]:
    """Return the scripts of these names, or all; raise KeyError for a name without a script."""
    scripts = {path.stem: path for path in sorted(folder.glob("*.sh"))}
    return [scripts[name.removesuffix(".sh")] for name in names] or list(scripts.values())


def run_scripts(scripts: Sequence[Path]) -> Iterator[Result]:
    for script in scripts:
        started = time.monotonic()
        done = subprocess.run(
            ["bash", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        lines = [f"    {line}" for line in done.stdout.splitlines()[-12:]]
        seconds = time.monotonic() - started
        yield Result(script.stem, done.returncode == 0, seconds, "\n".join(lines))
