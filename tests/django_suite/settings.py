"""Settings for Django's ``runtests.py``: the stock ones with the engine's backend."""

from __future__ import annotations

import json
import os

import django
from django.db.migrations import executor, loader, state

from domain_migrations.engine.runner.project_state import PartialRenderState
from tests.django_suite import relocation
from tests.django_suite.run import STOCK_ENGINE

_run = json.loads(os.environ["DJANGO_SUITE_RUN"])

# Stock Django cannot even make its test database when its history table is moved.
_stay = frozenset({"django_migrations"} if _run["engine"] == STOCK_ENGINE else ())

if not _run["plain"]:
    relocation.install(_run["tests_directory"], _stay)

if _run["rendering"]:
    for module in (state, loader, executor):
        module.ProjectState = PartialRenderState


def _database(alias: str) -> dict[str, object]:
    return {
        **_run["connection"],
        "ENGINE": _run["engine"],
        "TEST": {
            "NAME": f"{_run['prefix']}_{_run['shard']}_{alias}",
            "TEMPLATE": _run["template"],
        },
    }


DATABASES = {"default": _database("default"), "other": _database("other")}
if django.VERSION < (6, 0):
    # As in the settings that come with Django's tests; later ones go with the default.
    DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SECRET_KEY = "not a secret: only Django's own tests run with it"
TEST_RUNNER = "tests.django_suite.runner.ShardRunner"
USE_TZ = False
