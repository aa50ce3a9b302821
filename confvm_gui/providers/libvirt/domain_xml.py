"""The domain definition that the console gives to libvirt (libvirt: Domain XML format).

Built as a tree by an XML library, so that no value can become markup. What no XML can carry, what libvirt's own rules
for names forbid and what lies outside of the image pool is refused here, with the field it came from.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.instance import check_labels, check_name
from confvm_gui.providers.libvirt.disk_encryption import WrappedKey, add_encryption, add_wrapped
from confvm_gui.providers.libvirt.domain_facts import AGENT_CHANNEL
from confvm_gui.providers.libvirt.launch_security import LaunchSecurity, add_launch_security

NAMESPACE: Final = "https://confvm.example/xmlns/libvirt/1"
"""Of the console's own element in a domain's metadata."""
TPM_MODELS: Final = ("tpm-crb", "tpm-tis")
"""Of a PC, the one that is chosen first."""
_LOCKED_OVERHEAD_MIB: Final = 512
"""Beside its RAM, what QEMU pins of a SEV guest: firmware, video RAM and its own memory."""
_MOST_VCPUS: Final = 4096
_MOST_MEMORY_MIB: Final = 64 << 20
_LONGEST_TEXT: Final = 4096


@dataclass(frozen=True, slots=True)
class DirectKernel:
    """Files on the host, in the image pool."""

    kernel: str
    initrd: str = ""
    command_line: str = ""


@dataclass(frozen=True, slots=True)
class DomainPlan:
    """Everything that a definition says."""

    instance_id: str
    """32 hex digits: the UUID."""
    name: str
    pool_path: str
    """Every file named below lies in this folder."""
    memory_mib: int
    vcpus: int
    kvm: bool
    operation_id: str
    image: str
    machine_type: str
    created_at: float
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    cpu_mode: str = ""
    """`host-passthrough`, `host-model`, `maximum`; "" leaves it to QEMU."""
    disk: str = ""
    """qcow2 overlay, or "" where nothing but a kernel is booted."""
    seed: str = ""
    """ISO image for cloud-init."""
    boot: DirectKernel | None = None
    uefi: bool = False
    secure_boot: bool = False
    vtpm: str = ""
    """Model of the TPM that swtpm emulates, or ""."""
    integrity_monitoring: bool = False
    network: str = ""
    """A libvirt network, or "" for user-mode networking."""
    technology: Technology = Technology.NONE
    security: LaunchSecurity | None = None
    """Goes with `technology`."""
    disk_key: WrappedKey | None = None
    """Under which the disk is encrypted; None for a plain one."""


def domain_xml(plan: DomainPlan) -> str:
    """The definition. Raises InvalidInput with the field that cannot be what it is."""
    _check(plan)
    register_namespace("confvm", NAMESPACE)
    domain = Element("domain", type="kvm" if plan.kvm else "qemu")
    _text(domain, "name", plan.name)
    _text(domain, "uuid", str(uuid.UUID(plan.instance_id)))
    _metadata(domain, plan)
    _text(domain, "memory", str(plan.memory_mib), unit="MiB")
    confidential = plan.security is not None
    if confidential and plan.technology is not Technology.TDX:
        limit = SubElement(domain, "memtune")
        _text(limit, "hard_limit", str(plan.memory_mib + _LOCKED_OVERHEAD_MIB), unit="MiB")
    _text(domain, "vcpu", str(plan.vcpus))
    _os(domain, plan)
    features = SubElement(domain, "features")
    SubElement(features, "acpi")
    SubElement(features, "apic")
    if plan.secure_boot and not confidential:
        SubElement(features, "smm", state="on")
    if plan.technology is Technology.TDX:
        SubElement(features, "ioapic", driver="qemu")
    if plan.cpu_mode:
        SubElement(domain, "cpu", mode=plan.cpu_mode)
    SubElement(domain, "clock", offset="utc")
    for event, action in (("on_poweroff", "destroy"), ("on_reboot", "restart"), ("on_crash", "destroy")):
        # An encrypted vCPU cannot be reset: the guest that reboots is switched off, and launched anew by its owner.
        _text(domain, event, "destroy" if confidential else action)
    _devices(domain, plan, confidential)
    if plan.security is not None:
        add_launch_security(domain, plan.security)
    return tostring(domain, encoding="unicode")


def require_in_pool(path: str, pool_path: str, what: str) -> None:
    """Raise InvalidInput(`what`) unless `path` names a file right in the folder `pool_path`."""
    _require_text(path, what)
    file, pool = PurePosixPath(path), PurePosixPath(pool_path)
    if not pool.is_absolute() or ".." in file.parts or ".." in pool.parts or file.parent != pool or not file.name:
        raise InvalidInput(what, f"{path!r} does not lie in the image pool {pool_path!r}; only images of it are used")
    if str(file) != path:
        raise InvalidInput(what, f"{path!r} is not a plain path")


def _check(plan: DomainPlan) -> None:
    check_name(plan.name)
    try:
        valid = uuid.UUID(plan.instance_id).hex == plan.instance_id
    except ValueError:
        valid = False
    if not valid:
        raise InvalidInput("instance_id", "The instance's id is not 32 lower-case hex digits")
    if not 0 < plan.memory_mib <= _MOST_MEMORY_MIB:
        raise InvalidInput("machine_type", f"{plan.memory_mib} MiB is no size of a machine")
    if not 0 < plan.vcpus <= _MOST_VCPUS:
        raise InvalidInput("machine_type", f"{plan.vcpus} is no number of vCPUs")
    check_labels(plan.labels)
    for what, value in (
        ("operation_id", plan.operation_id),
        ("image", plan.image),
        ("machine_type", plan.machine_type),
        ("network", plan.network),
        ("cpu_mode", plan.cpu_mode),
    ):
        _require_text(value, what)
    if "/" in plan.network:
        raise InvalidInput("network", "A network's name has no slash")
    for what, path in (("disk", plan.disk), ("seed", plan.seed)):
        if path:
            require_in_pool(path, plan.pool_path, what)
    if plan.boot is not None:
        require_in_pool(plan.boot.kernel, plan.pool_path, "kernel")
        if plan.boot.initrd:
            require_in_pool(plan.boot.initrd, plan.pool_path, "initrd")
        _require_text(plan.boot.command_line, "command_line")
    if (plan.technology is Technology.NONE) is not (plan.security is None):
        raise InvalidInput("technology", "The technology and its launch parameters do not go together")
    if plan.vtpm and plan.vtpm not in TPM_MODELS:
        raise InvalidInput("vtpm", f"{plan.vtpm!r} is no model of a TPM 2.0")
    if plan.secure_boot and not plan.uefi:
        raise InvalidInput("secure_boot", "Secure Boot is part of UEFI; boot with UEFI or without Secure Boot")


def _require_text(text: str, what: str) -> None:
    """XML 1.0 has no control characters, surrogates or noncharacters; libvirt cuts texts at line ends."""
    if len(text) > _LONGEST_TEXT:
        raise InvalidInput(what, f"The {what} has {len(text)} characters; at most {_LONGEST_TEXT} fit")
    for letter in text:
        code = ord(letter)
        if code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE:
            raise InvalidInput(what, f"The {what} has a character (U+{code:04X}) that a definition cannot carry")


def _text(parent: Element, tag: str, text: str, **attributes: str) -> Element:
    element = SubElement(parent, tag, attributes)
    element.text = text
    return element


def _metadata(domain: Element, plan: DomainPlan) -> None:
    metadata = SubElement(domain, "metadata")
    if plan.disk_key is not None:
        add_wrapped(metadata, plan.disk_key)
    own = SubElement(
        metadata,
        f"{{{NAMESPACE}}}instance",
        {
            "operation_id": plan.operation_id,
            "created_at": f"{plan.created_at:.3f}",
            "image": plan.image,
            "machine_type": plan.machine_type,
        },
    )
    if plan.integrity_monitoring:
        own.set("integrity_monitoring", "yes")
    for key, value in sorted(plan.labels.items()):
        SubElement(own, f"{{{NAMESPACE}}}label", {"key": key, "value": value})


def _os(domain: Element, plan: DomainPlan) -> None:
    os = SubElement(domain, "os")
    if plan.uefi:
        os.set("firmware", "efi")
    _text(os, "type", "hvm", arch="x86_64", machine="q35")
    if plan.uefi:
        firmware = SubElement(os, "firmware")
        asked = "yes" if plan.secure_boot else "no"
        SubElement(firmware, "feature", enabled=asked, name="secure-boot")
        SubElement(firmware, "feature", enabled=asked, name="enrolled-keys")
    if plan.boot is not None:
        _text(os, "kernel", plan.boot.kernel)
        if plan.boot.initrd:
            _text(os, "initrd", plan.boot.initrd)
        if plan.boot.command_line:
            _text(os, "cmdline", plan.boot.command_line)
    else:
        SubElement(os, "boot", dev="hd")


def _devices(domain: Element, plan: DomainPlan, confidential: bool) -> None:
    devices = SubElement(domain, "devices")

    def through_iommu(device: Element) -> None:
        # Devices of an encrypted guest reach only what it shares, by way of DMA addresses.
        if confidential:
            driver = device.find("driver")
            (SubElement(device, "driver") if driver is None else driver).set("iommu", "on")

    if plan.disk:
        disk = SubElement(devices, "disk", type="file", device="disk")
        SubElement(disk, "driver", name="qemu", type="qcow2", discard="unmap")
        through_iommu(disk)
        source = SubElement(disk, "source", file=plan.disk)
        if plan.disk_key is not None:
            add_encryption(source, plan.instance_id)
        SubElement(disk, "target", dev="vda", bus="virtio")
    if plan.seed:
        # cloud-init knows it by its label. Not a CD-ROM drive: kernels made for clouds have no driver for SATA.
        seed = SubElement(devices, "disk", type="file", device="disk")
        SubElement(seed, "driver", name="qemu", type="raw")
        through_iommu(seed)
        SubElement(seed, "source", file=plan.seed)
        SubElement(seed, "target", dev="vdb", bus="virtio")
        SubElement(seed, "readonly")
    SubElement(devices, "controller", type="usb", model="none")
    interface = SubElement(devices, "interface", type="network" if plan.network else "user")
    if plan.network:
        SubElement(interface, "source", network=plan.network)
    SubElement(interface, "model", type="virtio")
    through_iommu(interface)
    if confidential:
        # Its option ROM would be code that nobody measured.
        SubElement(interface, "rom", enabled="no")
    serial = SubElement(devices, "serial", type="pty")
    SubElement(serial, "target", type="isa-serial", port="0")
    console = SubElement(devices, "console", type="pty")
    SubElement(console, "target", type="serial", port="0")
    channel = SubElement(devices, "channel", type="unix")
    SubElement(channel, "target", type="virtio", name=AGENT_CHANNEL)
    if confidential:
        through_iommu(SubElement(devices, "controller", type="virtio-serial"))
    if plan.vtpm:
        tpm = SubElement(devices, "tpm", model=plan.vtpm)
        SubElement(tpm, "backend", type="emulator", version="2.0")
    rng = SubElement(devices, "rng", model="virtio")
    _text(rng, "backend", "/dev/urandom", model="random")
    through_iommu(rng)
    if confidential:
        SubElement(devices, "memballoon", model="none")
    else:
        balloon = SubElement(devices, "memballoon", model="virtio")
        SubElement(balloon, "stats", period="5")
