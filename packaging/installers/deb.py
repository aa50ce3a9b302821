"""The Debian package: the bundle below /usr/lib, and around it what a desktop and a shell expect of a program.

The files are laid out here rather than by debhelper: nothing is compiled, and the same code makes the trees of the
AppImage.
"""

from __future__ import annotations

import argparse
import email.utils
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from installers.archives import settle, tree_size
from installers.completions import PATHS, completions
from installers.icons import write_hicolor
from installers.manual import man_page
from installers.source import Source

NAME: Final = "confvm-console"
METAINFO: Final = "org.confvm.console.metainfo.xml"
MAINTAINER: Final = "The ConfVM Console authors <confvm-console@localhost>"
_REVISION: Final = "-1"
PROGRAMS: Final = ("confvm", "confvm-gui")
_DEBIAN: Final = Path(__file__).resolve().parent.parent / "debian"
# Loaded only when somebody connects a host; it brings much with it.
_RECOMMENDED_BY: Final = "libvirtmod"
# Qt draws text with what fontconfig finds; links are opened by the desktop's own means.
_ALSO_RECOMMENDED: Final = "fonts-inter, xdg-utils"
# Named by no library, and needed by each: Qt opens displays with it, Python verifies servers by it.
_ALSO_NEEDED: Final = "fontconfig, ca-certificates"


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The options of both programs."""
    from confvm_gui.app.cli import build_parser as build_line
    from confvm_gui.app.main import build_parser as build_window

    return {"confvm": build_line(), "confvm-gui": build_window()}


def lay_out(bundle: Path, source: Source, root: Path) -> None:
    """The tree of an installed program in `root`, made anew."""
    shutil.rmtree(root, ignore_errors=True)
    home = root / "usr" / "lib" / NAME
    shutil.copytree(bundle, home, symlinks=True)
    binaries = root / "usr" / "bin"
    binaries.mkdir(parents=True)
    for program in PROGRAMS:
        (binaries / program).symlink_to(f"../lib/{NAME}/{program}")
    _papers(home, source, root / "usr" / "share" / "doc" / NAME)
    applications = root / "usr" / "share" / "applications"
    applications.mkdir(parents=True)
    shutil.copy(_DEBIAN / f"{NAME}.desktop", applications)
    metainfo = root / "usr" / "share" / "metainfo"
    metainfo.mkdir(parents=True)
    (metainfo / METAINFO).write_text(metainfo_text(source))
    write_hicolor(source.resources / "icons" / "confvm.svg", NAME, root / "usr" / "share" / "icons" / "hicolor")
    write_manual(source, root / "usr" / "share" / "man" / "man1")
    for program, parser in parsers().items():
        for shell, text in completions(parser).items():
            target = root / PATHS[shell].format(program=program)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)


def metainfo_text(source: Source) -> str:
    """The AppStream metainfo of this version."""
    date = time.strftime("%Y-%m-%d", time.gmtime(source.epoch))
    return _filled(_DEBIAN / f"{METAINFO}.in", {"VERSION": source.version, "DATE": date})


def write_manual(source: Source, folder: Path) -> None:
    """Packed man pages of both programs."""
    folder.mkdir(parents=True)
    for program, parser in parsers().items():
        page = man_page(parser, version=source.version, epoch=source.epoch)
        (folder / f"{program}.1.gz").write_bytes(_packed(page.encode()))


def build_deb(bundle: Path, source: Source, work: Path, out: Path) -> Path:
    """The package in `out`. Raises CalledProcessError, ValueError."""
    root = work / "root"
    lay_out(bundle, source, root)
    settle(root, source.epoch)
    needs, recommends = dependencies(root)
    control = root / "DEBIAN"
    control.mkdir()
    architecture = _told("dpkg", "--print-architecture").strip()
    fields = {
        "VERSION": f"{source.version}{_REVISION}",
        "MAINTAINER": MAINTAINER,
        "ARCHITECTURE": architecture,
        "SIZE": str(-(-tree_size(root) // 1024)),
        "DEPENDS": f"{needs}, {_ALSO_NEEDED}",
        "RECOMMENDS": ", ".join(part for part in (recommends, _ALSO_RECOMMENDED) if part),
    }
    (control / "control").write_text(_filled(_DEBIAN / "control.in", fields))
    (control / "md5sums").write_text(_md5sums(root))
    settle(root, source.epoch)
    target = out / f"{NAME}_{source.version}{_REVISION}_{architecture}.deb"
    # The number of threads decides where the compressor cuts: it is said, for one machine to do as another. Level 2
    # makes it a tenth larger than level 6 does, in a quarter of the time.
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z2", "--threads-max=2", "--build", str(root), str(target)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(source.epoch)}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return target


def dependencies(root: Path) -> tuple[str, str]:
    """Debian's packages that the program's libraries need, and those that it can do without, as control fields.

    Told by dpkg-shlibdeps from the packages of this machine: their release is the oldest that can install the result.
    """
    libraries = sorted(path for path in root.rglob("*") if _is_elf(path))
    folders = sorted({str(path.parent) for path in libraries})
    recommended = [path for path in libraries if path.name.startswith(_RECOMMENDED_BY)]
    needed = [path for path in libraries if path not in recommended]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "debian").mkdir()
        (Path(folder) / "debian" / "control").write_text(f"Source: {NAME}\n\nPackage: {NAME}\nArchitecture: any\n")
        command = ["dpkg-shlibdeps", "-O", "--ignore-missing-info", *(f"-l{path}" for path in folders)]
        command += [f"-e{path}" for path in needed]
        command += ["-dRecommends", *(f"-e{path}" for path in recommended)]
        told = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    fields = dict(re.findall(r"^shlibs:(\w+)=(.*)$", told, re.MULTILINE))
    return fields["Depends"], fields.get("Recommends", "")


def _papers(home: Path, source: Source, folder: Path) -> None:
    """Licences and the rest move to where Debian's users look for them."""
    folder.mkdir(parents=True)
    for name in ("NOTICE", "sbom.cdx.json", "licences"):
        shutil.move(home / name, folder / name)
    (folder / "copyright").write_text(
        f"Copyright: {MAINTAINER.partition(' <')[0]}\n\n{(folder / 'NOTICE').read_text()}\n"
        "On Debian systems, the text of the Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0.\n"
    )
    (folder / "changelog.gz").write_bytes(_packed((source.resources / "changelog.md").read_bytes()))
    (folder / "changelog.Debian.gz").write_bytes(_packed(_debian_changelog(source).encode()))


def _debian_changelog(source: Source) -> str:
    date = email.utils.formatdate(source.epoch)
    return (
        f"{NAME} ({source.version}{_REVISION}) stable; urgency=medium\n\n"
        f"  * Version {source.version}; what is new in it is told in changelog.gz.\n\n"
        f" -- {MAINTAINER}  {date}\n"
    )


def _filled(template: Path, values: Mapping[str, str]) -> str:
    text = template.read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _packed(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=9, mtime=0)


def _md5sums(root: Path) -> str:
    files = sorted(path for path in (root / "usr").rglob("*") if path.is_file() and not path.is_symlink())
    return "".join(f"{_md5(path)}  {path.relative_to(root)}\n" for path in files)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _is_elf(path: Path) -> bool:
    if not path.is_file() or path.is_symlink():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _told(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def validate(root: Path) -> Sequence[str]:
    """What the desktop's own validators say against the tree in `root`; empty is good."""
    checks = (
        ["desktop-file-validate", str(root / "usr" / "share" / "applications" / f"{NAME}.desktop")],
        ["appstreamcli", "validate", "--no-net", str(root / "usr" / "share" / "metainfo" / METAINFO)],
        ["appstreamcli", "validate-tree", "--no-net", str(root)],
    )
    complaints = []
    for command in checks:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            complaints.append(f"{' '.join(command[:2])}: {done.stdout}{done.stderr}")
    return complaints
