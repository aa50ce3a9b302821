"""Are two builds of one commit the same? File by file, into archives and packages."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Final

from installers.archives import sha256

MAY_DIFFER: Final[tuple[tuple[str, str], ...]] = ()
"""Name of an artefact -> why it may differ. Nothing may."""
_NAMED: Final = 20


def differences(one: Path, other: Path) -> list[str]:
    """Sentences on what is not the same in two folders of artefacts; empty when all is."""
    names = {path.name for folder in (one, other) for path in folder.iterdir() if path.is_file()}
    excused = {name for name, _ in MAY_DIFFER}
    found: list[str] = []
    for name in sorted(names - excused - {"SHA256SUMS"}):
        first, second = one / name, other / name
        if not (first.exists() and second.exists()):
            found.append(f"{name} is in only one of them")
        elif sha256(first) != sha256(second):
            found.append(f"{name} differs: {_where(first, second)}")
    return found


def tree_differences(one: Path, other: Path) -> list[str]:
    """Paths in two folders whose contents, kinds, modes or times are not the same."""
    found = _tree(one), _tree(other)
    return sorted(name for name in found[0] | found[1] if found[0].get(name) != found[1].get(name))


def _tree(folder: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in folder.rglob("*"):
        about = path.lstat()
        held = str(path.readlink()) if path.is_symlink() else sha256(path) if path.is_file() else ""
        found[str(path.relative_to(folder))] = (held, about.st_mode, int(about.st_mtime))
    return found


def _where(first: Path, second: Path) -> str:
    inside = _contents(first), _contents(second)
    names = sorted(name for name in inside[0] | inside[1] if inside[0].get(name) != inside[1].get(name))
    return (
        ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
        or "only in how it is packed"
    )


def _contents(artefact: Path) -> dict[str, object]:
    """Path inside -> something that differs when the file, its time, mode or place does."""
    if artefact.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(artefact) as packed:
            return {entry.filename: (entry.CRC, entry.date_time, entry.external_attr) for entry in packed.infolist()}
    if artefact.suffix == ".deb":
        listed = subprocess.run(
            ["dpkg-deb", "--fsys-tarfile", str(artefact)], stdout=subprocess.PIPE, check=True
        ).stdout
        return _tar(listed)
    if artefact.name.endswith(".tar.gz"):
        return _tar(artefact.read_bytes())
    return {}


def _tar(data: bytes) -> dict[str, object]:
    found: dict[str, object] = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        for entry in packed:
            file = packed.extractfile(entry) if entry.isfile() else None
            digest = hashlib.sha256(file.read()).hexdigest() if file else entry.linkname
            found[entry.name] = (digest, entry.mtime, entry.mode, entry.uid, entry.gid)
    return found
