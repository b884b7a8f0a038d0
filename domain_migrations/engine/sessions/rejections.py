"""Failed attempts to connect: those that a retry may mend, and those that it cannot.

libpq passes on the server's message but not its SQLSTATE, so that the text has to be read. The
client's own messages are always English; those of a server in another language count as rejections.
"""

from __future__ import annotations

import re

ANSWER = re.compile(r" failed: [^\W\d]+:  (?P<message>.+)")
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

WRONG_SETTING = re.compile(
    r"failed to resolve host (?!.*Temporary failure)"
    r"|could not translate host name (?!.*Temporary failure)"
    r"|invalid (integer value|connection option|sslmode|port number)|invalid .* value:"
    r"|does not support SSL|certificate|private key file"
    r"|no password supplied|definition of service"
)


def is_rejection(text: str) -> bool:
    """Return whether a failed attempt to connect would fail again with the same settings.

    Arguments:
        text: psycopg's error; with several hosts, it has a line for each.
    """
    answers = [found["message"] for found in ANSWER.finditer(text)]
    if answers:
        return not any(map(TEMPORARY_ANSWER.search, answers))
    return WRONG_SETTING.search(text) is not None


def is_login_rejection(text: str) -> bool:
    """Return whether the server rejected the role or its password, which waiting cannot mend."""
    return is_rejection(text) and any(
        LOGIN_ANSWER.search(found["message"]) for found in ANSWER.finditer(text)
    )
