"""A real Linux guest for a real QEMU: Debian's cloud kernel, and an initramfs whose init writes a text into its RAM."""

from __future__ import annotations

import gzip
import subprocess
import uuid
from pathlib import Path

READY = b"marker is written"
"""On the serial port once the text stands in a file system in RAM."""


def kernel() -> Path:
    """Of the package linux-image-cloud-amd64."""
    found = sorted(Path("/boot").glob("vmlinuz-*cloud*"))
    assert found, "no kernel in /boot: install the package linux-image-cloud-amd64"
    return found[-1]


def make_initramfs(folder: Path, marker: str) -> Path:
    """Writes `marker` into a file of its root file system, in halves, so that the image itself does not hold it."""
    tree = folder / "initramfs"
    for name in ("bin", "proc", "dev"):
        (tree / name).mkdir(parents=True)
    (tree / "bin/busybox").write_bytes(Path("/usr/bin/busybox").read_bytes())
    half = len(marker) // 2
    init = tree / "init"
    init.write_text(
        "#!/bin/busybox sh\n"
        f"A='{marker[:half]}'\nB='{marker[half:]}'\n"
        '/bin/busybox printf "%s%s\\n" "$A" "$B" > /marker\n'
        "/bin/busybox mount -t devtmpfs none /dev\n"
        f"/bin/busybox echo '{READY.decode()}' > /dev/ttyS0\n"
        "while true; do /bin/busybox sleep 3600; done\n"
    )
    for path in (init, tree / "bin/busybox"):
        path.chmod(0o755)
    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    packed = subprocess.run(
        ["cpio", "--quiet", "-o", "-H", "newc"], cwd=tree, input=names.encode(), capture_output=True, check=True
    )
    target = folder / "initrd.gz"
    target.write_bytes(gzip.compress(packed.stdout, compresslevel=1))
    return target


def linux_domain(name: str, initrd: Path, serial: Path, *, memory_mib: int = 192, backing: str = "") -> str:
    """XML under TCG; what it prints goes to the file `serial`. `backing`: XML of <memoryBacking>."""
    return f"""<domain type='qemu'><name>{name}</name><uuid>{uuid.uuid4()}</uuid>
      <memory unit='MiB'>{memory_mib}</memory>{backing}<vcpu>1</vcpu>
      <os><type arch='x86_64' machine='q35'>hvm</type><kernel>{kernel()}</kernel><initrd>{initrd}</initrd>
        <cmdline>console=ttyS0 quiet panic=-1</cmdline></os>
      <features><acpi/></features>
      <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
        <serial type='file'><source path='{serial}'/><target port='0'/></serial>
        <memballoon model='none'/></devices></domain>"""
