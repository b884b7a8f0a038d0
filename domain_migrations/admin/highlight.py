"""Python and SQL with their words marked, where Pygments is installed; plain text elsewhere."""

from __future__ import annotations

from importlib.util import find_spec

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

CLASS_PREFIX = "dm-hl-"
LONGEST = 200_000
"""Characters that are worth marking; a longer text is shown as it is."""


def highlight(text: str, language: str) -> SafeString:
    """Return the text as HTML, escaped.

    Arguments:
        language: ``python`` or ``sql``.
    """
    if len(text) > LONGEST or find_spec("pygments") is None:
        return escape(text)
    from pygments import highlight as mark
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PostgresLexer, PythonLexer

    lexer = PythonLexer(stripnl=False) if language == "python" else PostgresLexer(stripnl=False)
    formatter = HtmlFormatter(nowrap=True, classprefix=CLASS_PREFIX)
    # Pygments escapes what it formats; it writes classes, and no styles.
    return mark_safe(str(mark(text, lexer, formatter)))  # noqa: S308
