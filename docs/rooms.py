"""The picture of the engine's rooms, drawn from the import contracts of pyproject.toml.

    python docs/rooms.py

Writes ``docs/explanation/rooms.svg``: one row for each layer, which imports rows below it only.
"""

from __future__ import annotations

import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs/explanation/rooms.svg"

WIDTH, MARGIN, GAP, HEIGHT, TITLE = 760, 16, 10, 34, 26

STEPS = {
    "management": "1",
    "api": "2",
    "runner": "3, 7",
    "history": "4",
    "sessions": "5",
    "sources": "6",
    "guard": "8",
    "backends": "9",
}
"""Room → where the way of ``migrate_domain inventory`` passes through it."""

STYLE = """
  .card { fill: #ffffff } rect { fill: #eef4fb; stroke: #5b7ea6; rx: 5 }
  .engine { fill: none; stroke-dasharray: 5 4 }
  text { font: 14px system-ui, sans-serif; fill: #1b2733; text-anchor: middle }
  .step { font-size: 11px; fill: #8a3b00; text-anchor: end } .title { text-anchor: start }
  @media (prefers-color-scheme: dark) {
    .card { fill: #16191d } rect { fill: #20303f; stroke: #7fa3cb } .engine { fill: none }
    text { fill: #e6edf3 } .step { fill: #ffb37a }
  }
"""


def layers() -> dict[str, list[list[str]]]:
    """Return contract id → its layers from top to bottom, each with its modules."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {
        contract["id"]: [
            [module.strip() for module in layer.replace(":", "|").split("|")]
            for layer in contract["layers"]
        ]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    }


def svg() -> str:
    """Return the picture."""
    contracts = layers()
    shapes: list[str] = []
    top = MARGIN
    for row in contracts["layers"]:
        if row != ["engine"]:
            shapes += _row(row, MARGIN, WIDTH - MARGIN, top)
            top += HEIGHT + GAP
            continue
        start, top = top, top + TITLE
        for rooms in contracts["rooms"]:
            shapes += _row(rooms, 2 * MARGIN, WIDTH - 2 * MARGIN, top)
            top += HEIGHT + GAP
        shapes.append(
            f'<rect class="engine" x="{MARGIN}" y="{start}"'
            f' width="{WIDTH - 2 * MARGIN}" height="{top - start}"/>'
        )
        shapes.append(f'<text class="title" x="{2 * MARGIN}" y="{start + 18}">engine</text>')
        top += GAP
    height = top - GAP + MARGIN
    description = "Each row imports rows below it only. The numbers are the steps of a run."
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            "<title>The rooms of domain_migrations</title>",
            f"<desc>{description}</desc>",
            f"<style>{STYLE}</style>",
            f'<rect class="card" width="{WIDTH}" height="{height}" stroke="none"/>',
            *shapes,
            "</svg>\n",
        )
    )


def _row(rooms: list[str], left: int, right: int, top: int) -> list[str]:
    width = (right - left - GAP * (len(rooms) - 1)) / len(rooms)
    shapes = []
    for number, room in enumerate(rooms):
        x = left + number * (width + GAP)
        shapes.append(f'<rect x="{x:.1f}" y="{top}" width="{width:.1f}" height="{HEIGHT}"/>')
        shapes.append(f'<text x="{x + width / 2:.1f}" y="{top + 22}">{escape(room)}</text>')
        if room in STEPS:
            shapes.append(
                f'<text class="step" x="{x + width - 8:.1f}" y="{top + 21}">{STEPS[room]}</text>'
            )
    return shapes


if __name__ == "__main__":
    PICTURE.write_text(svg())
