"""A real Linux kernel and initramfs for tests, made of what is installed: Debian's kernel package and busybox.

Nothing is downloaded: a machine that runs the tests has linux-image-cloud-amd64 (or another kernel in /boot) and
busybox-static.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

_FOLDERS = (Path("/boot"), Path("/usr/lib/modules"))
COMMAND_LINE = "console=ttyS0 reboot=t panic=-1 quiet"
"""The serial port is the console; a guest that ends restarts by a triple fault, which QEMU takes for its end."""
_PROLOGUE = "#!/bin/busybox sh\n/bin/busybox --install -s /bin\nexport PATH=/bin\nmount -t proc proc /proc\n"
_FILE, _FOLDER, _DEVICE = 0o100000, 0o040000, 0o020000


@cache
def kernel_path() -> Path:
    """The smallest installed kernel: the cloud flavour where there are several."""
    found = [*_FOLDERS[0].glob("vmlinuz-*"), *_FOLDERS[1].glob("*/vmlinuz")]
    found = [path for path in found if os.access(path, os.R_OK)]
    assert found, "no kernel that this user may read is installed: apt-get install linux-image-cloud-amd64"
    return min(found, key=lambda path: path.stat().st_size)


@cache
def _busybox() -> bytes:
    found = shutil.which("busybox")
    assert found is not None, "busybox is not installed: apt-get install busybox-static"
    return Path(found).read_bytes()


@cache
def _modules(names: tuple[str, ...]) -> tuple[Path, ...]:
    """Files of these modules of the kernel, each after what it depends on."""
    kernel = kernel_path()
    folder = Path("/lib/modules") / (kernel.name.removeprefix("vmlinuz-") if "-" in kernel.name else kernel.parent.name)
    lines = (folder / "modules.dep").read_text().splitlines()
    needs = {left: right.split() for left, _, right in (line.partition(":") for line in lines)}
    file_of = {Path(file).name.partition(".")[0].replace("-", "_"): file for file in needs}
    ordered: list[str] = []
    for name in names:
        if name not in file_of:
            continue  # it is built in
        file = file_of[name]
        # modules.dep names the nearest first, and a module's own needs after it.
        ordered += [each for each in (*reversed(needs[file]), file) if each not in ordered]
    return tuple(folder / file for file in ordered)


def initramfs(script: str, modules: tuple[str, ...] = ()) -> bytes:
    """A newc archive whose init is this shell script, run with busybox's commands and /proc mounted.

    `modules`: of the kernel, loaded before the script, with what they depend on.
    """
    files = _modules(modules)
    load = "".join(f"insmod /modules/{file.name}\n" for file in files)
    entries = [
        *(_Entry(name, _FOLDER | 0o755) for name in ("bin", "dev", "modules", "proc", "sys", "tmp")),
        _Entry("dev/console", _DEVICE | 0o600, device=(5, 1)),
        _Entry("bin/busybox", _FILE | 0o755, _busybox()),
        _Entry("init", _FILE | 0o755, (_PROLOGUE + load + script).encode()),
        *(_Entry(f"modules/{file.name}", _FILE | 0o644, file.read_bytes()) for file in files),
        _Entry("TRAILER!!!", 0),
    ]
    return b"".join(entry.encode(number) for number, entry in enumerate(entries, 1))


@dataclass(frozen=True)
class _Entry:
    name: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)

    def encode(self, inode: int) -> bytes:
        name = self.name.encode() + b"\0"
        fields = (inode, self.mode, 0, 0, 1, 0, len(self.data), 0, 0, *self.device, len(name), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
        return _aligned(head) + _aligned(self.data)


def _aligned(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def archive(files: Mapping[str, bytes]) -> bytes:
    """A newc archive of programs and their libraries, by path, to be put behind an initramfs."""
    folders = {str(parent) for name in files for parent in PurePosixPath(name).parents if parent.name}
    entries = [
        *(_Entry(folder.lstrip("/"), _FOLDER | 0o755) for folder in sorted(folders)),
        *(_Entry(name.lstrip("/"), _FILE | 0o755, data) for name, data in files.items()),
        _Entry("TRAILER!!!", 0),
    ]
    return b"".join(entry.encode(number) for number, entry in enumerate(entries, 1))
