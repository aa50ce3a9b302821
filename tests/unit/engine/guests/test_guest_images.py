"""The shipped images are those of the shipped sources."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from confvm_gui.domain.errors import NotFound
from confvm_gui.engine.guests.image import GUESTS, GuestImage
from confvm_gui.engine.guests.memory_map import IMAGE_GPA
from confvm_gui.resource_files import resources_dir
from tests.support.guest_harness import GuestMachine

FOLDER = resources_dir() / "guests"


def built_with() -> tuple[list[str], dict[str, str]]:
    """The tools' version lines, and SHA-256 by file."""
    lines = (FOLDER / "built-with.txt").read_text().splitlines()
    return lines[:2], {name: digest for digest, name in (line.split() for line in lines[2:])}


def version(tool: str) -> str:
    """The first line of what the tool says of itself, "" where it is not there."""
    path = shutil.which(tool)
    if path is None:
        return ""
    return subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]


def test_no_source_has_changed_since_the_images_were_built() -> None:
    _, digests = built_with()
    files = [
        "build",
        *(f"source/{path.name}" for path in (FOLDER / "source").iterdir()),
        "heartbeat.bin",
        "records.bin",
    ]
    assert {name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in files} == digests


def test_the_same_compiler_gives_the_same_bytes_elsewhere(tmp_path: Path) -> None:
    """With another compiler the images differ, but build and run; without one only the digests can be held."""
    tools, _ = built_with()
    found = [version("gcc"), version("ld")]
    if not all(found):
        return
    elsewhere = tmp_path / "some where"
    shutil.copytree(FOLDER, elsewhere)
    subprocess.run([elsewhere / "build", tmp_path / "out"], check=True, capture_output=True)
    for name in GUESTS:
        rebuilt = (tmp_path / "out" / f"{name}.bin").read_bytes()
        if found == tools:
            assert rebuilt == (FOLDER / f"{name}.bin").read_bytes()
        machine = GuestMachine(GuestImage.load(name, tmp_path / "out"), ram_bytes=4 << 20)
        machine.run_until_printed(f"ConfVM {name} guest")


@pytest.mark.parametrize("name", GUESTS)
def test_an_image_is_whole_pages_with_its_digest(name: str) -> None:
    image = GuestImage.load(name)
    assert image is GuestImage.load(name)
    assert len(image.data) % 4096 == 0
    assert image.sha256 == hashlib.sha256(image.data).hexdigest()
    assert IMAGE_GPA + len(image.data) < image.minimum_ram
    assert image.data not in repr(image).encode()


def test_nothing_of_the_place_or_the_compiler_is_in_an_image() -> None:
    for name in GUESTS:
        data = GuestImage.load(name).data
        assert not any(trace in data for trace in (b"GCC", bytes(FOLDER), b"/home", b"/tmp", b".c\0", b"build-id"))


def test_other_images_are_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no built-in guest 'windows'"):
        GuestImage.load("windows")
    with pytest.raises(NotFound, match="install the program again"):
        GuestImage.load("records", tmp_path)
