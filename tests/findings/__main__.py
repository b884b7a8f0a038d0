"""Run scripts of findings/, all or those that are named, and print a line for each.

    python -m tests.findings [NAME …]

Needs what the scripts need: bash, Python, Node.js, Debian's postgresql-15 and a Java runtime; they
install the other programs. The exit status is 1 if a behaviour has changed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.findings.scripts import choose_scripts, run_scripts


def main(names: Sequence[str]) -> int:
    try:
        scripts = choose_scripts(names)
    except KeyError as unknown:
        print(f"findings/ has no script {unknown}.", file=sys.stderr)
        return 2
    changed = 0
    for result in run_scripts(scripts):
        print(result, flush=True)
        changed += not result.is_as_described
    print(f"{len(scripts) - changed} passed, {changed} failed")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
