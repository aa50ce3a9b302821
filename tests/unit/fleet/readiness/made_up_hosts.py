"""Hosts made of files, for the readiness checklist."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from confvm_gui.fleet.readiness.platform_firmware import FirmwareReading
from tests.unit.sev.firmware_images import make_image

AMD_FLAGS = "fpu svm sme sev sev_es"
DPKG = """Package: qemu-system-x86
Status: install ok installed
Version: 1:10.0.2+ds-2

Package: libvirt-daemon
Status: install ok installed
Version: 11.3.0-3
"""


def put(root: Path, name: str, content: str | bytes = "") -> Path:
    """A file of the host."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def put_at(root: Path, name: str, offset: int, data: bytes) -> None:
    """A device whose content starts far behind its start."""
    path = put(root, name)
    with path.open("r+b") as file:
        os.pwrite(file.fileno(), data, offset)


def cpuinfo(
    *,
    vendor: str = "AuthenticAMD",
    name: str = "AMD EPYC 7543",
    family: int = 25,
    model: int = 1,
    flags: str = AMD_FLAGS,
) -> str:
    one = (
        f"vendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: {model}\nmodel name\t: {name}\nstepping\t: 1\n"
        f"flags\t\t: {flags}\n"
    )
    return f"processor\t: 0\n{one}\nprocessor\t: 1\n{one}"


def ready_milan(root: Path) -> Path:
    """A host that serves all three."""
    put(root, "proc/cpuinfo", cpuinfo(flags=f"{AMD_FLAGS} sev_snp"))
    put(root, "proc/sys/kernel/osrelease", "6.12.41+deb13-amd64\n")
    put(root, "proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/sda1 quiet\n")
    for name in ("sev", "sev_es", "sev_snp"):
        put(root, f"sys/module/kvm_amd/parameters/{name}", "Y\n")
    put(root, "sys/class/iommu/ivhd0/x")
    put(root, "sys/fs/cgroup/misc.capacity", "sev 410\nsev_es 99\n")
    put(root, "sys/fs/cgroup/misc.current", "sev 1\nsev_es 2\n")
    put_at(root, "dev/cpu/0/cpuid", 0x8000001F, struct.pack("<IIII", 0x1F, 51 | 5 << 6, 509, 100))
    put_at(root, "dev/cpu/0/msr", 0xC0010010, struct.pack("<Q", 0x3F40000))
    for name in ("kvm", "sev"):
        put(root, f"dev/{name}").chmod(0o660)
    put(root, "usr/share/OVMF/OVMF.amdsev.fd", make_image())
    put(root, "usr/share/OVMF/OVMF_VARS.fd", bytes(4096))
    put(root, "usr/bin/qemu-system-x86_64")
    put(root, "usr/sbin/libvirtd")
    put(root, "var/lib/dpkg/status", DPKG)
    return root


def reading(device: Path) -> FirmwareReading:
    """A firmware of a Milan that serves SNP."""
    assert device.name == "sev"
    return FirmwareReading(1, 55, 21, 1, 3, 0xDB16000000000004)


def refusing(device: Path) -> FirmwareReading:
    """A device that may not be opened."""
    raise PermissionError(13, "Permission denied", str(device))
