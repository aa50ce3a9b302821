"""`<launchSecurity>` (libvirt: Launch Security): how a confidential guest is to be launched.

Binary values are base64 of the lengths that the firmware takes: SEV 55766, LAUNCH_START; SEV-SNP 56860,
SNP_LAUNCH_START and SNP_LAUNCH_FINISH. TDX: Intel TDX module, TD_PARAMS.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.session import SESSION_SIZE
from confvm_gui.sev.sev_certificate import SEV_CERTIFICATE_SIZE
from confvm_gui.sev.snp_policy import SnpPolicy

DEFAULT_SNP_POLICY: Final = SnpPolicy.with_flags("SMT").value
"""No debugging, no migration agent, SMT allowed: 0x30000."""
DEFAULT_TDX_POLICY: Final = 0x10000000
"""TD attributes: SEPT_VE_DISABLE, without debugging."""


@dataclass(frozen=True, slots=True)
class SevSecurity:
    """SEV and SEV-ES. Certificate and session are of one launch: each power-on has its own."""

    policy: int
    cbitpos: int
    reduced_phys_bits: int
    dh_cert: bytes = b""
    session: bytes = b""
    kernel_hashes: bool = False


@dataclass(frozen=True, slots=True)
class SnpSecurity:
    policy: int = DEFAULT_SNP_POLICY
    kernel_hashes: bool = False
    author_key: bool = False
    vcek: bool = True
    guest_visible_workarounds: bytes = b""
    """16 bytes, or none."""
    id_block: bytes = b""
    """96 bytes, or none; with `id_auth`."""
    id_auth: bytes = b""
    """4096 bytes, or none."""
    host_data: bytes = b""
    """32 bytes, or none."""


@dataclass(frozen=True, slots=True)
class TdxSecurity:
    policy: int = DEFAULT_TDX_POLICY
    mr_config_id: bytes = b""
    """48 bytes, or none, like the other two."""
    mr_owner: bytes = b""
    mr_owner_config: bytes = b""


LaunchSecurity = SevSecurity | SnpSecurity | TdxSecurity


def add_launch_security(domain: Element, security: LaunchSecurity) -> None:
    """Append the element. Raises InvalidInput with the field for a value that the firmware would refuse."""
    if isinstance(security, SevSecurity):
        _sev(domain, security)
    elif isinstance(security, SnpSecurity):
        _snp(domain, security)
    else:
        _tdx(domain, security)


def replace_session(domain: Element, dh_cert: bytes, session: bytes) -> None:
    """Give a SEV domain the owner's blobs for its next launch. InvalidInput("launch_security") if it is not SEV."""
    element = domain.find("launchSecurity")
    if element is None or element.get("type") != "sev":
        raise InvalidInput("launch_security", "The instance is not defined as a SEV guest")
    for tag, value in (("dhCert", dh_cert), ("session", session)):
        found = element.find(tag)
        if found is None:
            found = SubElement(element, tag)
        found.text = base64.b64encode(value).decode()


def _sev(domain: Element, security: SevSecurity) -> None:
    policy = GuestPolicy.from_int(security.policy).to_int()
    if not 0 <= security.cbitpos < 64 or not 0 <= security.reduced_phys_bits < 64:
        raise InvalidInput("launch_security", "C-bit position and reduced physical bits are 0 to 63")
    element = SubElement(domain, "launchSecurity", type="sev")
    if security.kernel_hashes:
        element.set("kernelHashes", "yes")
    _add(element, "cbitpos", str(security.cbitpos))
    _add(element, "reducedPhysBits", str(security.reduced_phys_bits))
    _add(element, "policy", f"0x{policy:04x}")
    _add_bytes(element, "dhCert", security.dh_cert, SEV_CERTIFICATE_SIZE)
    _add_bytes(element, "session", security.session, SESSION_SIZE)


def _snp(domain: Element, security: SnpSecurity) -> None:
    policy = SnpPolicy.from_int(security.policy)
    if bool(security.id_block) is not bool(security.id_auth):
        raise InvalidInput("id_block", "An ID block and its authentication are given together")
    element = SubElement(domain, "launchSecurity", type="sev-snp")
    if security.kernel_hashes:
        element.set("kernelHashes", "yes")
    if security.author_key:
        element.set("authorKey", "yes")
    if not security.vcek:
        element.set("vcek", "no")
    _add(element, "policy", f"0x{policy.value:016x}")
    _add_bytes(element, "guestVisibleWorkarounds", security.guest_visible_workarounds, 16)
    _add_bytes(element, "idBlock", security.id_block, 96)
    _add_bytes(element, "idAuth", security.id_auth, 4096)
    _add_bytes(element, "hostData", security.host_data, 32)


def _tdx(domain: Element, security: TdxSecurity) -> None:
    if not 0 <= security.policy < 1 << 64:
        raise InvalidInput("policy", "TD attributes have 64 bits")
    element = SubElement(domain, "launchSecurity", type="tdx")
    _add(element, "policy", f"0x{security.policy:x}")
    _add_bytes(element, "mrConfigId", security.mr_config_id, 48)
    _add_bytes(element, "mrOwner", security.mr_owner, 48)
    _add_bytes(element, "mrOwnerConfig", security.mr_owner_config, 48)


def _add(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text


def _add_bytes(parent: Element, tag: str, value: bytes, length: int) -> None:
    if not value:
        return
    if len(value) != length:
        raise InvalidInput("launch_security", f"{tag} has {length} bytes, not {len(value)}")
    _add(parent, tag, base64.b64encode(value).decode())
