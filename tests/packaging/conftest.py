"""A small thing stands for the bundle, which takes a minute to build: `packaging/build --check` proves that one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from installers.source import Source

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def source() -> Source:
    """The checkout itself, as of one moment."""
    return Source(ROOT, "1.2.3", 1_700_000_000)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder of a bundle's shape, with one real program in it."""
    folder = tmp_path / "bundle"
    (folder / "_internal").mkdir(parents=True)
    (folder / "licences").mkdir()
    shutil.copy(Path("/bin/true").resolve(), folder / "confvm-gui")
    (folder / "confvm").symlink_to("confvm-gui")
    for name in ("NOTICE", "sbom.cdx.json", "licences/LICENSE", "_internal/data"):
        (folder / name).write_text(f"{name}\n")
    return folder
