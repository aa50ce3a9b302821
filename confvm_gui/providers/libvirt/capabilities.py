"""What a libvirt host offers: from its capabilities, its domain capabilities and its SEV platform.

Read in a few calls when the host is connected, kept, and read again when it is asked anew.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, Unsupported
from confvm_gui.providers.libvirt.bounded_xml import number, parse
from confvm_gui.sev.cpu_identity import CpuIdentity

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

    import libvirt

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

ARCH: Final = "x86_64"
MACHINE: Final = "q35"
_FRESH_SECONDS: Final = 300.0
_AMD_CHECKS: Final = (
    "check that the processor is an AMD EPYC, that memory encryption is on in the firmware setup, and that "
    "`cat /sys/module/kvm_amd/parameters/{parameter}` says Y"
)
_TDX_CHECKS: Final = (
    "check that the processor is an Intel Xeon with TDX, that TDX is on in the firmware setup, and that "
    "`cat /sys/module/kvm_intel/parameters/tdx` says Y"
)


class Connection(Protocol):
    """What is used of `connection.LibvirtConnection`."""

    @property
    def host(self) -> str: ...

    async def open(self, *, at_once: bool = False) -> None: ...

    async def call(self, work: Callable[[libvirt.virConnect], T], *, seconds: float | None = None) -> T: ...


@dataclass(frozen=True, slots=True)
class SevPlatform:
    """virNodeGetSEVInfo."""

    cbitpos: int
    reduced_phys_bits: int
    pdh: bytes
    """2084 bytes."""
    certificates: bytes
    """PEK, OCA, CEK, one after the other."""
    max_guests: int = 0
    """ASIDs for SEV guests; 0 where libvirt does not tell."""
    max_es_guests: int = 0
    """ASIDs for SEV-ES and SEV-SNP guests."""
    cpu0_id: bytes = b""


@dataclass(frozen=True, slots=True)
class AsidsLeft:
    """How many more confidential guests fit; None where the host does not tell."""

    sev: int | None
    es: int | None


@dataclass(frozen=True, slots=True)
class HostCapabilities:
    """One host at one moment."""

    hostname: str
    cpus: int
    memory_mib: int
    cpu_model: str
    cpu_signature: int
    """CPUID Fn0000_0001_EAX, 0 if it does not tell."""
    libvirt_version: int
    """1000000 * major + 1000 * minor + release."""
    qemu_version: int
    kvm: bool
    machine: str
    """What q35 stands for on it."""
    max_vcpus: int
    uefi: bool
    secure_boot: bool
    firmware: tuple[str, ...]
    """Firmware images that it names."""
    tpm_models: frozenset[str]
    """Of a TPM 2.0 that swtpm emulates; empty where the host has no swtpm."""
    cpu_modes: frozenset[str]
    networks: frozenset[str]
    """Networks that are up."""
    reasons: Mapping[Technology, str] = field(default_factory=lambda: MappingProxyType({}))
    """Why a technology is missing; one that it offers is not in it."""
    sev: SevPlatform | None = None
    session: bool = False
    """Whether the daemon is a user's own, without root."""

    @property
    def technologies(self) -> frozenset[Technology]:
        offered = (Technology.SEV, Technology.SEV_ES, Technology.SEV_SNP, Technology.TDX)
        return frozenset(technology for technology in offered if technology not in self.reasons)

    def reason(self, technology: Technology) -> str:
        """Why it does not offer `technology`, or ""."""
        if technology is Technology.NONE or technology in self.technologies:
            return ""
        return self.reasons.get(technology, "QEMU has no such technology")

    @property
    def domain_type(self) -> str:
        return "kvm" if self.kvm else "qemu"

    def require(self, technology: Technology) -> None:
        """Raise Unsupported with the reason unless it offers `technology`."""
        reason = self.reason(technology)
        if reason:
            raise Unsupported(reason)

    def asids_left(self, running: Iterable[Technology]) -> AsidsLeft:
        """`running`: the technology of each domain that runs."""
        guests = list(running)
        platform = self.sev
        if platform is None:
            return AsidsLeft(None, None)
        es = sum(1 for guest in guests if guest in (Technology.SEV_ES, Technology.SEV_SNP))
        sev = sum(1 for guest in guests if guest is Technology.SEV)
        return AsidsLeft(
            max(platform.max_guests - sev, 0) if platform.max_guests else None,
            max(platform.max_es_guests - es, 0) if platform.max_es_guests else None,
        )


class Capabilities:
    """A host's capabilities, kept for a while."""

    def __init__(self, connection: Connection, *, allow_kvm: bool = True) -> None:
        """`allow_kvm`: False for a host whose KVM is there and does not work; guests then run in QEMU's emulation."""
        self._connection = connection
        self._allow_kvm = allow_kvm
        self._known: HostCapabilities | None = None
        self._at = 0.0

    async def current(self) -> HostCapabilities:
        """As known, if that is not old. Raises what `refresh` raises."""
        if self._known is None or time.monotonic() - self._at > _FRESH_SECONDS:
            return await self.refresh()
        return self._known

    async def refresh(self) -> HostCapabilities:
        """Ask the host. Raises Transient, and Unsupported for a host that runs no x86-64 machines."""
        allow_kvm = self._allow_kvm
        self._known = await self._connection.call(lambda conn: read_capabilities(conn, allow_kvm=allow_kvm))
        self._at = time.monotonic()
        return self._known


def read_capabilities(conn: libvirt.virConnect, *, allow_kvm: bool = True) -> HostCapabilities:
    """In a thread. Raises libvirtError, InvalidInput for answers that are none."""
    whole = parse(conn.getCapabilities(), "capabilities")
    types = {
        domain.get("type", "")
        for guest in whole.iterfind("guest")
        for arch in guest.iterfind("arch")
        if arch.get("name") == ARCH
        for domain in arch.iterfind("domain")
    }
    kvm = allow_kvm and "kvm" in types
    if not types & {"kvm", "qemu"}:
        if conn.getType().lower() == "test":
            return _without_qemu(conn, whole)
        raise Unsupported(f"The host has no QEMU for {ARCH} machines; install qemu-system-x86 on it")
    domain_type = "kvm" if kvm else "qemu"
    offered = parse(conn.getDomainCapabilities(None, ARCH, MACHINE, domain_type, 0), "capabilities")
    info = conn.getInfo()
    sev, sev_problem = _sev(conn)
    loaders = tuple((value.text or "").strip() for value in offered.iterfind("os/loader/value"))
    return HostCapabilities(
        hostname=conn.getHostname(),
        cpus=int(info[2]),
        memory_mib=int(info[1]),
        cpu_model=whole.findtext("host/cpu/model") or str(info[0]),
        cpu_signature=_signature(whole),
        libvirt_version=conn.getLibVersion(),
        qemu_version=conn.getVersion(),
        kvm=kvm,
        machine=offered.findtext("machine") or MACHINE,
        max_vcpus=_maximum(offered.find("vcpu")),
        uefi="efi" in _values(offered, "os/enum[@name='firmware']"),
        secure_boot="yes" in _values(offered, "os/loader/enum[@name='secure']"),
        firmware=tuple(path for path in loaders if path),
        tpm_models=_tpm_models(offered),
        cpu_modes=frozenset(
            mode.get("name", "") for mode in offered.iterfind("cpu/mode") if mode.get("supported") == "yes"
        ),
        networks=_networks(conn),
        reasons=MappingProxyType(_missing(offered, sev, sev_problem, kvm=kvm)),
        sev=sev,
        session=conn.getURI().partition("?")[0].endswith("/session"),
    )


def _without_qemu(conn: libvirt.virConnect, whole: Element) -> HostCapabilities:
    """libvirt's test driver: domains without machines."""
    info = conn.getInfo()
    reason = "libvirt's test driver has no machines, and so no memory that could be encrypted"
    return HostCapabilities(
        hostname=conn.getHostname(),
        cpus=int(info[2]),
        memory_mib=int(info[1]),
        cpu_model=whole.findtext("host/cpu/model") or str(info[0]),
        cpu_signature=0,
        libvirt_version=conn.getLibVersion(),
        qemu_version=0,
        kvm=False,
        machine="",
        max_vcpus=0,
        uefi=False,
        secure_boot=False,
        firmware=(),
        tpm_models=frozenset(),
        cpu_modes=frozenset(),
        networks=frozenset(),
        reasons=MappingProxyType(
            dict.fromkeys((Technology.SEV, Technology.SEV_ES, Technology.SEV_SNP, Technology.TDX), reason)
        ),
    )


def _missing(offered: Element, sev: SevPlatform | None, problem: str, *, kvm: bool) -> dict[Technology, str]:
    reasons: dict[Technology, str] = {}
    features = offered.find("features")
    said = f" (libvirt: {problem})" if problem else ""
    if not kvm:
        reason = "This host runs machines without KVM, and memory encryption is part of KVM; check /dev/kvm on it"
        return dict.fromkeys((Technology.SEV, Technology.SEV_ES, Technology.SEV_SNP, Technology.TDX), reason)
    security = _values(offered, "features/launchSecurity/enum[@name='sectype']")
    element = features.find("sev") if features is not None else None
    if sev is None or element is None or element.get("supported") != "yes":
        check = _AMD_CHECKS.format(parameter="sev")
        reasons[Technology.SEV] = f"This host's processor or kernel offers no SEV: {check}{said}"
    # maxESGuests is an element of the domain capabilities as well, and 0 where the firmware reserves no ASIDs.
    if Technology.SEV in reasons or (
        sev is not None and not sev.max_es_guests and not number(element.findtext("maxESGuests") if element else None)
    ):
        check = _AMD_CHECKS.format(parameter="sev_es")
        reasons[Technology.SEV_ES] = (
            f"This host's processor, kernel or firmware setup offers no SEV-ES: {check}, and that the firmware setup "
            f"reserves ASIDs for SEV-ES{said}"
        )
    if "sev-snp" not in security:
        check = _AMD_CHECKS.format(parameter="sev_snp")
        reasons[Technology.SEV_SNP] = (
            f"This host's processor, kernel, QEMU or libvirt offers no SEV-SNP: {check}; QEMU 9.1 and libvirt 10.5 or "
            "later are needed"
        )
    if "tdx" not in security:
        reasons[Technology.TDX] = (
            f"This host's processor, kernel, QEMU or libvirt offers no TDX: {_TDX_CHECKS}; QEMU 10.1 and libvirt 11.6 "
            "or later are needed"
        )
    return reasons


def _sev(conn: libvirt.virConnect) -> tuple[SevPlatform | None, str]:
    """The platform, or None and what libvirt says."""
    import libvirt

    try:
        info = conn.getSEVInfo(0)
    except libvirt.libvirtError as error:
        return None, error.get_error_message() or str(error)
    try:
        return sev_platform(info), ""
    except InvalidInput as error:
        return None, str(error)


def sev_platform(info: Mapping[str, object]) -> SevPlatform:
    """What virNodeGetSEVInfo tells. Raises InvalidInput("sev")."""

    def count(name: str) -> int:
        value = info.get(name, 0)
        if not isinstance(value, int) or not 0 <= value < 1 << 32:
            raise InvalidInput("sev", f"The host's SEV information has no number for {name}")
        return value

    def binary(name: str) -> bytes:
        value = info.get(name, "")
        if not isinstance(value, str) or len(value) > 1 << 16:
            raise InvalidInput("sev", f"The host's SEV information has no text for {name}")
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidInput("sev", f"The host's {name} is not base64") from None

    return SevPlatform(
        cbitpos=count("cbitpos"),
        reduced_phys_bits=count("reduced-phys-bits"),
        pdh=binary("pdh"),
        certificates=binary("cert-chain"),
        max_guests=count("max-guests"),
        max_es_guests=count("max-es-guests"),
        cpu0_id=binary("cpu0-id"),
    )


def _networks(conn: libvirt.virConnect) -> frozenset[str]:
    import libvirt

    try:
        return frozenset(network.name() for network in conn.listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE))
    except libvirt.libvirtError:  # a host without the network driver has none
        return frozenset()


def _tpm_models(offered: Element) -> frozenset[str]:
    backends = _values(offered, "devices/tpm/enum[@name='backendModel']")
    versions = _values(offered, "devices/tpm/enum[@name='backendVersion']")  # libvirt tells since 8.6
    if "emulator" not in backends or (versions and "2.0" not in versions):
        return frozenset()
    return _values(offered, "devices/tpm/enum[@name='model']")


def _values(root: Element, path: str) -> frozenset[str]:
    return frozenset((value.text or "").strip() for found in root.iterfind(path) for value in found.iterfind("value"))


def _maximum(vcpu: Element | None) -> int:
    return number(vcpu.get("max") if vcpu is not None else None, 1)


def _signature(whole: Element) -> int:
    found = whole.find("host/cpu/signature")
    if found is None:
        return 0
    try:
        return CpuIdentity.checked(
            number(found.get("family")), number(found.get("model")), number(found.get("stepping"))
        ).signature
    except InvalidInput:
        return 0
