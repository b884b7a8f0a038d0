"""What a migration says to leave unsaid about itself, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .findings import Level, LintFinding
from .rules import IGNORE_OF_UNKNOWN_RULE, IGNORE_WITHOUT_REASON, OWN_RULES, UNUSED_IGNORE
from .script import MigrationScript
from .squawk import Squawk

ATTRIBUTE = "lint_ignore"
LIKE_THIS = f'{ATTRIBUTE} = {{"ban-drop-column": "Never written: the feature was not released."}}'
FindingFactory = Callable[[MigrationScript, str, Level, str, str], LintFinding]


class Suppressions:
    """The rules that a migration's ``lint_ignore`` names, each with a reason.

    Arguments:
        script: of the migration.
        make: makes a finding about it.
    """

    def __init__(self, script: MigrationScript, make: FindingFactory) -> None:
        given: Any = getattr(script.migration, ATTRIBUTE, {})
        self.script = script
        self.make = make
        self.is_mapping = isinstance(given, dict)
        self.reasons: dict[Any, Any] = given if isinstance(given, dict) else {}
        self.used: set[str] = set()

    def suppresses(self, finding: LintFinding) -> bool:
        """Return whether the finding is to be left unsaid."""
        if not _is_reason(self.reasons.get(finding.rule)):
            return False
        self.used.add(finding.rule)
        return True

    def findings(self, squawk: Squawk) -> Iterator[LintFinding]:
        """Yield what is wrong with the ignores themselves."""
        if not self.is_mapping:
            yield self._wrong(f"{ATTRIBUTE} is not a dictionary of rules and reasons.")
        for rule, reason in self.reasons.items():
            if not _is_reason(reason):
                yield self._wrong(f'{ATTRIBUTE} has no reason for "{rule}".')
            elif not isinstance(rule, str) or not (rule in OWN_RULES or squawk.knows(rule)):
                yield self.make(
                    self.script,
                    IGNORE_OF_UNKNOWN_RULE,
                    "error",
                    f'{ATTRIBUTE} names the rule "{rule}", which there is not.',
                    "Write it as it is reported.",
                )
            elif rule not in self.used and not self.script.incomplete_reason:
                yield self.make(
                    self.script,
                    UNUSED_IGNORE,
                    "warning",
                    f'{ATTRIBUTE} names the rule "{rule}", which finds nothing here.',
                    "Take it out.",
                )

    def _wrong(self, message: str) -> LintFinding:
        hint = f"Write why it is safe: {LIKE_THIS}"
        return self.make(self.script, IGNORE_WITHOUT_REASON, "error", message, hint)


def _is_reason(reason: Any) -> bool:
    return isinstance(reason, str) and bool(reason.strip())
