"""Kernel, its modules' parameters, the IOMMU, and the devices that a VMM opens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from confvm_gui.domain.catalogue import Technology
from confvm_gui.fleet.readiness.host import Host
from confvm_gui.fleet.readiness.item import ALL, ES_AND_SNP, SNP, Item, missing, ok, unknown

_SINCE: Final = (
    (Technology.SEV, (4, 16), ALL),
    (Technology.SEV_ES, (5, 11), ES_AND_SNP),
    (Technology.SEV_SNP, (6, 11), SNP),
)
"""First kernel that hosts such guests, and what cannot be hosted before it."""
_VERSION: Final = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})")


def kernel_items(host: Host) -> Iterator[Item]:
    """Items about kernel, modules, IOMMU and devices."""
    yield _version(host)
    yield from _parameters(host)
    yield _iommu(host)
    yield _device(
        host,
        "kvm",
        "Load kvm_amd (`modprobe kvm_amd`), and enable SVM Mode in the BIOS",
        "Add the user to the group kvm, and log in again",
    )
    yield _device(
        host,
        "sev",
        "Load ccp (`modprobe ccp`); if it is loaded, SEV is off in the BIOS or the secure processor failed: see dmesg",
        'Give the group of the VMM access, such as with the udev rule KERNEL=="sev", GROUP="kvm", MODE="0660"',
    )


def _version(host: Host) -> Item:
    release = host.text("proc/sys/kernel/osrelease") or ""
    match = _VERSION.match(release)
    if match is None:
        return unknown("kernel", "Kernel", "The kernel's version cannot be read", "Look at `uname -r`")
    version = (int(match[1]), int(match[2]))
    for technology, first, blocks in _SINCE:
        if version < first:
            hint = (
                f"{technology.title} guests are hosted by Linux {first[0]}.{first[1]} and later: install a newer kernel"
            )
            return missing("kernel", "Kernel", f"Linux {release}", hint, blocks)
    return ok("kernel", "Kernel", f"Linux {release}")


def _parameters(host: Host) -> Iterator[Item]:
    folder = "sys/module/kvm_amd/parameters"
    if not host.exists("sys/module/kvm_amd"):
        yield missing(
            "kvm_amd", "Module kvm_amd", "kvm_amd is not loaded", "Load it: `modprobe kvm_amd sev=1 sev_es=1`", ALL
        )
        return
    for name, technology, blocks in (
        ("sev", Technology.SEV, ALL),
        ("sev_es", Technology.SEV_ES, ES_AND_SNP),
        ("sev_snp", Technology.SEV_SNP, SNP),
    ):
        key, title = f"kvm_amd-{name}", f"{technology.title} in KVM (kvm_amd {name})"
        value = host.text(f"{folder}/{name}")
        if value in ("Y", "1"):
            yield ok(key, title, f"{name} is {value}")
        elif value is None:
            yield missing(
                key,
                title,
                f"kvm_amd has no parameter {name}",
                "Install a newer kernel, with CONFIG_KVM_AMD_SEV",
                blocks,
            )
        else:
            hint = (
                f"Load kvm_amd with {name}=1 (/etc/modprobe.d); if it stays {value}, processor, BIOS or ccp do not "
                "offer it: the other items and dmesg tell which"
            )
            yield missing(key, title, f"{name} is {value}", hint, blocks)


def _iommu(host: Host) -> Item:
    title = "IOMMU"
    words = set((host.text("proc/cmdline") or "").split())
    against = sorted(words & {"iommu=off", "amd_iommu=off", "iommu=pt", "iommu.passthrough=1"})
    if against:
        hint = f"Take {' '.join(against)} off the kernel's command line: SNP needs the IOMMU to translate"
        return missing("iommu", title, f"The kernel was booted with {' '.join(against)}", hint, SNP)
    units = [name for name in host.entries("sys/class/iommu") if name.startswith("ivhd")]
    if units:
        return ok("iommu", title, f"{len(units)} AMD IOMMU units")
    return missing(
        "iommu", title, "The kernel has found no AMD IOMMU", "Enable the IOMMU in the BIOS: SNP needs it", SNP
    )


def _device(host: Host, name: str, make: str, allow: str) -> Item:
    title = f"/dev/{name}"
    if not host.exists(f"dev/{name}"):
        return missing(f"dev-{name}", title, f"/dev/{name} does not exist", make, ALL)
    mode = host.mode(f"dev/{name}")
    if host.may_read_and_write(f"dev/{name}"):
        return ok(f"dev-{name}", title, mode)
    return missing(f"dev-{name}", title, f"{mode}: this user may not open it", allow, ALL)
