"""A libvirtd for one figure: a real daemon with real QEMU that leaves the computer's own libvirt alone.

It runs in namespaces of its own, of mounts and of processes. The folders that libvirt writes to are below a temporary
one there, and all of it, QEMU as well, ends with the first process of the namespace, also when the figure is killed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

from confvm_gui.domain.errors import Unsupported
from confvm_gui.providers.libvirt.errors import INSTALL

EMULATOR: Final = "/usr/bin/qemu-system-x86_64"
_PROGRAMS: Final = ("libvirtd", EMULATOR, "unshare", "mount", "setpriv")
_FOLDERS: Final = {
    "lib": "/var/lib/libvirt",
    "run": "/run/libvirt",
    "log": "/var/log/libvirt",
    "cache": "/var/cache/libvirt",
    "etc": "/etc/libvirt",
}
_START_SECONDS: Final = 30.0
_ENDED: Final = "ended"
"""A file that tells that the daemon has ended, or was never started."""
_SBIN: Final = os.pathsep.join(("/usr/local/sbin", "/usr/sbin", "/sbin"))
"""Where libvirtd is, also when the user's PATH does not say so."""

_DAEMON: Final = """
listen_tls = 0
listen_tcp = 0
unix_sock_dir = "{sockets}"
unix_sock_rw_perms = "0700"
auth_unix_ro = "none"
auth_unix_rw = "none"
log_level = 4
log_outputs = "4:stderr"
"""
_QEMU: Final = """
user = "+0"
group = "+0"
dynamic_ownership = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
"""


@contextmanager
def private_libvirtd() -> Iterator[tuple[str, Path]]:
    """The URI of a daemon without domains, and a folder in which its QEMU may read files. Blocks for some seconds; must
    be entered where no event loop runs.

    Raises Unsupported with what this computer lacks.
    """
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), _SBIN))
    _require(path)
    with tempfile.TemporaryDirectory(prefix="confvm-bench-", ignore_cleanup_errors=True) as name:
        root = Path(name)
        sockets = root / "s"
        for folder in (sockets, *(root / each for each in _FOLDERS)):
            folder.mkdir()
        (root / "etc" / "libvirtd.conf").write_text(_DAEMON.format(sockets=sockets))
        (root / "etc" / "qemu.conf").write_text(_QEMU)
        with asyncio.Runner() as runner, (root / "output").open("wb") as output:
            process = runner.run(_spawn(root, path, output))
            try:
                uri = f"qemu:///system?socket={sockets}/libvirt-sock"
                _wait_until_it_answers(uri, root)
                yield uri, root
            finally:
                with suppress(ProcessLookupError):
                    process.kill()  # --kill-child: the namespace's first process goes with it
                runner.run(process.wait())


async def _spawn(root: Path, path: str, output: IO[bytes]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *_command(root),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env={**os.environ, "PATH": path, "HOME": str(root)},
    )


def _require(path: str) -> None:
    if find_spec("libvirt") is None:
        raise Unsupported(INSTALL)
    missing = [program for program in _PROGRAMS if shutil.which(program, path=path) is None]
    if missing:
        raise Unsupported(
            f"This is measured with a libvirtd and QEMU of its own, and this computer lacks {', '.join(missing)}: "
            "install the packages libvirt-daemon, libvirt-daemon-system and qemu-system-x86 (Debian's names)"
        )


def _command(root: Path) -> list[str]:
    mounts = "\n".join(
        f"mkdir -p {target} && mount --bind {root / name} {target} || exit 1" for name, target in _FOLDERS.items()
    )
    # The shell is the namespace's first process and so inherits orphans, which its `wait` reaps.
    daemon = f"libvirtd --config /etc/libvirt/libvirtd.conf --pid-file {root}/pid"
    script = f"trap 'touch {root / _ENDED}' EXIT\n{mounts}\n{daemon} & wait"
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return ["setpriv", "--pdeathsig", "KILL", "unshare", *user, *namespaces, "sh", "-c", script]


def _wait_until_it_answers(uri: str, root: Path) -> None:
    import libvirt

    libvirt.registerErrorHandler(lambda _context, _error: None, None)  # every error reaches us as an exception
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            conn = libvirt.open(uri)
            try:
                conn.getCapabilities()  # what QEMU can do is found out once, and takes seconds
            finally:
                conn.close()
            return
        except libvirt.libvirtError as error:
            if (root / _ENDED).exists() or time.monotonic() > deadline:
                said = (root / "output").read_text(errors="replace").strip().splitlines()[-1:]
                raise Unsupported(
                    "A private libvirtd for this figure does not start here, as it needs root or user namespaces "
                    f"({'; '.join(said) or error})"
                ) from None
        time.sleep(0.05)
