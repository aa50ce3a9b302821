"""The AppDir: the tree of the Debian package over a bundle with the system's libraries in it.

Called by packaging/appimage/build: `python -m installers.appimage SOURCE WORK APPDIR`.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from installers.archives import settle
from installers.bundle import build_bundle
from installers.deb import NAME, lay_out
from installers.source import Source, read_source


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code."""
    root, work, directory = (Path(argument) for argument in arguments)
    lay_out_appdir(read_source(root), work, directory)
    return 0


def lay_out_appdir(source: Source, work: Path, directory: Path) -> None:
    """Freeze into `work`, and fill `directory` with all but AppRun."""
    bundle = build_bundle(source, work / "bundle", system_libraries=True)
    lay_out(bundle, source, directory)
    share = directory / "usr" / "share"
    shutil.copy(share / "applications" / f"{NAME}.desktop", directory)
    icon = directory / f"{NAME}.png"
    shutil.copy(share / "icons" / "hicolor" / "256x256" / "apps" / f"{NAME}.png", icon)
    (directory / ".DirIcon").symlink_to(icon.name)
    settle(directory, source.epoch)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
