"""A fake provider whose instances can be vouched for: launch measurements, SNP reports, TPM quotes, two hosts.

Everything that it gives is really signed, so that the real verifier says what it says. `booted`, `digest` and the other
fields are what a host could change behind the owner's back.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from confvm_gui.attestation.tpm.keys import key_info
from confvm_gui.attestation.x509.certificates import key_fingerprint
from confvm_gui.domain.attestation import (
    Endorsements,
    Evidence,
    EvidenceFormat,
    EvidencePart,
    ReferenceValues,
    TrustedRoot,
)
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import FirmwareError, NotFound, WrongState
from confvm_gui.domain.guest_evidence import DigestCandidate, GuestEvidence
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest, Trust
from confvm_gui.domain.ports.provider import Capability, HostInfo, OperationContext
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.key_material import TransportKey
from confvm_gui.sev.measurement import FirmwareVersion, launch_digest, launch_measure
from tests.support.fake_provider import FakeProvider
from tests.unit.attestation.authority import p256_key
from tests.unit.attestation.test_snp_evidence import Hierarchy, report, signed
from tests.unit.attestation.test_tpm_quotes import SHA256, attest, digest_of, public_area, sign, values

DIGEST = launch_digest([b"records"])
OTHER_DIGEST = launch_digest([b"heartbeat"])
DIFFERS = "the guest image is heartbeat instead of records"
SNP_MEASUREMENT = bytes(range(48))
CHIP = "host 1 (emulated Milan)"
_TIK = bytes(range(16))
_VERSION = FirmwareVersion(1, 49, 6)
_POLICY = GuestPolicy.from_int(3)


@cache
def milan() -> Hierarchy:
    """One for a test run: its RSA keys take a while."""
    return Hierarchy()


class VouchingProvider(FakeProvider):
    """See the module. Implements HasEvidence and CanMigrate."""

    capabilities = FakeProvider.capabilities | Capability.ATTESTATION | Capability.MIGRATION
    technologies = frozenset({Technology.SEV, Technology.SEV_SNP})

    def __init__(self, instances: Sequence[Instance] = ()) -> None:
        super().__init__(instances)
        self.digest = DIGEST
        """Of what is really launched."""
        self.booted = values(range(8))
        """PCRs of every instance."""
        self.garbage = b""
        """Given instead of evidence, if set."""
        self.replayed: bytes | None = None
        """An old nonce, given instead of the one that was asked with."""
        self.emulated_roots = True
        self.approved: list[str] = []
        """Instances that got their keys."""
        self.nonces: list[bytes] = []

    def evidence_formats(self, instance_id: str) -> Sequence[EvidenceFormat]:
        instance = self._get(instance_id)
        if instance.state is not InstanceState.RUNNING:
            return ()
        confidential = (EvidenceFormat.SNP_REPORT,) if instance.confidential else ()
        return confidential + ((EvidenceFormat.TPM_QUOTE,) if instance.vtpm else ())

    async def evidence(self, instance_id: str, form: EvidenceFormat, nonce: bytes) -> GuestEvidence:
        if form not in self.evidence_formats(instance_id):
            raise WrongState("It cannot be asked for that now")
        self.nonces.append(nonce)
        answered = self.replayed or nonce
        found = self._quote(answered, nonce) if form is EvidenceFormat.TPM_QUOTE else self._report(answered, nonce)
        return replace(found, evidence=Evidence(self.garbage, form)) if self.garbage else found

    def launch_evidence(self) -> GuestEvidence:
        """What LAUNCH_MEASURE gives for what is really launched, in libvirt's names."""
        key = TransportKey(_TIK)
        measured = launch_measure(key, version=_VERSION, policy=_POLICY, digest=self.digest, mnonce=b"n" * 16)
        blob = {
            "sev-measurement": base64.b64encode(measured.to_bytes()).decode(),
            "sev-api-major": _VERSION.api_major,
            "sev-api-minor": _VERSION.api_minor,
            "sev-build-id": _VERSION.build,
            "sev-policy": _POLICY.to_int(),
        }
        return GuestEvidence(
            Evidence(self.garbage or json.dumps(blob).encode(), EvidenceFormat.SEV_LAUNCH),
            Endorsements(),
            ReferenceValues(measurements=(DIGEST,), launch_key=key),
            (
                DigestCandidate(launch_digest([b"nothing"]), "nothing was launched"),
                DigestCandidate(OTHER_DIGEST, DIFFERS),
            ),
            CHIP,
        )

    async def create(self, request: LaunchRequest, operation: OperationContext) -> Instance:
        if operation.instance_id in self.known:
            return self.known[operation.instance_id]
        if request.confidential and request.attest:
            operation.step("LAUNCH_MEASURE", 0.1)
            await operation.approve(self.launch_evidence())
        self.approved.append(operation.instance_id)
        made = await super().create(request, operation)
        return self.change(
            replace(
                made,
                trust=Trust.UNKNOWN if request.confidential else Trust.NOT_APPLICABLE,
                vtpm=request.vtpm,
                integrity_monitoring=request.integrity_monitoring,
                host="host-1",
            )
        )

    async def _become(self, instance_id: str, state: InstanceState, operation: OperationContext) -> Instance:
        before = self._get(instance_id)
        if state is InstanceState.RUNNING and before.state is not InstanceState.PAUSED and before.confidential:
            await operation.approve(self.launch_evidence())
        return await super()._become(instance_id, state, operation)

    def hosts(self) -> Sequence[HostInfo]:
        return (HostInfo("host-1", CHIP), HostInfo("host-2", "host 2 (emulated Milan)"))

    def migration_unfit(self, instance_id: str) -> str:
        return "" if self._get(instance_id).technology is Technology.SEV else "SEV-SNP guests need a migration agent"

    async def migrate(self, instance_id: str, host: str, operation: OperationContext) -> Instance:
        instance = self._get(instance_id)
        if instance.state is not InstanceState.RUNNING:
            raise WrongState(f"{instance.name} does not run")
        if host not in [known.name for known in self.hosts()]:
            raise NotFound("There is no such host")
        await self._begin(operation)
        if self.digest != DIGEST:
            raise FirmwareError("SEND_START", 0x0B, "POLICY_FAILURE", "The guest's policy does not let it leave")
        return self.change(replace(self._get(instance_id), host=host))

    def _report(self, answered: bytes, nonce: bytes) -> GuestEvidence:
        hierarchy = milan()
        unsigned = report(report_data=answered.ljust(64, b"\0"), measurement=SNP_MEASUREMENT)
        root = hierarchy.ark.root(emulated=self.emulated_roots)
        return GuestEvidence(
            Evidence(signed(unsigned, hierarchy.vcek), EvidenceFormat.SNP_REPORT),
            hierarchy.endorsements(),
            self._expected((SNP_MEASUREMENT,), nonce, root),
            chip=CHIP,
        )

    def _quote(self, answered: bytes, nonce: bytes) -> GuestEvidence:
        key = p256_key("vtpm")
        message = attest(digest_of(self.booted), [(SHA256, sorted(self.booted))], nonce=answered)
        parts: dict[str, bytes] = {
            EvidencePart.SIGNATURE: sign(key, message),
            EvidencePart.PCRS: b"".join(value for _, value in sorted(self.booted.items())),
            EvidencePart.AK_PUBLIC: public_area(key),
        }
        trusted = frozenset({key_fingerprint(key_info(key.public_key()))})
        return GuestEvidence(
            Evidence(message, EvidenceFormat.TPM_QUOTE, parts),
            Endorsements(),
            ReferenceValues(report_data=nonce, trusted_keys=trusted),
            chip=CHIP,
        )

    @staticmethod
    def _expected(measurements: tuple[bytes, ...], nonce: bytes, root: TrustedRoot) -> ReferenceValues:
        return ReferenceValues(report_data=nonce, measurements=measurements, trusted_roots=(root,))
