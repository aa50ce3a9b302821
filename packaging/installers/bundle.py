"""The bundle: PyInstaller's folder, made small, complete with its papers, and the same each time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from installers.archives import settle
from installers.papers import write_papers
from installers.parts import parts_of, read_sources
from installers.source import Source

NAME: Final = "confvm-console"
_SPEC: Final = Path(__file__).resolve().parent.parent / "pyinstaller" / "confvm.spec"
_ELF: Final = b"\x7fELF"
# Their section tables were rewritten to find each other; `strip` is known to break such libraries.
_NOT_STRIPPED: Final = ("PySide6", "shiboken6", "numpy.libs")


def build_bundle(source: Source, work: Path, *, icon: Path | None = None, system_libraries: bool = False) -> Path:
    """Freeze what is installed in this environment; the folder it makes is `work`/dist/confvm-console.

    `system_libraries`: take in those of the system too, for systems that may not have them. Raises CalledProcessError.
    """
    contents = work / "contents.json"
    environment = dict(os.environ)
    environment.update(
        PYTHONHASHSEED="0",
        SOURCE_DATE_EPOCH=str(source.epoch),
        LC_ALL="C.UTF-8",
        PYINSTALLER_CONFIG_DIR=str(work / "cache"),
        CONFVM_CONTENTS=str(contents),
        CONFVM_VERSION=source.version,
    )
    if icon is not None:
        environment["CONFVM_ICON"] = str(icon)
    if system_libraries:
        environment["CONFVM_SYSTEM_LIBRARIES"] = "1"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
    command += ["--distpath", str(work / "dist"), "--workpath", str(work / "pyinstaller"), str(_SPEC)]
    subprocess.run(command, env=environment, check=True)
    folder = work / "dist" / NAME
    if sys.platform != "win32":
        (folder / "confvm").symlink_to("confvm-gui")
    if sys.platform.startswith("linux"):
        _strip(folder)
    parts = parts_of(read_sources(contents))
    write_papers(parts, source.root / "LICENSE", folder, version=source.version, epoch=source.epoch)
    settle(folder, source.epoch)
    return folder


def _strip(folder: Path) -> None:
    """Drop the symbols that nobody needs to run it: a fifth of the size."""
    inner = folder / "_internal"
    libraries = [
        path
        for path in sorted(inner.rglob("*.so*"))
        if path.is_file()
        and not path.is_symlink()
        and path.relative_to(inner).parts[0] not in _NOT_STRIPPED
        and _begins_as_elf(path)
    ]
    subprocess.run(["strip", "--strip-unneeded", "--enable-deterministic-archives", *libraries], check=True)


def _begins_as_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_ELF)) == _ELF
