"""What a domain's definition says, also of domains that somebody else made (libvirt: Domain XML format).

The definition comes from a host that is not trusted: it is read within limits, and what makes no sense is left at its
default. Only what is not a definition at all is InvalidInput.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.providers.libvirt.bounded_xml import number, parse
from confvm_gui.providers.libvirt.domain_xml import NAMESPACE

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_UNITS: Final[Mapping[str, int]] = MappingProxyType(
    {"b": 1, "bytes": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
    | {unit: 1 << 10 * power for power, name in enumerate("KMGT", 1) for unit in (name, f"{name}iB")}
    | {"k": 1 << 10}
)
_MOST: Final = 256
"""Disks, interfaces and labels that are read of one domain."""
_LONGEST: Final = 4096
_ES_BIT: Final = 4


@dataclass(frozen=True, slots=True)
class DiskFacts:
    device: str
    """`disk`, `cdrom` …"""
    target: str
    source: str
    """File, block device or volume; "" where it is something else."""
    form: str
    readonly: bool


@dataclass(frozen=True, slots=True)
class InterfaceFacts:
    mac: str
    kind: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class ConsoleMetadata:
    """The console's own element."""

    operation_id: str
    image: str
    machine_type: str
    created_at: float
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DomainFacts:
    instance_id: str
    """32 hex digits."""
    name: str
    memory_mib: int
    vcpus: int
    kind: str
    """`kvm`, `qemu` …"""
    machine: str
    technology: Technology
    policy: int
    """Of the launch; 0 without one."""
    kernel_hashes: bool
    loader: str
    """Firmware image, where the definition names it."""
    nvram: str
    uefi: bool
    secure_boot: bool
    vtpm: bool
    kernel: str
    initrd: str
    command_line: str
    serial: bool
    shared_memory: str
    """File of the guest's RAM (`file`, `memfd`) where the definition has one, or ""."""
    disks: tuple[DiskFacts, ...] = ()
    interfaces: tuple[InterfaceFacts, ...] = ()
    own: ConsoleMetadata | None = field(default=None)
    """None for a domain that the console has not made."""


def read_domain(xml: str) -> DomainFacts:
    """Raises InvalidInput("xml") for what is not the definition of a domain."""
    root = parse(xml)
    if root.tag != "domain":
        raise InvalidInput("xml", "The host's answer is not the definition of a domain")
    try:
        instance_id = uuid.UUID(_text(root, "uuid")).hex
    except ValueError:
        raise InvalidInput("xml", "The domain's definition has no UUID") from None
    os_type = root.find("os/type")
    loader, security = root.find("os/loader"), root.find("launchSecurity")
    policy = number(security.findtext("policy")) if security is not None else 0
    loader_path = _text(root, "os/loader")
    backing = root.find("memoryBacking/source")
    return DomainFacts(
        instance_id=instance_id,
        name=_text(root, "name") or instance_id,
        memory_mib=_size(root.find("memory")) >> 20,
        vcpus=min(number(root.findtext("vcpu")), 1 << 16),
        kind=_attribute(root, "type"),
        machine=_attribute(os_type, "machine"),
        technology=_technology(security, policy),
        policy=policy,
        kernel_hashes=_attribute(security, "kernelHashes") == "yes",
        loader=loader_path,
        nvram=_text(root, "os/nvram"),
        uefi=_attribute(root.find("os"), "firmware") == "efi" or _attribute(loader, "type") == "pflash",
        secure_boot=_attribute(loader, "secure") == "yes"
        or any(
            feature.get("name") == "secure-boot" and feature.get("enabled") == "yes"
            for feature in root.iterfind("os/firmware/feature")
        ),
        vtpm=root.find("devices/tpm/backend[@type='emulator']") is not None,
        kernel=_text(root, "os/kernel"),
        initrd=_text(root, "os/initrd"),
        command_line=_text(root, "os/cmdline"),
        serial=root.find("devices/serial") is not None or root.find("devices/console") is not None,
        shared_memory=_attribute(backing, "type"),
        disks=tuple(_disk(disk) for disk in root.findall("devices/disk")[:_MOST]),
        interfaces=tuple(_interface(interface) for interface in root.findall("devices/interface")[:_MOST]),
        own=_own(root),
    )


def _technology(security: Element | None, policy: int) -> Technology:
    kind = _attribute(security, "type")
    if kind == "sev":
        return Technology.SEV_ES if policy & _ES_BIT else Technology.SEV
    return {"sev-snp": Technology.SEV_SNP, "tdx": Technology.TDX}.get(kind, Technology.NONE)


def _own(root: Element) -> ConsoleMetadata | None:
    own = root.find(f"metadata/{{{NAMESPACE}}}instance")
    if own is None:
        return None
    labels = {
        _attribute(label, "key"): _attribute(label, "value") for label in own.findall(f"{{{NAMESPACE}}}label")[:_MOST]
    }
    try:
        created_at = float(_attribute(own, "created_at")[:32])
    except ValueError:
        created_at = 0.0
    return ConsoleMetadata(
        operation_id=_attribute(own, "operation_id"),
        image=_attribute(own, "image"),
        machine_type=_attribute(own, "machine_type"),
        created_at=created_at if 0.0 <= created_at < 1e11 else 0.0,
        labels=MappingProxyType(labels),
    )


def _disk(disk: Element) -> DiskFacts:
    source = disk.find("source")
    return DiskFacts(
        device=_attribute(disk, "device") or "disk",
        target=_attribute(disk.find("target"), "dev"),
        source=next((_attribute(source, key) for key in ("file", "dev", "volume") if _attribute(source, key)), ""),
        form=_attribute(disk.find("driver"), "type"),
        readonly=disk.find("readonly") is not None,
    )


def _interface(interface: Element) -> InterfaceFacts:
    source = interface.find("source")
    return InterfaceFacts(
        mac=_attribute(interface.find("mac"), "address"),
        kind=_attribute(interface, "type"),
        source=next((_attribute(source, key) for key in ("network", "bridge", "dev") if _attribute(source, key)), ""),
        target=_attribute(interface.find("target"), "dev"),
    )


def _size(element: Element | None) -> int:
    if element is None:
        return 0
    return min(number(element.text) * _UNITS.get(element.get("unit", "KiB"), 1 << 10), 1 << 62)


def _text(root: Element, path: str) -> str:
    return (root.findtext(path) or "").strip()[:_LONGEST]


def _attribute(element: Element | None, name: str) -> str:
    return (element.get(name, "") if element is not None else "")[:_LONGEST]
