"""Firmware images that the owner of SEV guests trusts: copies on this computer, never the host's own word.

A host says which file it booted. Its name only chooses among the copies here; what is measured is compared with these.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from confvm_gui.domain.errors import InvalidInput, NotFound
from confvm_gui.sev.ovmf_image import MAXIMUM_IMAGE, OvmfImage

INSTALLED: Final = (
    Path("/usr/share/OVMF"),
    Path("/usr/share/ovmf"),
    Path("/usr/share/edk2/ovmf"),
    Path("/usr/share/edk2/x64"),
    Path("/usr/share/qemu"),
)
"""Where distributions install OVMF."""


class FirmwareShelf:
    """Looks images up by file name."""

    def __init__(self, folders: Sequence[Path] = INSTALLED) -> None:
        """`folders`: those of the administrator first, the distribution's behind them."""
        self._folders = tuple(folders)

    def images(self, host_path: str) -> tuple[OvmfImage, ...]:
        """Trusted images with the file name of `host_path`, in the folders' order, each content once. Reads files.

        Raises NotFound with what to do if there is none.
        """
        name = PurePosixPath(host_path).name
        found: list[OvmfImage] = []
        if name and name not in (".", "..") and "\0" not in name:
            for folder in self._folders:
                image = _read(folder / name)
                if image is not None and all(image.data != known.data for known in found):
                    found.append(image)
        if not found:
            raise NotFound(
                f"The host boots the firmware {host_path!r}, and this computer has no copy of {name!r} to compare its "
                "measurement with; install the same OVMF package here, or put the file into a firmware folder"
            )
        return tuple(found)


def _read(path: Path) -> OvmfImage | None:
    """None where there is no image."""
    try:
        with path.open("rb") as file:
            return OvmfImage.parse(file.read(MAXIMUM_IMAGE + 1))
    except (OSError, InvalidInput):
        return None
