"""What is built: a copy of the checkout, its version, and the moment that stands for its time in all that is made."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_NOT_SOURCE = shutil.ignore_patterns(
    ".git", ".venv", "dist", "build", "tour", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis"
)

_EPOCH_FILE = "pyproject.toml"
"""Its time is the source's, where no git tells one: so it is in an unpacked source archive."""


@dataclass(frozen=True, slots=True)
class Source:
    """A copy that nobody changes while it is built."""

    root: Path
    version: str
    epoch: int
    """SOURCE_DATE_EPOCH: seconds since 1970."""

    @property
    def resources(self) -> Path:
        return self.root / "resources"


def take_source(checkout: Path, target: Path) -> Source:
    """Copy all that belongs to the project from `checkout` to `target`, which is made anew.

    That is what git tracks or would track; in an unpacked source archive, everything but what builds and tests leave.
    Raises ValueError if it has no version.
    """
    shutil.rmtree(target, ignore_errors=True)
    names = _tracked(checkout)
    if names is None:
        shutil.copytree(checkout, target, ignore=_NOT_SOURCE)
    else:
        for name in names:
            if (checkout / name).is_file():  # else it is deleted and not committed yet
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(checkout / name, target / name)
    epoch = _epoch(checkout)
    os.utime(target / _EPOCH_FILE, (epoch, epoch))
    return Source(target, _version(target), epoch)


def read_source(root: Path) -> Source:
    """A copy that `take_source` made."""
    return Source(root, _version(root), int((root / _EPOCH_FILE).stat().st_mtime))


def _tracked(checkout: Path) -> list[str] | None:
    if not (checkout / ".git").exists():
        return None
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=checkout,
        capture_output=True,
        check=True,
    ).stdout
    return sorted(set(listed.decode().split("\0")) - {""})


def _version(root: Path) -> str:
    found = re.search(r'^__version__ = "([^"]+)"$', (root / "confvm_gui" / "__init__.py").read_text(), re.MULTILINE)
    if found is None:
        raise ValueError("confvm_gui/__init__.py names no version")
    return found[1]


def _epoch(checkout: Path) -> int:
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    if (checkout / ".git").exists():
        told = subprocess.run(
            ["git", "log", "-1", "--format=%ct"], cwd=checkout, capture_output=True, text=True, check=True
        )
        return int(told.stdout)
    return int((checkout / _EPOCH_FILE).stat().st_mtime)
