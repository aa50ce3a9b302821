"""Firmware builds for guests, QEMU and libvirt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.fleet.readiness.firmware_files import distribution_folders, images_in, read_firmware
from confvm_gui.fleet.readiness.host import Host
from confvm_gui.fleet.readiness.item import ES_AND_SNP, SNP, Item, missing, ok, warning
from confvm_gui.sev.ovmf_image import OvmfImage, SectionType

_QEMU: Final = (
    "usr/bin/qemu-system-x86_64",
    "usr/libexec/qemu-kvm",
    "usr/bin/qemu-kvm",
    "usr/local/bin/qemu-system-x86_64",
)
_LIBVIRT: Final = ("usr/sbin/libvirtd", "usr/sbin/virtqemud")
_SNP_QEMU: Final = (9, 1)
_SNP_LIBVIRT: Final = (10, 5)
_UPSTREAM: Final = re.compile(r"(?:[0-9]+:)?([0-9]{1,4})\.([0-9]{1,4})")


def software_items(host: Host) -> Iterator[Item]:
    """Items about OVMF, QEMU and libvirt."""
    yield _ovmf(host)
    versions = _debian_versions(host)
    yield _program(host, "qemu", "QEMU", _QEMU, _SNP_QEMU, versions.get("qemu-system-x86", ""))
    version = versions.get("libvirt-daemon-driver-qemu") or versions.get("libvirt-daemon", "")
    yield _program(host, "libvirt", "libvirt", _LIBVIRT, _SNP_LIBVIRT, version)


def _ovmf(host: Host) -> Item:
    es: list[str] = []
    snp: list[str] = []
    hashes: list[str] = []
    for folder in distribution_folders(host.root):
        for file in images_in(folder):
            try:
                image = OvmfImage.parse(read_firmware(file))
            except InvalidInput:
                continue
            if image.reset_eip:
                es.append(file.name)
            if image.reset_eip and image.has_section(SectionType.SNP_SECRETS) and image.has_section(SectionType.CPUID):
                snp.append(file.name)
            if image.hash_table_area is not None:
                hashes.append(file.name)
    found = f"{len(es)} builds for SEV-ES, {len(snp)} for SEV-SNP, {len(hashes)} that measure a kernel"
    if not es:
        hint = "Install the distribution's OVMF (Debian: ovmf, Fedora: edk2-ovmf), or build edk2's OvmfPkgX64 or AmdSev"
        return missing("ovmf", "Firmware for guests (OVMF)", found, hint, ES_AND_SNP)
    if not snp:
        hint = "Install an OVMF of edk2-stable202205 or later; `confvm ovmf FILE` says what a build lacks"
        return missing("ovmf", "Firmware for guests (OVMF)", found, hint, SNP)
    return ok("ovmf", "Firmware for guests (OVMF)", found)


def _program(host: Host, key: str, title: str, paths: tuple[str, ...], first: tuple[int, int], version: str) -> Item:
    where = next((path for path in paths if host.exists(path)), "")
    since = f"{first[0]}.{first[1]}"
    if not where:
        hint = f"Install {title} {since} or later, which launches SEV-SNP guests too"
        return warning(key, title, "It was not found in its usual places", hint)
    match = _UPSTREAM.match(version)
    if match is None:
        return ok(key, title, f"/{where}; its version is not known here, SEV-SNP takes {since} or later")
    if (int(match[1]), int(match[2])) < first:
        hint = f"SEV-SNP guests take {title} {since} or later: install a newer one"
        return missing(key, title, f"/{where}, version {version}", hint, SNP)
    return ok(key, title, f"/{where}, version {version}")


def _debian_versions(host: Host) -> dict[str, str]:
    """Versions of installed packages of Debian and its children; empty elsewhere."""
    found: dict[str, str] = {}
    for paragraph in (host.text("var/lib/dpkg/status") or "").split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and not line.startswith(" ")
        )
        if fields.get("Status", "").endswith(" installed"):
            found[fields.get("Package", "")] = fields.get("Version", "")
    return found
