#!/usr/bin/env python3
"""Hook after a run: request pages that are slow the first time, before a visitor does.

    {
        "command": [sys.executable, "deploy/hooks/warm_cache.py", "https://example.org/drugs/"],
        "timeout": 120,
    }

The exit status is 1 if a page did not return 200; the other pages are requested anyway.
"""

from __future__ import annotations

import argparse
import sys
import time
import urllib.error
import urllib.request


def main() -> int:
    parser = argparse.ArgumentParser(description="Request pages, so that they are cached.")
    parser.add_argument("urls", nargs="+", metavar="URL")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds for each page")
    options = parser.parse_args()
    if wrong := [url for url in options.urls if not url.startswith(("https://", "http://"))]:
        parser.error(f"this is no address of a page: {wrong[0]}")
    return max(warm(url, options.timeout) for url in options.urls)


def warm(url: str, timeout: float) -> int:
    started = time.monotonic()
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:  # noqa: S310 (see main)
            while answer.read(65536):
                pass
            status = str(answer.status)
    except urllib.error.HTTPError as exc:
        status = str(exc.code)
    except (OSError, ValueError) as exc:
        status = f"no answer ({exc})"
    print(f"{url}: {status} in {time.monotonic() - started:.2f} s")
    return 0 if status == "200" else 1


if __name__ == "__main__":
    sys.exit(main())
