"""Firmware images from files and from folders, the distribution's included, for commands that compare builds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import InvalidInput

if TYPE_CHECKING:
    from confvm_gui.attestation.digest_solver import FirmwareBuild

DISTRIBUTION_FOLDERS: Final = (
    "usr/share/OVMF",
    "usr/share/ovmf",
    "usr/share/edk2",
    "usr/share/edk2-ovmf",
    "usr/share/qemu",
    "usr/share/AAVMF",
)
"""Where Debian, Ubuntu, Fedora, openSUSE and Arch put their builds, under the root."""

_SUFFIXES: Final = frozenset({".fd", ".bin", ".rom"})
_MOST_FILES: Final = 512


def read_firmware(path: Path, field: str = "ovmf") -> bytes:
    """The content of one image; InvalidInput(field) if it cannot be read or is too large for one."""
    from confvm_gui.sev.ovmf_image import MAXIMUM_IMAGE

    try:
        with path.open("rb") as file:
            data = file.read(MAXIMUM_IMAGE + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(field, f"{path} cannot be read: {reason}") from None
    if len(data) > MAXIMUM_IMAGE:
        raise InvalidInput(field, f"{path} has more than {MAXIMUM_IMAGE >> 20} MiB; it is no firmware image")
    return data


def builds_of(paths: Iterable[Path]) -> Iterator[FirmwareBuild]:
    """A build for each file, and for each file of a folder that is a firmware image.

    InvalidInput("ovmf") for a file that is named and cannot be used; what lies in a folder and cannot is passed over.
    """
    from confvm_gui.attestation.digest_solver import FirmwareBuild
    from confvm_gui.sev.ovmf_image import OvmfImage

    for path in paths:
        if not path.is_dir():
            yield FirmwareBuild(str(path), OvmfImage.parse(read_firmware(path)))
            continue
        for file in images_in(path):
            try:
                image = OvmfImage.parse(read_firmware(file))
            except InvalidInput:
                continue
            if image.table:  # without a footer it is a variable store, or firmware of another machine
                yield FirmwareBuild(str(file), image)


def images_in(folder: Path) -> list[Path]:
    """Files of `folder` and its subfolders that are named like firmware images, links to the same file once."""
    found: dict[Path, Path] = {}
    try:
        for path in sorted(folder.rglob("*")):
            if path.suffix in _SUFFIXES and path.is_file():
                found.setdefault(path.resolve(), path)
            if len(found) >= _MOST_FILES:
                break
    except OSError:
        pass  # what cannot be listed has nothing to offer
    return list(found.values())


def distribution_folders(root: Path = Path("/")) -> list[Path]:
    """Those of DISTRIBUTION_FOLDERS that exist."""
    return [root / folder for folder in DISTRIBUTION_FOLDERS if (root / folder).is_dir()]
