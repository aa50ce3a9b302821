"""A Linux guest that has a vTPM: it prints its PCRs, and runs QEMU's guest agent with tpm2-tools at hand.

Of Debian's packages linux-image-cloud-amd64, busybox-static, qemu-guest-agent and tpm2-tools as they are installed:
programs are taken with the libraries that they are linked with.
"""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.support.linux_kernel import archive, initramfs

READY = b"agent-is-up"
_PROGRAMS = ("qemu-ga", "tpm2")
_LOADED = ("libtss2-tcti-device.so.0",)
"""Libraries that tpm2-tools look for as they run."""
_SCRIPT = f"""
mount -t devtmpfs dev /dev
mount -t sysfs sys /sys
mount -t securityfs security /sys/kernel/security
export PATH=/bin:/usr/bin:/usr/sbin
for tool in createprimary readpublic quote; do ln -s tpm2 /usr/bin/tpm2_$tool; done
for pcr in $(seq 0 15); do echo "PCR $pcr $(cat /sys/class/tpm/tpm0/pcr-sha256/$pcr)"; done
qemu-ga -d -t /tmp -f /tmp/agent.pid -p /dev/vport*p1
echo {READY.decode()}
while true; do sleep 3600; done
"""


@cache
def measured_initramfs() -> bytes:
    """About 10 MiB, compressed: the firmware measures every byte of it, which takes QEMU's emulation its time."""
    files: dict[str, bytes] = {}
    for name in _PROGRAMS:
        found = shutil.which(name, path="/usr/bin:/usr/sbin")
        assert found is not None, f"{name} is not installed: apt-get install qemu-guest-agent tpm2-tools"
        files[found] = Path(found).read_bytes()
        files |= _libraries(found)
    folders = {Path(name).parent for name in files}
    for name in _LOADED:
        library = next(folder / name for folder in folders if (folder / name).exists())
        files[str(library)] = library.read_bytes()
    return gzip.compress(initramfs(_SCRIPT, ("virtio_pci", "virtio_console")) + archive(files), compresslevel=1)


def printed_pcrs(printed: bytes) -> dict[int, bytes]:
    """PCRs of the bank SHA-256 that the guest has printed."""
    return {int(pcr): bytes.fromhex(value.decode()) for pcr, value in re.findall(rb"PCR (\d+) ([0-9A-F]{64})", printed)}


def _libraries(program: str) -> dict[str, bytes]:
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=20, check=True).stdout
    return {path: Path(path).read_bytes() for path in re.findall(r"(/\S+) \(0x", listed)}
