"""Failed attempts to connect: those that a retry may mend, and those that it cannot.

The SQLSTATE decides where the server gives one. The text decides otherwise: the client's own
messages and those of PgBouncer, which has one SQLSTATE for most of them, are always English.
"""

from __future__ import annotations

import re
import socket
from typing import Any

from .refused_states import refused_state

ANSWER = re.compile(r": [^\W\d]+:  (?P<message>.+)")
"""What the server answered, after its severity, which may be translated."""

TEMPORARY_ANSWER = re.compile(
    r"the database system is "  # starting up, shutting down, in recovery mode, …
    r"|too many (clients|connections)"
    r"|connection slots are reserved|connection limit exceeded"
    r"|terminating connection"
    r"|canceling authentication due to timeout"
    r"|could not fork|out of memory"
    # PgBouncer's:
    r"|no more connections allowed|query_wait_timeout|client_login_timeout"
    r"|cannot connect to server|connect failed|server_connect_timeout|shut(ting)? down"
)

LOGIN_ANSWER = re.compile(r"\bauthentication\b|\brole\b|pg_hba\.conf|\bpassword\b|no such user")

TEMPORARY_STATES = ("53", "57")
"""Insufficient resources, such as too many connections, and a server that starts or stops."""

DROPPED_DATABASE = "57P04"
PROTOCOL_STATES = "08"
LOGIN_STATES = "28"

NODE_LOGIN = re.compile(
    r"no password supplied|password authentication failed|authentication failed for user"
    r"|no pg_hba\.conf entry|pg_hba\.conf rejects|is not permitted to log in"
    r"|role \"[^\"]+\" does not exist"
)
"""What the coordinator passes on of its own attempt to connect, without an SQLSTATE of its own."""

WRONG_SETTING = re.compile(
    rf"failed to resolve host (?!.*\[Errno {socket.EAI_AGAIN}\])"
    r"|could not translate host name (?!.*Temporary failure)"
    r"|invalid (integer value|connection option|sslmode|port number)|invalid .* value:"
    r"|does not support SSL|certificate|private key file"
    r"|no password supplied|definition of service"
)


def is_rejection(exc: BaseException) -> bool:
    """Return whether a failed attempt to connect would fail again with the same settings.

    Arguments:
        exc: Django's or psycopg's error; with several hosts, its text has a line for each.
    """
    text, answers, state = _read(exc)
    if state:
        return state == DROPPED_DATABASE or not state.startswith(TEMPORARY_STATES)
    if answers:
        return not any(map(TEMPORARY_ANSWER.search, answers))
    return _needs_password(exc) or WRONG_SETTING.search(text) is not None


def is_login_rejection(exc: BaseException) -> bool:
    """Return whether the server rejected the role or its password, which waiting cannot mend."""
    _, answers, state = _read(exc)
    if state:
        return state.startswith(LOGIN_STATES)
    return _needs_password(exc) or (is_rejection(exc) and any(map(LOGIN_ANSWER.search, answers)))


def refuses_login(reason: str) -> bool:
    """Return whether another server has rejected the role or its password, as the error says."""
    return bool(NODE_LOGIN.search(reason)) and not TEMPORARY_ANSWER.search(reason)


def _read(exc: BaseException) -> tuple[str, list[str], str]:
    """Return an error's text, what servers answered, and the SQLSTATE if that tells more."""
    text = str(exc)
    answers = [found["message"] for found in ANSWER.finditer(text)]
    failed = _failed_attempt(exc)
    state = (refused_state(failed) if failed and len(answers) == 1 else None) or ""
    return text, answers, "" if state.startswith(PROTOCOL_STATES) else state


def _needs_password(exc: BaseException) -> bool:
    failed = _failed_attempt(exc)
    return failed is not None and bool(failed.needs_password)


def _failed_attempt(exc: BaseException) -> Any:
    """Return psycopg's record of the attempt, None if there is none."""
    return getattr(exc, "pgconn", None) or getattr(exc.__cause__, "pgconn", None)
