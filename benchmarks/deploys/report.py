"""Documentation of the results of `benchmarks.deploys`: tables and a chart.

python -m benchmarks.deploys.report build/deploys.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
BEGIN, END = "<!-- benchmarks.deploys -->", "<!-- end of benchmarks.deploys -->"

QUESTIONS = {
    "nothing-pending": "Everything is applied already",
    "one-pending": "One migration of one domain is pending",
    "empty-database": "Every migration, on an empty database",
    "snapshots": "Every domain from its snapshot, on an empty database",
    "one-domain": "All migrations of one domain, core being there",
    "growth": "One domain with more and more migrations",
    "test-database": "A process of pytest that makes the test database",
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deploys.report")
    parser.add_argument("file", type=Path, help="written by benchmarks.deploys --json")
    parser.add_argument("--docs", type=Path, default=DOCS, help="the folder of performance.md")
    options = parser.parse_args(arguments)
    report = json.loads(options.file.read_text())
    page = options.docs / "performance.md"
    before, rest = page.read_text().split(BEGIN)
    _, after = rest.split(END)
    text = "\n".join(_sections(report))
    page.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")
    _draw(report["scenarios"], options.docs / "charts" / "deploys")
    return 0


def _sections(report: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{report['domains']} domains with {report['migrations']} migrations each,"
        f" {report['operations']} operation{'s' if report['operations'] != 1 else ''} a migration;"
        f" Django {report['django']}, Python {report['python']}, {report['server']} server,"
        f" {report['cores']} cores.\nMedians; `ratio` is to the first row of each table."
    )
    for name, rows in report["scenarios"].items():
        yield f"\n### {QUESTIONS[name]}\n"
        yield "| | seconds | fastest to slowest | CPU seconds | peak memory | ratio | runs |"
        yield "|---|---|---|---|---|---|---|"
        for row in rows:
            ratio = row["seconds"] / rows[0]["seconds"]
            yield (
                f"| {row['name']} | {row['seconds']:.2f} | {row['fastest']:.2f} to"
                f" {row['slowest']:.2f} | {row['cpu']:.2f} | {row['memory'] / 2**20:.0f} MiB |"
                f" {ratio:.2f} | {row['runs']} |"
            )
    yield "\n```{figure} charts/deploys.svg\n:alt: The medians of the tables above, as bars.\n```\n"


def _draw(scenarios: dict[str, list[dict[str, Any]]], picture: Path) -> None:
    from matplotlib import pyplot

    heights = [1.6 + len(rows) for rows in scenarios.values()]  # In bars, with title and axis.
    figure, axes = pyplot.subplots(
        *(len(scenarios), 1),
        figsize=(8, 0.3 * sum(heights)),
        height_ratios=heights,
        layout="constrained",
        squeeze=False,
    )
    for (name, rows), axis in zip(scenarios.items(), axes[:, 0], strict=True):
        labels, seconds = [row["name"] for row in rows], [row["seconds"] for row in rows]
        errors = [
            [row["seconds"] - row["fastest"] for row in rows],
            [row["slowest"] - row["seconds"] for row in rows],
        ]
        axis.barh(labels, seconds, xerr=errors, color="#4c72b0")
        axis.invert_yaxis()
        axis.set_title(QUESTIONS[name], loc="left", fontsize=10)
        axis.set_xlabel("seconds", fontsize=8)
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture.with_suffix(".png"), dpi=100)
    figure.savefig(picture.with_suffix(".svg"), metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
