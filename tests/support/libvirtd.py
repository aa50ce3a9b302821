"""A real libvirtd with a real virtlogd and QEMU, private to the tests.

Each `Daemon` has a mount namespace of its own, in which the folders that libvirt writes to are temporary ones; so
nothing of a libvirt that the machine itself runs is touched, several run side by side, and all goes with the folder.
Without root the namespace comes with a user namespace. `libvirtd` is one for the whole session (`Daemon.sweep` after
each test removes what it left); a test that kills or stops the daemon asks for `own_libvirtd`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

_PRIVATE = {
    "lib": "/var/lib/libvirt",
    "run": "/run/libvirt",
    "log": "/var/log/libvirt",
    "cache": "/var/cache/libvirt",
    "etc": "/etc/libvirt",
}
_START_SECONDS = 30.0
_END_SECONDS = 5.0

_LIBVIRTD_CONF = """
listen_tls = 0
listen_tcp = 0
unix_sock_dir = "{sockets}"
unix_sock_rw_perms = "0700"
auth_unix_ro = "none"
auth_unix_rw = "none"
host_uuid = "{host_uuid}"
log_level = 3
log_outputs = "3:stderr"
keepalive_interval = -1
"""
_QEMU_CONF = """
user = "{user}"
group = "{group}"
dynamic_ownership = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "logd"
swtpm_user = "{user}"
swtpm_group = "{group}"
"""


class Daemon:
    """One libvirtd with its virtlogd. Its folders are below `root`: `lib`, `run`, `log`, `etc`."""

    def __init__(self, root: Path, cache: Path) -> None:
        """`root` has a short path: sockets are in it. `cache` keeps what libvirt finds out of QEMU, for all daemons."""
        self.root = root
        self.sockets = root / "s"
        self._cache = cache
        self._log: subprocess.Popen[bytes] | None = None
        self._daemon: subprocess.Popen[bytes] | None = None
        self._earlier: list[subprocess.Popen[bytes]] = []
        """Parents of what daemons that were killed have left."""
        self._output = root / "output"

    @property
    def uri(self) -> str:
        return f"qemu:///system?socket={self.sockets}/libvirt-sock"

    @property
    def pid(self) -> int:
        return int((self.root / "daemon").read_text())

    @property
    def images(self) -> Path:
        """A folder for disks that QEMU of this daemon can use."""
        folder = self.root / "images"
        folder.mkdir(exist_ok=True)
        return folder

    def start(self) -> None:
        """Start virtlogd, then libvirtd, and wait until it answers."""
        for name in _PRIVATE:
            if name != "cache":
                (self.root / name).mkdir(exist_ok=True)
        self.sockets.mkdir(exist_ok=True)
        user = "+0"  # in its namespaces it is root, whoever runs the tests
        etc = self.root / "etc"
        shutil.copytree("/etc/libvirt/nwfilter", etc / "nwfilter", dirs_exist_ok=True)
        (etc / "libvirtd.conf").write_text(_LIBVIRTD_CONF.format(sockets=self.sockets, host_uuid=uuid.uuid4()))
        (etc / "qemu.conf").write_text(_QEMU_CONF.format(user=user, group=user))
        (etc / "virtlogd.conf").write_text('log_level = 3\nlog_outputs = "3:stderr"\n')
        mounts = "\n".join(
            f"mkdir -p {target} && mount --bind {self._cache if name == 'cache' else self.root / name} {target}"
            for name, target in _PRIVATE.items()
        )
        # QEMU emulates the processor: a KVM that is there may not work, as on machines that are guests themselves.
        # Not writable either: else libvirt takes it for one and asks QEMU what it can do at every call, for seconds.
        no_kvm = self.root / "no-kvm"
        no_kvm.touch()
        mounts += f"\nif [ -e /dev/kvm ]; then mount --bind {no_kvm} /dev/kvm; mount -o remount,bind,ro /dev/kvm; fi"
        unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
        script = f"set -e\n{mounts}\nexec virtlogd --config /etc/libvirt/virtlogd.conf --pid-file {self.root}/log.pid"
        with self._output.open("ab") as output:
            self._log = subprocess.Popen([*unshare, "sh", "-c", script], stdout=output, stderr=output)
        self._wait_for(partial(_listens, self.root / "run" / "virtlogd-sock"), self._log)
        self.start_libvirtd()
        self._find_out()

    def start_libvirtd(self) -> None:
        """Start libvirtd again after `kill`; domains that ran go on."""
        assert self._log is not None
        (self.sockets / "libvirt-sock").unlink(missing_ok=True)
        if self._daemon is not None:
            self._earlier.append(self._daemon)
        (self.root / "daemon").unlink(missing_ok=True)
        reaper = [sys.executable, "-S", "-E", str(Path(__file__).with_name("reaper.py")), str(self.root / "daemon")]
        enter = [*reaper, "nsenter", "--target", str(self._log.pid), "--mount"]
        if os.geteuid() != 0:
            enter.append("--user")
        command = [*enter, "libvirtd", "--config", "/etc/libvirt/libvirtd.conf", "--pid-file", str(self.root / "pid")]
        environment = {**os.environ, "HOME": str(self.root)}
        with self._output.open("ab") as output:
            self._daemon = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        self._wait_for(partial(_is_written, self.root / "daemon"), self._daemon)
        self._wait_for(partial(_listens, self.sockets / "libvirt-sock"), self._daemon)

    def kill(self) -> None:
        """End libvirtd as a crash does; its QEMU processes run on."""
        os.kill(self.pid, signal.SIGKILL)
        self._wait_for_end(self.pid)

    def hang(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def sweep(self) -> None:
        """Remove all domains, switched off first, and all volumes."""
        import libvirt

        conn = libvirt.open(self.uri)
        try:
            for domain in conn.listAllDomains():
                if domain.isActive():
                    domain.destroy()
            for domain in conn.listAllDomains():
                domain.undefineFlags(
                    libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
                    | libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
                    | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
                    | libvirt.VIR_DOMAIN_UNDEFINE_TPM
                )
            for pool in conn.listAllStoragePools():
                if pool.isActive():
                    pool.refresh(0)
                    for volume in pool.listAllVolumes():
                        volume.delete(0)
        finally:
            conn.close()

    def stop(self) -> None:
        """End the domains, both daemons, and remove the folder."""
        try:
            if self._daemon is not None and Path(f"/proc/{self.pid}").exists():
                self.go_on()
                try:
                    self.sweep()
                finally:  # a daemon that answers no more is not left either
                    os.kill(self.pid, signal.SIGTERM)
                    self._wait_for_end(self.pid)
        finally:
            for process in (*self._earlier, self._daemon, self._log):
                if process is not None:
                    try:  # the parents end with their last child
                        process.wait(_END_SECONDS if process is not self._log else 0)
                    except subprocess.TimeoutExpired:
                        process.terminate()
                        process.wait()
            shutil.rmtree(self.root, ignore_errors=True)

    def output(self) -> str:
        """What both daemons have written to stderr."""
        return self._output.read_text(errors="replace")

    def _find_out(self) -> None:
        """Have it ask QEMU what it can do: some seconds for the first daemon, kept in the cache for the others."""
        import libvirt

        conn = libvirt.open(self.uri)
        try:
            conn.getCapabilities()
        finally:
            conn.close()

    @staticmethod
    def _wait_for_end(pid: int) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.01)

    def _wait_for(self, condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not condition():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{process.args!r} does not start:\n{self.output()[-3000:]}", pytrace=False)
            time.sleep(0.01)


def _is_written(path: Path) -> bool:
    return path.exists() and bool(path.read_text())


def _listens(path: Path) -> bool:
    """Whether a daemon takes connections: its socket is there a moment before it does."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def tiny_domain(name: str, *, domain_id: str = "", memory_mib: int = 16, devices: str = "") -> str:
    """XML of a domain without disk under TCG: SeaBIOS finds nothing to boot and waits. `devices`: XML of more."""
    domain_uuid = str(uuid.UUID(domain_id)) if domain_id else str(uuid.uuid4())
    return f"""<domain type='qemu'><name>{name}</name><uuid>{domain_uuid}</uuid>
      <memory unit='MiB'>{memory_mib}</memory><vcpu>1</vcpu>
      <os><type arch='x86_64' machine='q35'>hvm</type><bios useserial='yes'/></os><features><acpi/></features>
      <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
        <serial type='pty'><target port='0'/></serial><console type='pty'><target type='serial' port='0'/></console>
        <memballoon model='none'/>{devices}</devices></domain>"""


@pytest.fixture(scope="session")
def libvirt_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What libvirt has found out about QEMU, which takes seconds, kept for all daemons of the session."""
    return tmp_path_factory.mktemp("libvirt-cache")


@pytest.fixture(scope="session")
def _session_libvirtd(libvirt_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path_factory.mktemp("lv"), libvirt_cache)
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()


@pytest.fixture
def libvirtd(_session_libvirtd: Daemon) -> Iterator[Daemon]:
    """The session's libvirtd, without domains before and after."""
    yield _session_libvirtd
    _session_libvirtd.sweep()


@pytest.fixture
def own_libvirtd(libvirt_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One that the test may kill, stop and restart."""
    daemon = Daemon(tmp_path_factory.mktemp("own"), libvirt_cache)
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()
