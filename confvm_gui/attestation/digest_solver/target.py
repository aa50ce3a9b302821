"""What is searched for: a launch digest itself, or the measurement that the firmware made over one."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Protocol

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.key_material import TransportKey
from confvm_gui.sev.measurement import DIGEST_SIZE, FirmwareVersion, LaunchMeasurement, launch_measure
from confvm_gui.sev.snp_launch_digest import LAUNCH_DIGEST_SIZE


class Target(Protocol):
    """Tells whether a digest is the one that is searched for."""

    @property
    def digest_size(self) -> int:
        """Bytes: 32 for SEV and SEV-ES, 48 for SEV-SNP."""

    def matches(self, digest: bytes) -> tuple[str, ...] | None:
        """None if `digest` is another one; else what besides the launch is not as expected, a clause each."""


@dataclass(frozen=True, slots=True)
class LaunchDigest:
    """A digest in the clear: MEASUREMENT of an SNP report, LAUNCH_DIGEST of a SEV report."""

    digest: bytes
    """32 or 48 bytes."""

    def __post_init__(self) -> None:
        if len(self.digest) not in (DIGEST_SIZE, LAUNCH_DIGEST_SIZE):
            raise InvalidInput(
                "digest",
                f"A launch digest has {DIGEST_SIZE} bytes (SEV, SEV-ES) or {LAUNCH_DIGEST_SIZE} (SEV-SNP), "
                f"not {len(self.digest)}",
            )

    @property
    def digest_size(self) -> int:
        return len(self.digest)

    def matches(self, digest: bytes) -> tuple[str, ...] | None:
        return () if digest == self.digest else None


@dataclass(frozen=True, slots=True)
class MeasureTerms:
    """What besides the digest goes into LAUNCH_MEASURE's MAC."""

    version: FirmwareVersion
    policy: GuestPolicy


@dataclass(frozen=True, slots=True)
class MeasuredLaunch:
    """LAUNCH_MEASURE's answer, which only the holder of the TIK can compare a digest with.

    `terms` are tried for every digest; the first is what is expected. The TIK stays in its `TransportKey`, which
    neither prints nor pickles.
    """

    measurement: LaunchMeasurement
    tik: TransportKey = field(repr=False)
    terms: tuple[MeasureTerms, ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise InvalidInput("policy", "Say under which policy and on which firmware version the guest was launched")

    @property
    def digest_size(self) -> int:
        return DIGEST_SIZE

    def matches(self, digest: bytes) -> tuple[str, ...] | None:
        expected = self.terms[0]
        for terms in self.terms:
            measure = launch_measure(
                self.tik,
                version=terms.version,
                policy=terms.policy,
                digest=digest,
                mnonce=self.measurement.mnonce,
            )
            if hmac.compare_digest(measure.measure, self.measurement.measure):
                clauses = []
                if terms.policy != expected.policy:
                    clauses.append(f"the policy is {terms.policy}, not {expected.policy}")
                if terms.version != expected.version:
                    clauses.append(f"the firmware is {terms.version}, not {expected.version}")
                return tuple(clauses)
        return None
