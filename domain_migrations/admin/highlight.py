"""Syntax highlighting of Python and SQL by Pygments; plain text if it is not installed."""

from __future__ import annotations

from importlib.util import find_spec

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

CLASS_PREFIX = "dm-hl-"
MAX_LENGTH = 200_000
"""Characters; a longer text is not highlighted."""


def highlight(text: str, language: str) -> SafeString:
    """Return the text as HTML, escaped.

    Arguments:
        language: ``python`` or ``sql``.
    """
    if len(text) > MAX_LENGTH or find_spec("pygments") is None:
        return escape(text)
    from pygments import highlight as pygmentize
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PostgresLexer, PythonLexer

    lexer = PythonLexer(stripnl=False) if language == "python" else PostgresLexer(stripnl=False)
    formatter = HtmlFormatter(nowrap=True, classprefix=CLASS_PREFIX)
    # Pygments escapes what it formats, and writes classes instead of styles.
    return mark_safe(str(pygmentize(text, lexer, formatter)))  # noqa: S308 (see above)
