"""Power-on of a SEV or SEV-ES guest on a libvirt host, seen by its owner, who trusts neither host nor hypervisor.

1. A session for this one launch, made with the host's PDH, goes into the definition (`dhCert`, `session`).
2. The guest is started paused: the firmware has measured it and nothing of it has run.
3. The measurement (virDomainGetLaunchSecurityInfo) is verified by the console against the digest that is computed
   here from trusted firmware, kernel, initrd and command line, with the platform's certificates beside it.
4. Only then the secret is sealed for this launch and injected (virDomainSetLaunchSecurityState), and the vCPUs run.

If any of it fails the guest is switched off, and no secret was released.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import tostring

from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat, ReferenceValues
from confvm_gui.domain.errors import GuestFault, InvalidInput, MeasurementMismatch, Unsupported
from confvm_gui.domain.guest_evidence import DigestCandidate, GuestEvidence
from confvm_gui.providers.libvirt.bounded_xml import parse
from confvm_gui.providers.libvirt.domain_read import read_domain
from confvm_gui.providers.libvirt.firmware import FirmwareShelf
from confvm_gui.providers.libvirt.launch_security import replace_session
from confvm_gui.providers.libvirt.to_the_end import to_the_end
from confvm_gui.sev.expected_digest import LaunchInputs, LaunchMode, expected_launch_digest
from confvm_gui.sev.guest_owner import GuestOwner
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.sev_certificate import SEV_CERTIFICATE_SIZE

if TYPE_CHECKING:
    import libvirt

    from confvm_gui.domain.ports.provider import OperationContext
    from confvm_gui.providers.libvirt.capabilities import Connection, HostCapabilities, SevPlatform
    from confvm_gui.sev.kernel_hashes import KernelHashes

Secret = Callable[[], Awaitable[bytes]]
"""Makes the launch secret (a secret table); called after the launch was approved, and not before."""

BeforeRun = Callable[[], Awaitable[None]]
"""Awaited when the machine is there and its vCPUs are still held."""

_INFO_TEXT: Final = "sev-measurement"
_INFO_NUMBERS: Final = ("sev-api-major", "sev-api-minor", "sev-build-id", "sev-policy")


async def run_at_once() -> None:
    """BeforeRun of whoever has nothing to do then."""


@dataclass(frozen=True, slots=True)
class OwnersWish:
    """What the owner means to launch. It comes from what the console keeps, and nothing of it from the host."""

    policy: int
    vcpus: int
    cpu_signature: int
    """Counts under SEV-ES."""
    kernel: KernelHashes | None
    """Of what is booted directly."""
    attest: bool = True
    """Verify before the secret is released; otherwise it is released unseen."""

    @property
    def mode(self) -> LaunchMode:
        return LaunchMode.SEV_ES if GuestPolicy.from_int(self.policy).es else LaunchMode.SEV


async def power_on_sev(
    connection: Connection,
    instance_id: str,
    operation: OperationContext,
    host: HostCapabilities,
    wish: OwnersWish,
    *,
    shelf: FirmwareShelf | None = None,
    secret: Secret | None = None,
    before_run: BeforeRun = run_at_once,
) -> None:
    """Launch a defined SEV domain that is off. It is off again when this raises.

    Raises EvidenceRefused from the console's verdict, MeasurementMismatch, NotFound without a trusted copy of the
    firmware, Unsupported, InvalidInput, Transient, CapacityExceeded.
    """
    platform = host.sev
    if platform is None or len(platform.pdh) != SEV_CERTIFICATE_SIZE:
        raise Unsupported("The host gives no PDH certificate, so no session can be made for its secure processor")
    operation.step("session", 0.82, f"policy {GuestPolicy.from_int(wish.policy)}, for the platform's PDH")
    owner = await asyncio.to_thread(GuestOwner.for_platform, platform.pdh, wish.policy)
    try:
        await connection.call(partial(_define, instance_id=instance_id, dh_cert=owner.dh_cert, session=owner.session))
        started = False
        try:
            operation.step("launch paused", 0.85, "LAUNCH_START, LAUNCH_UPDATE_DATA, LAUNCH_MEASURE")
            started = True
            loader, info = await connection.call(partial(_start_paused, instance_id=instance_id))
            packet = await _approved(operation, host, platform, wish, owner, loader, info, shelf, secret)
            await before_run()
            await connection.call(partial(_go, instance_id=instance_id, packet=packet))
        except BaseException:  # whatever ends the launch, no guest waits paused for its secret
            if started:
                await to_the_end(connection.call(partial(_off, instance_id=instance_id)))
            raise
    finally:
        owner.forget()


async def _approved(
    operation: OperationContext,
    host: HostCapabilities,
    platform: SevPlatform,
    wish: OwnersWish,
    owner: GuestOwner,
    loader: str,
    info: Mapping[str, str | int],
    shelf: FirmwareShelf | None,
    secret: Secret | None,
) -> tuple[bytes, bytes] | None:
    """Step 3, and of step 4 the sealed secret: its header and payload."""
    blob = _measurement(info)
    version = {
        "api_major": int(info["sev-api-major"]),
        "api_minor": int(info["sev-api-minor"]),
        "build": int(info["sev-build-id"]),
    }
    if wish.attest:
        digests, candidates = await asyncio.to_thread(_expected, loader, wish, shelf or FirmwareShelf())
        operation.step("verify launch", 0.9, f"{loader}, {len(digests)} accepted digest(s)")
        await operation.approve(launch_evidence(info, platform, wish, owner, digests, candidates, host.hostname))
        _check(owner, blob, version, digests)
    else:
        operation.step("launch not verified", 0.9, "asked for without attestation: a secret is released unseen")
        owner.accept_unseen(blob, **version)
    if secret is None:
        return None
    operation.step("LAUNCH_SECRET", 0.95)
    return owner.secret_packet(await secret(), blob)


def launch_evidence(
    info: Mapping[str, str | int],
    platform: SevPlatform,
    wish: OwnersWish,
    owner: GuestOwner,
    digests: tuple[bytes, ...],
    candidates: tuple[DigestCandidate, ...],
    hostname: str,
) -> GuestEvidence:
    """The launch as the console's verifier takes it."""
    chain = platform.certificates
    certificates = tuple(chain[at : at + SEV_CERTIFICATE_SIZE] for at in range(0, len(chain), SEV_CERTIFICATE_SIZE))
    return GuestEvidence(
        Evidence(json.dumps(dict(info)).encode(), EvidenceFormat.SEV_LAUNCH),
        Endorsements(amd_certificates=(platform.pdh, *certificates)),
        ReferenceValues(
            measurements=digests,
            expected=MappingProxyType({"policy": (f"{wish.policy:#x}",)}),
            launch_key=owner.launch_key,
        ),
        candidates,
        hostname,
    )


def _expected(
    loader: str, wish: OwnersWish, shelf: FirmwareShelf
) -> tuple[tuple[bytes, ...], tuple[DigestCandidate, ...]]:
    """Accepted digests, and those of launches that are mistaken for it. Raises NotFound, InvalidInput."""
    accepted: list[bytes] = []
    others: list[DigestCandidate] = []
    for image in shelf.images(loader):
        inputs = LaunchInputs(wish.mode, image, vcpus=wish.vcpus, cpu_signature=wish.cpu_signature, kernel=wish.kernel)
        accepted.append(expected_launch_digest(inputs))
        if wish.mode is LaunchMode.SEV_ES:  # KVM before Linux 6.10 has the FPU state otherwise
            accepted.append(expected_launch_digest(inputs._replace(fpu_reset=False)))
            for count in (1, 2, 4, 8):
                if count != wish.vcpus:
                    digest = expected_launch_digest(inputs._replace(vcpus=count))
                    others.append(DigestCandidate(digest, f"the number of vCPUs: {count} instead of {wish.vcpus}"))
        if wish.kernel is not None:
            digest = expected_launch_digest(inputs._replace(kernel=None))
            others.append(DigestCandidate(digest, "kernel, initrd and command line were not measured"))
    return tuple(dict.fromkeys(accepted)), tuple(others)


def _check(owner: GuestOwner, blob: bytes, version: Mapping[str, int], digests: tuple[bytes, ...]) -> None:
    """Bind the owner's secret to this measurement. Raises MeasurementMismatch if no digest gives it."""
    failure = MeasurementMismatch("No digest of the launch is known; no secret was released")
    for digest in digests:
        try:
            owner.check_measurement(blob, launch_digest=digest, **version)
        except MeasurementMismatch as error:
            failure = error
        else:
            return
    raise failure


def _measurement(info: Mapping[str, str | int]) -> bytes:
    text = info.get(_INFO_TEXT)
    if not isinstance(text, str) or not all(isinstance(info.get(name), int) for name in _INFO_NUMBERS):
        raise GuestFault("The host gives no launch measurement; its libvirt or QEMU may be too old (libvirt 8.0, 6.2)")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("measurement", "The host's launch measurement is not base64") from None


# In a thread ------------------------------------------------------------------------------------------------------


def _lookup(conn: libvirt.virConnect, instance_id: str) -> libvirt.virDomain:
    return conn.lookupByUUIDString(str(uuid.UUID(instance_id)))


def _define(conn: libvirt.virConnect, instance_id: str, dh_cert: bytes, session: bytes) -> None:
    import libvirt

    flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
    root = parse(_lookup(conn, instance_id).XMLDesc(flags))
    replace_session(root, dh_cert, session)
    conn.defineXMLFlags(tostring(root, encoding="unicode"), 0)


def _start_paused(conn: libvirt.virConnect, instance_id: str) -> tuple[str, dict[str, str | int]]:
    """The firmware that was loaded, as the host names it, and the launch security information."""
    import libvirt

    domain = _lookup(conn, instance_id)
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    facts = read_domain(domain.XMLDesc(0))
    info = domain.launchSecurityInfo(0)
    wanted = (_INFO_TEXT, *_INFO_NUMBERS)
    return facts.loader, {name: info[name] for name in wanted if isinstance(info.get(name), str | int)}


def _go(conn: libvirt.virConnect, instance_id: str, packet: tuple[bytes, bytes] | None) -> None:
    import libvirt

    domain = _lookup(conn, instance_id)
    if packet is not None:
        header, payload = packet
        domain.setLaunchSecurityState(
            {
                libvirt.VIR_DOMAIN_LAUNCH_SECURITY_SEV_SECRET_HEADER: base64.b64encode(header).decode(),
                libvirt.VIR_DOMAIN_LAUNCH_SECURITY_SEV_SECRET: base64.b64encode(payload).decode(),
            },
            0,
        )
    domain.resume()


def _off(conn: libvirt.virConnect, instance_id: str) -> None:
    domain = _lookup(conn, instance_id)
    if domain.isActive():
        domain.destroy()
