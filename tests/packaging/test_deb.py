"""The Debian package: where its files are, what validators say to them, and that it comes out the same each time."""

from __future__ import annotations

import gzip
import os
import subprocess
from pathlib import Path

import pytest
from installers.comparison import differences
from installers.deb import METAINFO, NAME, build_deb, lay_out, validate
from installers.icons import SIZES
from installers.source import Source
from PySide6.QtGui import QImage


@pytest.fixture
def root(bundle: Path, source: Source, tmp_path: Path) -> Path:
    """The tree of the package."""
    folder = tmp_path / "root"
    lay_out(bundle, source, folder)
    return folder


def test_desktop_entry_and_metainfo_hold(root: Path) -> None:
    assert validate(root) == []


def test_validators_are_listened_to(root: Path) -> None:
    entry = root / "usr" / "share" / "applications" / f"{NAME}.desktop"
    entry.write_text(entry.read_text().replace("Type=Application\n", ""))
    metainfo = root / "usr" / "share" / "metainfo" / METAINFO
    metainfo.write_text(metainfo.read_text().replace("<name>ConfVM Console</name>", ""))
    complaints = validate(root)
    assert any("desktop-file-validate" in complaint for complaint in complaints)
    assert any("component-name-missing" in complaint or "name" in complaint for complaint in complaints[1:])


def test_programs_and_papers_are_where_they_belong(root: Path, source: Source) -> None:
    for program in ("confvm", "confvm-gui"):
        assert (root / "usr" / "bin" / program).resolve() == root / "usr" / "lib" / NAME / "confvm-gui"
        page = gzip.decompress((root / "usr" / "share" / "man" / "man1" / f"{program}.1.gz").read_bytes()).decode()
        assert page.startswith(f".TH {program.upper()} 1")
    papers = root / "usr" / "share" / "doc" / NAME
    assert (papers / "licences" / "LICENSE").is_file()
    assert (papers / "sbom.cdx.json").is_file()
    assert "NOTICE" in (papers / "copyright").read_text()
    assert not (root / "usr" / "lib" / NAME / "licences").exists()
    changes = gzip.decompress((papers / "changelog.Debian.gz").read_bytes()).decode()
    assert changes.startswith(f"{NAME} ({source.version}-1) ")
    completions = [path.name for path in (root / "usr" / "share").rglob("*confvm*") if "completion" in str(path)]
    assert sorted(completions) == sorted(
        ["confvm", "confvm-gui", "_confvm", "_confvm-gui", "confvm.fish", "confvm-gui.fish"]
    )


def test_icons_have_the_sizes_of_their_folders(root: Path) -> None:
    theme = root / "usr" / "share" / "icons" / "hicolor"
    for size in SIZES:
        image = QImage(str(theme / f"{size}x{size}" / "apps" / f"{NAME}.png"))
        assert (image.width(), image.height()) == (size, size)
        assert image.pixelColor(size // 2, size // 4).name() == "#ffffff"  # the shield
        assert image.pixelColor(0, 0).alpha() < 128  # its corners are round
    assert (theme / "scalable" / "apps" / f"{NAME}.svg").read_text().startswith("<svg")


def test_the_package_says_what_it_needs_and_is_the_same_twice(bundle: Path, source: Source, tmp_path: Path) -> None:
    made = []
    for number, mask in enumerate((0o022, 0o077)):
        out = tmp_path / f"out-{number}"
        out.mkdir()
        before = os.umask(mask)
        try:
            made.append(build_deb(bundle, source, tmp_path / f"work-{number}", out))
        finally:
            os.umask(before)
    assert differences(made[0].parent, made[1].parent) == []

    def field(name: str) -> str:
        command = ["dpkg-deb", "--field", str(made[0]), name]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert field("Version") == "1.2.3-1"
    assert "libc6 (>= " in field("Depends")
    assert "xdg-utils" in field("Recommends")
    contents = subprocess.run(["dpkg-deb", "--contents", str(made[0])], capture_output=True, text=True, check=True)
    assert all(line.split()[1] == "root/root" for line in contents.stdout.splitlines())
    unpacked = tmp_path / "unpacked"
    subprocess.run(["dpkg-deb", "--raw-extract", str(made[0]), str(unpacked)], check=True)
    subprocess.run(["md5sum", "--quiet", "--check", "DEBIAN/md5sums"], cwd=unpacked, check=True)
