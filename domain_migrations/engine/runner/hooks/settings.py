"""The hooks of the setting ``DOMAIN_MIGRATIONS["HOOKS"]``.

::

    "HOOKS": {
        "inventory": {
            "before": [["pg_dump", "--file=before.dump"]],
            "after": [{"command": ["./resume"], "timeout": 10}],
            "failed": [],
        },
        "*": {"after": [["./notify"]]},
    }

A list is a command with its arguments; a dictionary has it as ``command``, with options. No
shell reads it. Python code uses the signals ``domain_pre_migrate``, ``domain_post_migrate`` and
``domain_migrate_failed`` instead.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, get_args

from ....conf import SETTING, get_settings, is_number
from ....domains import Domain, get_domains, unknown_domain_error
from ....exceptions import InvalidConfiguration

Event = Literal["before", "after", "failed"]
EVENTS: tuple[Event, ...] = get_args(Event)
EVERY_DOMAIN = "*"

NAME_LENGTH = 200
OPTIONS = ("command", "name", "timeout", "environment", "credentials")
EXAMPLE = '["program", "argument"]'
USE_SIGNALS = (
    "Connect it to a signal of domain_migrations.signals: domain_pre_migrate,"
    " domain_post_migrate or domain_migrate_failed."
)


class Hook(NamedTuple):
    """One command.

    Attributes:
        command: program and arguments.
        timeout: seconds that it may run, 0 for no limit.
        environment: the names of further environment variables that it gets.
        credentials: whether it gets the environment variables to connect to the database.
    """

    name: str
    command: tuple[str, ...]
    timeout: float = 0.0
    environment: tuple[str, ...] = ()
    credentials: bool = False


def hooks_of(domain: Domain, event: Event) -> tuple[Hook, ...]:
    """Return a domain's hooks in the order in which they are called.

    The hooks of every domain are called before the domain's own before a run, and after them
    after it.

    Raises:
        InvalidConfiguration: the setting is invalid.
    """
    for message, hint in hook_problems():
        raise InvalidConfiguration(message, hint=hint)
    names = [EVERY_DOMAIN, domain.name] if event == "before" else [domain.name, EVERY_DOMAIN]
    setting = get_settings().hooks
    return tuple(
        _read(given, "") for name in names for given in setting.get(name, {}).get(event, ())
    )


def hook_problems() -> Iterator[tuple[str, str]]:
    """Yield the problems of the setting, each as a message and a hint."""
    settings = get_settings()
    if not is_number(settings.hook_timeout):
        yield f'{SETTING}["HOOK_TIMEOUT"] takes seconds, 0 or more.', '"HOOK_TIMEOUT": 300'
    if not isinstance(settings.hooks, Mapping):
        yield f'{SETTING}["HOOKS"] is not a dictionary.', f'"HOOKS": {{"{EVERY_DOMAIN}": {{}}}}'
        return
    known = [domain.name for domain in get_domains()]
    for name, events in settings.hooks.items():
        where = f'{SETTING}["HOOKS"]["{name}"]'
        if name != EVERY_DOMAIN and name not in known:
            unknown = unknown_domain_error(name, known)
            yield f"{where}: {unknown.message}", unknown.hint
        elif not isinstance(events, Mapping):
            yield f"{where} is not a dictionary.", f'"{name}": {{"before": []}}'
        else:
            yield from _problems_of(events, where)


def _problems_of(events: Mapping[str, Any], where: str) -> Iterator[tuple[str, str]]:
    for event, hooks in events.items():
        place = f'{where}["{event}"]'
        if event not in EVENTS:
            yield f"{place}: unknown event.", f"The events are {', '.join(EVENTS)}."
        elif not isinstance(hooks, list | tuple):
            yield f"{place} is not a list of hooks.", f'"{event}": [{EXAMPLE}]'
        else:
            for number, given in enumerate(hooks):
                try:
                    _read(given, f"{place}[{number}]")
                except InvalidConfiguration as exc:
                    yield exc.message, exc.hint


def _read(given: Any, where: str) -> Hook:
    """Return the hook of one entry of the setting.

    Raises:
        InvalidConfiguration: it is invalid; the message begins with ``where``.
    """
    limit = float(get_settings().hook_timeout)
    if isinstance(given, str):
        raise InvalidConfiguration(
            f"{where} is a string, not a command: {given!r}.",
            hint=f"For a command, write the program and each argument: {_as_list(given)}."
            f" For Python code: {USE_SIGNALS}",
        )
    if isinstance(given, list | tuple):
        given = {"command": given}
    if not isinstance(given, Mapping):
        raise InvalidConfiguration(f"{where} is not a hook: {given!r}.", hint=f"Write {EXAMPLE}.")
    if "callable" in given:
        raise InvalidConfiguration(
            f"{where} has a callable, but hooks are commands.", hint=USE_SIGNALS
        )
    options = f"The options are {', '.join(OPTIONS)}."
    if unknown := sorted(set(given) - set(OPTIONS)):
        raise InvalidConfiguration(f"{where} has no option {', '.join(unknown)}.", hint=options)
    if "command" not in given:
        raise InvalidConfiguration(f"{where} has no command.", hint=options)
    if "timeout" in given and not is_number(given["timeout"]):
        raise InvalidConfiguration(
            f"{where}: timeout takes seconds, 0 or more.", hint=f'"timeout": {limit:g}'
        )
    command = _command(given["command"], where)
    return Hook(
        name=str(given.get("name") or shlex.join(command))[:NAME_LENGTH],
        command=command,
        timeout=float(given.get("timeout", limit)),
        environment=_names(given.get("environment", ()), where),
        credentials=bool(given.get("credentials", False)),
    )


def _command(given: Any, where: str) -> tuple[str, ...]:
    if isinstance(given, str):
        raise InvalidConfiguration(
            f"{where} is a command as a string, which no shell reads: {given!r}.",
            hint=f"Write the program and each argument: {_as_list(given)}",
        )
    if not isinstance(given, list | tuple) or not given:
        raise InvalidConfiguration(f"{where} is an empty command.", hint=f"Write {EXAMPLE}.")
    command = tuple(given)
    if not all(isinstance(part, str) and "\0" not in part for part in command) or not command[0]:
        raise InvalidConfiguration(
            f"{where} has an argument that is not a string: {given!r}.",
            hint="Convert each argument to a string, with str().",
        )
    return command


def _names(given: Any, where: str) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or not all(isinstance(name, str) for name in given):
        raise InvalidConfiguration(
            f"{where}: environment takes a list of the names of variables.",
            hint='"environment": ["WEBHOOK_URL"]',
        )
    return tuple(given)


def _as_list(given: str) -> str:
    try:
        parts = shlex.split(given)
    except ValueError:
        parts = given.split()
    return json.dumps(parts, ensure_ascii=False)
