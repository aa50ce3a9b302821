"""Surroundings that are the same on every machine: no display, no user's home, no keyring, UTC, plain English."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, settings


def prepare_surroundings() -> None:
    """Set the environment of this process and its children. Must run before Qt is loaded."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    for name in ("LANG", "LC_ALL"):
        os.environ[name] = "C.UTF-8"
    os.environ.pop("LANGUAGE", None)
    os.environ["TZ"] = "UTC"
    time.tzset()
    # The user's own keyring is none of a test's business; a test that needs one brings its own.
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    if "CONFVM_TEST_HOME" not in os.environ:
        home = Path(tempfile.mkdtemp(prefix="confvm-test-home-"))
        os.environ["CONFVM_TEST_HOME"] = str(home)  # inherited by the processes of a parallel run
        owner = os.getpid()
        atexit.register(_remove_home, home, owner)
    home = Path(os.environ["CONFVM_TEST_HOME"])
    for name, folder in (
        ("XDG_DATA_HOME", "share"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_RUNTIME_DIR", "run"),
    ):
        (home / folder).mkdir(mode=0o700, exist_ok=True)
        os.environ[name] = str(home / folder)


def _remove_home(home: Path, owner: int) -> None:
    if os.getpid() == owner:  # not in a forked child
        shutil.rmtree(home, ignore_errors=True)


# The same examples on every machine and every run; `HYPOTHESIS_PROFILE=search` looks for new ones.
_EVERYWHERE: list[HealthCheck] = [HealthCheck.too_slow]
settings.register_profile(
    "repeatable", deadline=None, max_examples=60, derandomize=True, database=None, suppress_health_check=_EVERYWHERE
)
settings.register_profile(
    "search", deadline=None, max_examples=2000, print_blob=True, suppress_health_check=_EVERYWHERE
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
