"""Evidence of embedded instances, with what their owner expects of it.

Bytes come from the emulated host and its firmware; what they are compared with comes from here: the digest that the
console computed itself, the policy that it asked for, the nonce that it sent, and the emulated roots of this data
directory, which every verdict marks as emulated.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from confvm_gui.domain.attestation import (
    ClaimValue,
    Endorsements,
    Evidence,
    EvidenceFormat,
    ReferenceValues,
    TrustedRoot,
)
from confvm_gui.domain.errors import GuestFault, Unsupported
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.engine.guests.sealing import report_data
from confvm_gui.sev.amd_certificate import AmdCertificate
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.sev_certificate import SEV_CERTIFICATE_SIZE

if TYPE_CHECKING:
    from confvm_gui.engine.guests.attestation_page import AttestationAnswer
    from confvm_gui.engine.machine import Machine, MachineGuest
    from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
    from confvm_gui.engine.vtpm.authority import VtpmAuthority
    from confvm_gui.providers.embedded.launch import PoweredOn
    from confvm_gui.providers.embedded.owner import ExpectedLaunch
    from confvm_gui.sev.guest_owner import GuestOwner

MNONCE_SIZE: Final = 16
"""Bytes of the nonce that ATTESTATION takes."""
ROOT_NAME: Final = "emulated ARK of this data directory"


class EvidenceDesk:
    """Gathers evidence. One for all emulated hosts of a data directory, which have one root."""

    def __init__(self, root: EmulatedRoot, tpm_authority: VtpmAuthority) -> None:
        """`tpm_authority`: certifies the attestation keys of the vTPMs."""
        self._root = root
        self.tpm_authority = tpm_authority
        self._trusted: tuple[TrustedRoot, ...] = ()

    def cpu_signature(self, machine: Machine) -> int:
        """CPUID Fn0000_0001_EAX of the part that the host has, which the owner knows from its order."""
        return machine.model.snp.cpu.signature if machine.model.snp is not None else 0

    async def launch_evidence(
        self, machine: Machine, guest: MachineGuest, owner: GuestOwner, expected: ExpectedLaunch
    ) -> GuestEvidence:
        """LAUNCH_MEASURE's result, in libvirt's names."""
        version = machine.model.version
        value = {
            "sev-measurement": base64.b64encode(guest.measurement).decode(),
            "sev-api-major": version.api_major,
            "sev-api-minor": version.api_minor,
            "sev-build-id": version.build,
            "sev-policy": expected.policy,
        }
        return GuestEvidence(
            Evidence(json.dumps(value).encode(), EvidenceFormat.SEV_LAUNCH),
            await self._sev_endorsements(machine),
            replace(await self._reference(expected), launch_key=owner.launch_key),
            expected.candidates,
            host_title(machine),
        )

    async def snp_evidence(
        self, machine: Machine, answer: AttestationAnswer, nonce: bytes, expected: ExpectedLaunch
    ) -> GuestEvidence:
        """A report that the guest fetched, bound to its public key and to `nonce`."""
        return GuestEvidence(
            Evidence(answer.report, EvidenceFormat.SNP_REPORT),
            await self._snp_endorsements(machine),
            replace(await self._reference(expected), report_data=report_data(answer.public_key, nonce)),
            expected.candidates,
            host_title(machine),
        )

    async def evidence(self, powered: PoweredOn, form: EvidenceFormat, nonce: bytes) -> GuestEvidence:
        """Fresh evidence of a guest that runs. Raises Unsupported, GuestFault, FirmwareError."""
        machine, guest, expected = powered.placement.machine, powered.guest, powered.expected
        if form not in self.formats(powered):
            raise Unsupported(f"This instance gives no evidence of the format {form.value}")
        if form is EvidenceFormat.TPM_QUOTE:
            return await self._tpm_evidence(powered, nonce)
        if expected is None:
            raise Unsupported("A plain instance has no evidence of its memory")
        if powered.channel is not None:
            answer = await powered.channel.ask(nonce)
            if answer.public_key != powered.channel.public_key:
                raise GuestFault("The guest's report names another public key than the one its keys were sealed to")
            return await self.snp_evidence(machine, answer, nonce, expected)
        report = await machine.attestation(guest, nonce[:MNONCE_SIZE])
        return GuestEvidence(
            Evidence(report, EvidenceFormat.SEV_REPORT),
            await self._sev_endorsements(machine),
            replace(await self._reference(expected), report_data=nonce[:MNONCE_SIZE]),
            expected.candidates,
            host_title(machine),
        )

    def formats(self, powered: PoweredOn) -> Sequence[EvidenceFormat]:
        """The strongest first."""
        found: list[EvidenceFormat] = []
        if powered.expected is not None:
            if powered.expected.mode is LaunchMode.SEV_SNP:
                found.append(EvidenceFormat.SNP_REPORT)
            elif powered.guest.measurement:
                # A guest that came from another host was not launched on this one, which cannot attest to its launch.
                found.append(EvidenceFormat.SEV_REPORT)
        if powered.tpm is not None:
            found.append(EvidenceFormat.TPM_QUOTE)
        return found

    async def _tpm_evidence(self, powered: PoweredOn, nonce: bytes) -> GuestEvidence:
        tpm = powered.tpm
        if tpm is None:
            raise Unsupported("This instance has no vTPM")
        evidence = await asyncio.to_thread(tpm.evidence, nonce)
        return GuestEvidence(
            evidence,
            Endorsements(),  # the certificates come with the quote
            ReferenceValues(
                report_data=nonce,
                expected=MappingProxyType({"ak.fingerprint": (tpm.ak_fingerprint,)}),  # no other instance's vTPM
                trusted_roots=(self.tpm_authority.trusted_root,),
            ),
            chip=host_title(powered.placement.machine),
        )

    async def _reference(self, expected: ExpectedLaunch) -> ReferenceValues:
        """What every report of this launch is held against."""
        return ReferenceValues(
            measurements=(expected.digest,), expected=_expected(expected), trusted_roots=await self._roots()
        )

    async def _sev_endorsements(self, machine: Machine) -> Endorsements:
        platform = await asyncio.to_thread(machine.platform_certificates)
        own = tuple(platform[at : at + SEV_CERTIFICATE_SIZE] for at in range(0, len(platform), SEV_CERTIFICATE_SIZE))
        amd = await machine.amd_certificates()
        _, end = AmdCertificate.parse_prefix(amd)
        return Endorsements(amd_certificates=(*own, amd[:end], amd[end:]))

    async def _snp_endorsements(self, machine: Machine) -> Endorsements:
        certificates = await machine.snp_certificates()
        crl = await asyncio.to_thread(self._root.crl, machine.model.snp.line) if machine.model.snp else b""
        return Endorsements(certificates=certificates, crls=(crl,) if crl else ())

    async def _roots(self) -> tuple[TrustedRoot, ...]:
        if not self._trusted:
            key = (await asyncio.to_thread(lambda: self._root.ark)).public_key()
            encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            self._trusted = (TrustedRoot(ROOT_NAME, hashlib.sha256(encoded).hexdigest(), emulated=True),)
        return self._trusted


def host_title(machine: Machine) -> str:
    """For people: `host 1 (emulated Genoa)`."""
    return f"{machine.name.replace('-', ' ')} (emulated {machine.model.name})"


def _expected(expected: ExpectedLaunch) -> Mapping[str, tuple[ClaimValue, ...]]:
    return MappingProxyType({"policy": (f"{expected.policy:#x}",)})
