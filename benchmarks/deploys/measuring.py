"""Repeated, alternating measurements of processes: time, CPU and memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TIMER = Path(__file__).with_name("timer.py")


@dataclass(frozen=True)
class Sample:
    """The measurement of one process.

    Attributes:
        seconds: from start to end.
        cpu: CPU seconds of the client processes, without those of the server.
        memory: peak memory of the started process, in bytes.
    """

    seconds: float
    cpu: float
    memory: int


@dataclass(frozen=True)
class Contender:
    """A command that is compared with others.

    Attributes:
        name: shown in the report.
        command: exits with 0.
        folder: the working directory.
        environment: variables in addition to those of this process.
        prepare: called before each run; not measured.
        runs: the maximum number of runs, for commands that take very long.
    """

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    prepare: Callable[[], None] = lambda: None
    runs: int | None = None


@dataclass
class Measured:
    """All samples of a contender."""

    name: str
    samples: list[Sample] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return statistics.median(sample.seconds for sample in self.samples)

    def as_json(self) -> dict[str, object]:
        times = [sample.seconds for sample in self.samples]
        return {
            "name": self.name,
            "runs": len(times),
            "seconds": round(self.seconds, 4),
            "fastest": round(min(times), 4),
            "slowest": round(max(times), 4),
            "cpu": round(statistics.median(sample.cpu for sample in self.samples), 4),
            "memory": max(sample.memory for sample in self.samples),
        }


def measure(contenders: Sequence[Contender], runs: int) -> list[Measured]:
    """Run each contender ``runs`` times, in an order that rotates from round to round."""
    found = {contender.name: Measured(contender.name) for contender in contenders}
    for number in range(runs):
        first = number % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            if contender.runs is None or number < contender.runs:
                contender.prepare()
                found[contender.name].samples.append(_run(contender))
                _say(contender.name, found[contender.name].samples[-1])
    return list(found.values())


def _run(contender: Contender) -> Sample:
    environment = {**os.environ, **contender.environment, "PYTHONDONTWRITEBYTECODE": ""}
    with tempfile.NamedTemporaryFile() as figures:
        done = subprocess.run(
            [sys.executable, "-S", str(TIMER), figures.name, *contender.command],
            cwd=contender.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(f"{contender.name} exited {done.returncode}:\n{done.stderr[-2000:]}")
        return Sample(*json.load(figures))


def _say(name: str, sample: Sample) -> None:
    megabytes = sample.memory / 2**20
    line = f"{sample.seconds:9.3f} s  {sample.cpu:8.3f} s CPU  {megabytes:6.0f} MiB  {name}"
    print(line, file=sys.stderr, flush=True)
