"""The report of SEV's ATTESTATION command: launch digest and policy, signed by the PEK (55766, ATTESTATION).

    0x00 MNONCE 16 | 0x10 LAUNCH_DIGEST 32 | 0x30 POLICY 4 | 0x34 SIG_USAGE 4 | 0x38 SIG_ALGO 4 | 0x3C zeros 4
    0x40 SIG 144 (R 72 || S 72)

Signed are the bytes before SIG_USAGE. SNP's attestation report is another format.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric import ec

from confvm_gui.sev.ecc_format import ECDSA_SIZE
from confvm_gui.sev.errors import InvalidInput, require_length
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.key_usage import Algorithm, Usage
from confvm_gui.sev.sev_certificate import SevCertificate
from confvm_gui.sev.signature import SIGNATURE_SIZE, sign, verify

ATTESTATION_REPORT_SIZE: Final = 0xD0

_BODY: Final = struct.Struct("<16s32sI")
_SIGNATURE: Final = struct.Struct(f"<III{ECDSA_SIZE}s")


@dataclass(frozen=True, slots=True)
class AttestationReport:
    """A report of ATTESTATION (command 0x36)."""

    mnonce: bytes
    """16 bytes, chosen by whoever asked."""
    launch_digest: bytes
    """32 bytes."""
    policy: GuestPolicy
    signature: bytes = bytes(ECDSA_SIZE)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Decode ATTESTATION_REPORT_SIZE bytes; InvalidInput("report"), or "policy" for a policy that is none."""
        require_length(data, ATTESTATION_REPORT_SIZE, "report", "A SEV attestation report")
        mnonce, digest, policy = _BODY.unpack_from(data)
        usage, algorithm, reserved, signature = _SIGNATURE.unpack_from(data, _BODY.size)
        if usage != Usage.PEK or algorithm != Algorithm.ECDSA_SHA256 or reserved:
            raise InvalidInput("report", "The SEV attestation report is not signed by a PEK with ECDSA and SHA-256")
        return cls(mnonce, digest, GuestPolicy.from_int(policy), signature)

    def body(self) -> bytes:
        """The signed bytes, 0x00 to 0x33."""
        return _BODY.pack(self.mnonce, self.launch_digest, self.policy.to_int())

    def to_bytes(self) -> bytes:
        """ATTESTATION_REPORT_SIZE bytes."""
        return self.body() + _SIGNATURE.pack(Usage.PEK, Algorithm.ECDSA_SHA256, 0, self.signature)

    def signed(self, pek: ec.EllipticCurvePrivateKey) -> AttestationReport:
        """This report with `pek`'s signature."""
        raw = sign(pek, Algorithm.ECDSA_SHA256, self.body())
        return AttestationReport(self.mnonce, self.launch_digest, self.policy, raw[:ECDSA_SIZE])

    def is_signed_by(self, pek: SevCertificate) -> bool:
        """Whether the key of `pek` made the signature; InvalidInput("certificate") if it has no usable key."""
        padded = self.signature.ljust(SIGNATURE_SIZE, b"\x00")
        return pek.usage is Usage.PEK and verify(pek.public_key(), Algorithm.ECDSA_SHA256, padded, self.body())
