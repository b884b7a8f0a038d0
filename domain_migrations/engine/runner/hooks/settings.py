"""The hooks that ``DOMAIN_MIGRATIONS["HOOKS"]`` declares.

::

    "HOOKS": {
        "inventory": {
            "before": [["pg_dump", "--file=before.dump"], "config.hooks.pause"],
            "after": [{"command": ["./resume"], "timeout": 10}],
            "failed": [],
        },
        "*": {"after": ["config.hooks.notify"]},
    }

A list is a command with its arguments, a string the dotted path of a callable; a dictionary
has either as ``command`` or ``callable``, with options. No shell ever reads any of it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from django.utils.module_loading import import_string

from ....conf import SETTING, get_settings
from ....domains import Domain, get_domains, unknown_domain_error
from ....exceptions import InvalidConfiguration

Event = Literal["before", "after", "failed"]
EVENTS: tuple[Event, ...] = get_args(Event)
EVERY_DOMAIN = "*"

NAME_LENGTH = 200
DOTTED_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
OPTIONS = ("command", "callable", "name", "timeout", "credentials")
EXAMPLE = '["program", "argument"] for a command, or "package.module.function" for a callable'


@dataclass(frozen=True, kw_only=True)
class Hook:
    """One command or callable.

    Attributes:
        command: program and arguments; empty for a callable.
        path: dotted path of a callable; empty for a command.
        timeout: seconds that it may run, 0 for no limit.
        credentials: whether a command gets what it needs to connect to the database.
    """

    name: str
    command: tuple[str, ...] = ()
    path: str = ""
    timeout: float = 0.0
    credentials: bool = False


def hooks_of(domain: Domain, event: Event) -> tuple[Hook, ...]:
    """Return a domain's hooks in the order in which they are called.

    Those of every domain are around the domain's own: first before a run, last behind it.

    Raises:
        InvalidConfiguration: the setting cannot be worked with.
    """
    for message, hint in hook_problems():
        raise InvalidConfiguration(message, hint=hint)
    names = [EVERY_DOMAIN, domain.name] if event == "before" else [domain.name, EVERY_DOMAIN]
    declared = get_settings().hooks
    return tuple(
        _read(given, "") for name in names for given in declared.get(name, {}).get(event, ())
    )


def hook_problems() -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the setting, each with what to do about it."""
    settings = get_settings()
    if not _is_seconds(settings.hook_timeout):
        yield f'{SETTING}["HOOK_TIMEOUT"] takes seconds, 0 or more.', '"HOOK_TIMEOUT": 300'
    if not isinstance(settings.hooks, Mapping):
        yield f'{SETTING}["HOOKS"] is no dictionary.', f'"HOOKS": {{"{EVERY_DOMAIN}": {{}}}}'
        return
    known = [domain.name for domain in get_domains()]
    for name, events in settings.hooks.items():
        where = f'{SETTING}["HOOKS"]["{name}"]'
        if name != EVERY_DOMAIN and name not in known:
            unknown = unknown_domain_error(name, known)
            yield f"{where}: {unknown.message}", unknown.hint
        elif not isinstance(events, Mapping):
            yield f"{where} is no dictionary.", f'"{name}": {{"before": []}}'
        else:
            yield from _problems_of(events, where)


def _problems_of(events: Mapping[str, Any], where: str) -> Iterator[tuple[str, str]]:
    for event, hooks in events.items():
        place = f'{where}["{event}"]'
        if event not in EVENTS:
            yield f"{place}: there is no such moment.", f"The moments are {', '.join(EVENTS)}."
        elif not isinstance(hooks, list | tuple):
            yield f"{place} is no list of hooks.", f'"{event}": [{EXAMPLE}]'
        else:
            for number, given in enumerate(hooks):
                try:
                    _read(given, f"{place}[{number}]")
                except InvalidConfiguration as exc:
                    yield exc.message, exc.hint


def _read(given: Any, where: str) -> Hook:
    """Return the hook that is declared.

    Raises:
        InvalidConfiguration: it cannot be worked with; the message begins with ``where``.
    """
    limit = float(get_settings().hook_timeout)
    if isinstance(given, str):
        return Hook(name=_path(given, where), path=given, timeout=limit)
    if isinstance(given, list | tuple):
        command = _command(given, where)
        return Hook(name=_shown(command), command=command, timeout=limit)
    if not isinstance(given, Mapping):
        raise InvalidConfiguration(f"{where} is no hook: {given!r}.", hint=f"Write {EXAMPLE}.")
    return _read_mapping(given, where, limit)


def _read_mapping(given: Mapping[str, Any], where: str, limit: float) -> Hook:
    unknown = sorted(set(given) - set(OPTIONS))
    if unknown or ("command" in given) == ("callable" in given):
        raise InvalidConfiguration(
            f"{where} has no option {', '.join(unknown)}."
            if unknown
            else f"{where} has not exactly one of command and callable.",
            hint=f"The options are {', '.join(OPTIONS)}.",
        )
    timeout = given.get("timeout", limit)
    if not _is_seconds(timeout):
        raise InvalidConfiguration(
            f"{where}: timeout takes seconds, 0 or more.", hint=f'"timeout": {limit:g}'
        )
    command = _command(given["command"], where) if "command" in given else ()
    path = _path(given["callable"], where) if "callable" in given else ""
    return Hook(
        name=str(given.get("name") or path or _shown(command))[:NAME_LENGTH],
        command=command,
        path=path,
        timeout=float(timeout),
        credentials=bool(given.get("credentials", False)),
    )


def _command(given: Any, where: str) -> tuple[str, ...]:
    if isinstance(given, str):
        raise InvalidConfiguration(
            f"{where} is a command as a string: {given!r}. No shell reads it.",
            hint=f"Write the program and each argument: {_as_list(given)}",
        )
    if not isinstance(given, list | tuple) or not given:
        raise InvalidConfiguration(f"{where} is an empty command.", hint=f"Write {EXAMPLE}.")
    command = tuple(given)
    if not all(isinstance(part, str) and "\0" not in part for part in command) or not command[0]:
        raise InvalidConfiguration(
            f"{where} has an argument that is no string: {given!r}.",
            hint="Turn each argument into a string, with str().",
        )
    return command


def _path(given: Any, where: str) -> str:
    if not isinstance(given, str) or not DOTTED_PATH.fullmatch(given):
        shown = _as_list(given) if isinstance(given, str) else EXAMPLE
        raise InvalidConfiguration(
            f"{where} is not the dotted path of a callable: {given!r}.",
            hint=f"For a command, write the program and each argument: {shown}",
        )
    try:
        found = import_string(given)
    except ImportError as exc:
        raise InvalidConfiguration(
            f"{where} cannot be imported: {exc}.",
            hint=f"Correct the path; for a command, write a list: [{given!r}]".replace("'", '"'),
        ) from exc
    if not callable(found):
        raise InvalidConfiguration(
            f"{where}: {given} is not callable.", hint="Name a function that takes the run."
        )
    return given


def _as_list(given: str) -> str:
    try:
        parts = shlex.split(given)
    except ValueError:
        parts = given.split()
    return "[" + ", ".join('"' + part.replace('"', '\\"') + '"' for part in parts) + "]"


def _shown(command: tuple[str, ...]) -> str:
    return shlex.join(command)[:NAME_LENGTH]


def _is_seconds(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
    )
