"""PLATFORM_INFO and KEY_INFO of an SNP attestation report (56860, ATTESTATION_REPORT)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

PLATFORM_INFO_KNOWN: Final = 0xBF
"""Bits 0 to 5 and 7; the others must be zero."""
KEY_INFO_KNOWN: Final = 0x1F
"""Bits 0 to 4; the others must be zero."""

_PLATFORM_FLAGS: Final = (
    (0, "SMT", "simultaneous multithreading is on"),
    (1, "TSME", "transparent memory encryption is on"),
    (2, "ECC", "memory has error correction"),
    (3, "RAPL_DIS", "Running Average Power Limit readings are disabled"),
    (4, "CIPHERTEXT_HIDING", "ciphertext is hidden from the host"),
    (5, "ALIAS_CHECK_COMPLETE", "memory was checked for aliased addresses since the last reset (BadRAM)"),
    (7, "TIO", "trusted I/O is enabled"),
)


class SigningKey(IntEnum):
    """Which key signed a report."""

    VCEK = 0
    VLEK = 1
    NONE = 7
    """The report is not signed."""


@dataclass(frozen=True, slots=True)
class PlatformInfo:
    """PLATFORM_INFO: the state of the platform, 64 bits as they were found."""

    value: int = 0

    @property
    def smt(self) -> bool:
        return bool(self.value & 1)

    @property
    def tsme(self) -> bool:
        return bool(self.value & 1 << 1)

    @property
    def ecc(self) -> bool:
        return bool(self.value & 1 << 2)

    @property
    def rapl_dis(self) -> bool:
        return bool(self.value & 1 << 3)

    @property
    def ciphertext_hiding(self) -> bool:
        return bool(self.value & 1 << 4)

    @property
    def alias_check_complete(self) -> bool:
        return bool(self.value & 1 << 5)

    @property
    def tio(self) -> bool:
        return bool(self.value & 1 << 7)

    @property
    def reserved(self) -> int:
        """The bits that are set though they must be zero, in place."""
        return self.value & ~PLATFORM_INFO_KNOWN

    def names(self) -> tuple[str, ...]:
        """Names of the bits that are set, lowest first."""
        return tuple(name for bit, name, _ in _PLATFORM_FLAGS if self.value >> bit & 1)

    def describe(self) -> tuple[str, ...]:
        """One clause for each bit that is set, for a person."""
        return tuple(meaning for bit, _, meaning in _PLATFORM_FLAGS if self.value >> bit & 1)


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """KEY_INFO (SIGNER_INFO): which keys stand behind a report, 32 bits as they were found."""

    value: int = 0

    @classmethod
    def of(
        cls,
        signing_key: SigningKey = SigningKey.VCEK,
        *,
        author_key_enabled: bool = False,
        mask_chip_key: bool = False,
    ) -> KeyInfo:
        """The value that says this."""
        return cls(author_key_enabled | mask_chip_key << 1 | signing_key << 2)

    @property
    def author_key_enabled(self) -> bool:
        """AUTHOR_KEY_EN: AUTHOR_KEY_DIGEST is the digest of the key that certified the ID key."""
        return bool(self.value & 1)

    @property
    def mask_chip_key(self) -> bool:
        """MASK_CHIP_KEY: the platform signs no report with its chip's key."""
        return bool(self.value & 2)

    @property
    def signing_key_number(self) -> int:
        """SIGNING_KEY, 0 to 7; see SigningKey for the values that mean something."""
        return self.value >> 2 & 7

    @property
    def signing_key(self) -> SigningKey | None:
        """Which key signed, or None for a reserved value."""
        number = self.signing_key_number
        return SigningKey(number) if number in (SigningKey.VCEK, SigningKey.VLEK, SigningKey.NONE) else None

    @property
    def reserved(self) -> int:
        """The bits that are set though they must be zero, in place."""
        return self.value & ~KEY_INFO_KNOWN
