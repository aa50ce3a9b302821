"""Launch digest and launch measurement of SEV and SEV-ES (55766, LAUNCH_UPDATE_DATA and LAUNCH_MEASURE).

GCTX.LD is one SHA-256 over the plaintext of everything that was imported, in the order of the calls. Addresses are
not part of it. The measurement binds it to the firmware's version, the policy and a nonce:

    MEASURE = HMAC-SHA-256(TIK, 0x04 || API_MAJOR || API_MINOR || BUILD || POLICY || LD || MNONCE)

Firmware before API 0.17 leaves the context byte and the version out.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from confvm_gui.sev.errors import InvalidInput, require_length
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.key_material import TransportKey

DIGEST_SIZE: Final = 32
NONCE_SIZE: Final = 16
MEASUREMENT_SIZE: Final = DIGEST_SIZE + NONCE_SIZE
CONTEXT_SINCE: Final = (0, 17)
"""API version from which on measurements and secret packets carry their context."""

_MEASURE_CONTEXT: Final = b"\x04"


@dataclass(frozen=True, slots=True)
class FirmwareVersion:
    """Version of the SEV firmware, as PLATFORM_STATUS gives it and LAUNCH_MEASURE binds it."""

    api_major: int
    api_minor: int
    build: int

    def __post_init__(self) -> None:
        if not all(0 <= part <= 0xFF for part in (self.api_major, self.api_minor, self.build)):
            raise InvalidInput("version", f"The parts of a firmware version are 0 to 255, not {self}")

    @property
    def has_context(self) -> bool:
        """Whether its MACs carry context bytes and version."""
        return (self.api_major, self.api_minor) >= CONTEXT_SINCE

    def to_bytes(self) -> bytes:
        """API_MAJOR, API_MINOR, BUILD: one byte each."""
        return bytes((self.api_major, self.api_minor, self.build))

    def __str__(self) -> str:
        return f"{self.api_major}.{self.api_minor} build {self.build}"


@dataclass(frozen=True, slots=True)
class LaunchMeasurement:
    """What LAUNCH_MEASURE writes: the MAC and the nonce that the firmware drew."""

    measure: bytes
    """32 bytes."""
    mnonce: bytes
    """16 bytes."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Decode MEASUREMENT_SIZE bytes; InvalidInput("measurement")."""
        require_length(data, MEASUREMENT_SIZE, "measurement", "A launch measurement with its nonce")
        return cls(data[:DIGEST_SIZE], data[DIGEST_SIZE:])

    def to_bytes(self) -> bytes:
        """MEASUREMENT_SIZE bytes."""
        return self.measure + self.mnonce


def launch_digest(parts: Iterable[bytes]) -> bytes:
    """LD, 32 bytes, of a guest that is launched from `parts` in this order: firmware or image, then VMSAs."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def launch_measure(
    tik: TransportKey, *, version: FirmwareVersion, policy: GuestPolicy, digest: bytes, mnonce: bytes
) -> LaunchMeasurement:
    """The measurement of a launch with `digest` (32 bytes) and `mnonce` (16 bytes)."""
    require_length(digest, DIGEST_SIZE, "measurement", "A launch digest")
    require_length(mnonce, NONCE_SIZE, "measurement", "A measurement's nonce")
    context = _MEASURE_CONTEXT + version.to_bytes() if version.has_context else b""
    message = context + policy.to_bytes() + digest + mnonce
    return LaunchMeasurement(hmac.digest(tik.reveal(), message, "sha256"), mnonce)
