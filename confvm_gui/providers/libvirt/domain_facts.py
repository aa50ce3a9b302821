"""What a list shows of a domain, from its XML."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final
from xml.etree.ElementTree import Element

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.providers.libvirt.bounded_xml import parse
from confvm_gui.providers.libvirt.inventory import DomainDetails

NAMESPACE: Final = "https://confvm.example/xmlns/libvirt/1"
AGENT_CHANNEL: Final = "org.qemu.guest_agent.0"
_MAX_LABELS: Final = 64
_KIB: Final = {"b": 1, "bytes": 1, "KB": 1000, "k": 1 << 10, "KiB": 1 << 10, "MB": 10**6, "M": 1 << 20, "MiB": 1 << 20}
_UNITS: Final = {**_KIB, "GB": 10**9, "G": 1 << 30, "GiB": 1 << 30, "TB": 10**12, "T": 1 << 40, "TiB": 1 << 40}
_SEV_ES: Final = 0x4
"""Policy bit (AMD SEV API, GUEST_POLICY.ES)."""


def details_of(xml: str) -> DomainDetails:
    """Whatever cannot be read of the definition is left at its default."""
    try:
        root = parse(xml)
    except InvalidInput:
        return DomainDetails()
    own = root.find(f"metadata/{{{NAMESPACE}}}instance")
    values: dict[str, str] = {}
    labels: dict[str, str] = {}
    if own is not None:
        values.update(own.attrib)
        for child in own.iter():
            local = child.tag.rpartition("}")[2]
            if local == "label" and len(labels) < _MAX_LABELS:
                labels[child.get("key", child.get("name", ""))] = child.get("value", child.text or "")
            elif child is not own and len(child) == 0:
                values[local.replace("-", "_")] = (child.text or "").strip()
    loader = root.find("os/loader")
    secure = loader is not None and loader.get("secure") == "yes"
    for feature in root.iterfind("os/firmware/feature"):
        secure = secure or (feature.get("name") == "secure-boot" and feature.get("enabled") == "yes")
    return DomainDetails(
        technology=technology_of(root),
        machine_type=values.get("machine_type", values.get("machine", "")),
        image=values.get("image", ""),
        vcpus=_number(root.findtext("vcpu")),
        memory_mib=_memory(root) >> 20,
        created_at=_moment(values.get("created_at", values.get("created", ""))),
        operation_id=values.get("operation_id", values.get("operation", "")),
        secure_boot=secure,
        vtpm=root.find("devices/tpm") is not None,
        integrity_monitoring=values.get("integrity_monitoring") == "yes",
        agent=root.find(f"devices/channel/target[@name='{AGENT_CHANNEL}'][@state='connected']") is not None,
        console=root.find("devices/console") is not None,
        labels=MappingProxyType(labels),
        xml=xml,
    )


def technology_of(root: Element) -> Technology:
    """From `<launchSecurity>` (libvirt: Launch Security)."""
    security = root.find("launchSecurity")
    kind = security.get("type", "") if security is not None else ""
    if kind == "sev-snp":
        return Technology.SEV_SNP
    if kind == "tdx":
        return Technology.TDX
    if kind == "sev" and security is not None:
        return Technology.SEV_ES if _number(security.findtext("policy")) & _SEV_ES else Technology.SEV
    return Technology.NONE


def _memory(root: Element) -> int:
    memory = root.find("memory")
    if memory is None:
        return 0
    return _number(memory.text) * _UNITS.get(memory.get("unit", "KiB"), 1 << 10)


def _number(text: str | None) -> int:
    try:
        return int((text or "0").strip()[:32], 0)
    except ValueError:
        return 0


def _moment(text: str) -> float:
    try:
        moment = float(text[:32] or 0)
    except ValueError:
        return 0.0
    return moment if 0.0 <= moment < 1e11 else 0.0
