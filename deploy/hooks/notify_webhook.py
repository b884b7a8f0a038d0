#!/usr/bin/env python3
"""Hook after a run or a failure: notify a webhook, as text for Slack and similar services.

    {
        "command": [sys.executable, "deploy/hooks/notify_webhook.py"],
        "environment": ["WEBHOOK_URL", "WEBHOOK_TOKEN"],
    }

The script reads WEBHOOK_URL and, if it is set, WEBHOOK_TOKEN from the environment. If the webhook
does not answer, the exit status is still 0, because that does not affect the deployment; with
--strict it is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from typing import Any


def main() -> int:
    parser = argparse.ArgumentParser(description="Post the result of a run to a webhook.")
    parser.add_argument("--url", default=os.environ.get("WEBHOOK_URL"))
    parser.add_argument("--attempts", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=5.0, help="seconds for each attempt")
    parser.add_argument("--strict", action="store_true", help="fail if the webhook did not answer")
    options = parser.parse_args()
    if not str(options.url).startswith(("https://", "http://")):
        parser.error("set WEBHOOK_URL or --url to an address that begins with https://")
    run = json.load(sys.stdin)
    body = json.dumps({"text": sentence(run), "run": run}).encode()
    for attempt in range(options.attempts):
        if attempt:
            time.sleep(2**attempt / 4)
        try:
            post(options.url, body, options.timeout)
        except urllib.error.HTTPError as exc:
            problem = f"The webhook answered {exc.code}."
            if exc.code < 500:
                break  # A retry would not help.
        except (OSError, ValueError) as exc:
            problem = f"The webhook could not be reached: {exc}"
        else:
            print(sentence(run))
            return 0
    print(problem, file=sys.stderr)
    return 1 if options.strict else 0


def post(url: str, body: bytes, timeout: float) -> None:
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get("WEBHOOK_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 (see main)
    with urllib.request.urlopen(request, timeout=timeout):  # noqa: S310 (http only, see main)
        return


def sentence(run: dict[str, Any]) -> str:
    (domain,) = run["domains"]
    name = domain["domain"]
    if domain["error"]:
        return f"{name}: {domain['status']}. {domain['error']['message']}"
    applied = ", ".join(key["name"] for key in domain["applied"])
    reverted = ", ".join(key["name"] for key in domain["reverted"])
    parts = [f"applied {applied}"] if applied else []
    parts += [f"reverted {reverted}"] if reverted else []
    if run["event"] == "before":
        parts = [f"{len(run['plan'])} migrations to do"]
    return f"{name}: {'; '.join(parts) or domain['status']}."


if __name__ == "__main__":
    sys.exit(main())
