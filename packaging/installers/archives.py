"""Folders as archives that come out the same each time: sorted, owned by root, of one moment."""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

_EXECUTABLE = 0o111


def settle(folder: Path, epoch: int) -> None:
    """Give everything in `folder` the usual modes and the time `epoch`, whatever the umask of who builds."""
    for path in [folder, *sorted(folder.rglob("*"))]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or _runs(path) else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def write_tar_gz(folder: Path, target: Path, epoch: int) -> None:
    """`folder` with its name as the one entry at the top."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = epoch
        return entry

    with (
        target.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=epoch, compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for path in [folder, *sorted(folder.rglob("*"))]:
            archive.add(path, str(path.relative_to(folder.parent)), recursive=False, filter=plain)


def sha256(path: Path) -> str:
    """Hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_hashes(folder: Path) -> Path:
    """SHA256SUMS over the files right in `folder`, as `sha256sum --check` reads it."""
    target = folder / "SHA256SUMS"
    target.write_text("".join(f"{sha256(path)}  {path.name}\n" for path in _files(folder) if path != target))
    return target


def tree_size(folder: Path) -> int:
    """Bytes of all files, each symbolic link counted as none."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _runs(path: Path) -> bool:
    """Programs do; libraries and texts do not, though some come so."""
    return bool(path.stat().st_mode & _EXECUTABLE) and ".so" not in path.name and "licences" not in path.parts


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.is_file())
