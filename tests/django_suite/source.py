"""Django's source distribution (the wheel has no tests), fetched through pip."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import django

CACHE = Path(__file__).parent / ".cache"


def django_tests_directory() -> Path:
    """Return the ``tests`` folder of the Django release that is installed here.

    pip is asked by its ordinary client, so indexes, proxies and certificates are those configured
    for it. It runs the source distribution's metadata hook, for which it fetches setuptools.
    """
    version = django.get_version()
    tests = (CACHE / f"django-{version}" / "tests").resolve()
    if tests.is_dir():
        return tests
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--no-binary", "django", "--dest", scratch, f"django=={version}"]
        subprocess.run(command, check=True)
        (archive,) = Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(scratch, filter="data")
        (unpacked,) = (path for path in Path(scratch).iterdir() if path.is_dir())
        unpacked.rename(CACHE / f"django-{version}")
    return tests
