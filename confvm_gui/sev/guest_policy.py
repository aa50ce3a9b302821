"""Guest policy of SEV and SEV-ES: 32 bits, chosen by the guest owner, enforced by the firmware (55766, chapter 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from confvm_gui.sev.errors import InvalidInput

RESERVED_MASK: Final = 0x0000FFC0
"""Bits 6 to 15, which must be zero."""

_FLAGS: Final = (
    (0, "NODBG", "debugging commands are refused"),
    (1, "NOKS", "the memory encryption key is not shared with another guest"),
    (2, "ES", "register state is encrypted too (SEV-ES)"),
    (3, "NOSEND", "the guest is not sent to another platform"),
    (4, "DOMAIN", "the guest is sent only to platforms of the same owner"),
    (5, "SEV", "the guest is sent only to platforms that are SEV-capable"),
)


@dataclass(frozen=True, slots=True)
class GuestPolicy:
    """A guest's policy, bit by bit.

    `api_major` and `api_minor` are the least version of the firmware's API on which the guest may be launched.
    """

    nodbg: bool = False
    noks: bool = False
    es: bool = False
    nosend: bool = False
    domain: bool = False
    sev: bool = False
    api_major: int = 0
    api_minor: int = 0

    def __post_init__(self) -> None:
        for name, value in (("API_MAJOR", self.api_major), ("API_MINOR", self.api_minor)):
            if not 0 <= value <= 0xFF:
                raise InvalidInput("policy", f"{name} of a guest policy is 0 to 255, not {value}")

    @classmethod
    def from_int(cls, value: int) -> GuestPolicy:
        """Decode the 32-bit value; InvalidInput("policy") if it is wider or has a reserved bit set."""
        if not 0 <= value <= 0xFFFFFFFF:
            raise InvalidInput("policy", f"A guest policy has 32 bits; {value:#x} does not fit")
        if value & RESERVED_MASK:
            raise InvalidInput(
                "policy", f"The guest policy {value:#x} has reserved bits set ({value & RESERVED_MASK:#x}); clear them"
            )
        return cls(
            nodbg=bool(value & 1),
            noks=bool(value & 2),
            es=bool(value & 4),
            nosend=bool(value & 8),
            domain=bool(value & 16),
            sev=bool(value & 32),
            api_major=value >> 16 & 0xFF,
            api_minor=value >> 24,
        )

    @classmethod
    def parse(cls, text: str) -> GuestPolicy:
        """Read what a person or a libvirt XML has: `3`, `0x3`, or names as in `NODBG|NOKS`.

        InvalidInput("policy") otherwise.
        """
        stripped = text.strip()
        try:
            return cls.from_int(int(stripped, 0))
        except ValueError:
            pass
        bits = {name: bit for bit, name, _ in _FLAGS}
        value = 0
        for name in stripped.replace(",", "|").split("|"):
            bit = bits.get(name.strip().upper())
            if bit is None:
                raise InvalidInput(
                    "policy",
                    f"{name.strip()[:40]!r} is no guest policy: give a number such as 0x3, or names out of "
                    f"{', '.join(bits)} joined by |",
                )
            value |= 1 << bit
        return cls.from_int(value)

    def to_int(self) -> int:
        """The 32-bit value."""
        flags = (self.nodbg, self.noks, self.es, self.nosend, self.domain, self.sev)
        low = sum(1 << bit for bit, is_set in enumerate(flags) if is_set)
        return low | self.api_major << 16 | self.api_minor << 24

    def to_bytes(self) -> bytes:
        """4 bytes, little-endian: the form in which the policy is authenticated and measured."""
        return self.to_int().to_bytes(4, "little")

    def allows_api(self, major: int, minor: int) -> bool:
        """Whether firmware with API version `major`.`minor` is recent enough for this guest."""
        return (major, minor) >= (self.api_major, self.api_minor)

    def names(self) -> tuple[str, ...]:
        """Names of the bits that are set, lowest first."""
        value = self.to_int()
        return tuple(name for bit, name, _ in _FLAGS if value >> bit & 1)

    def describe(self) -> tuple[str, ...]:
        """One clause for each bit that is set and for the API version, for a person."""
        value = self.to_int()
        clauses = [meaning for bit, _, meaning in _FLAGS if value >> bit & 1]
        if self.api_major or self.api_minor:
            clauses.append(f"firmware API {self.api_major}.{self.api_minor} or later")
        return tuple(clauses)

    def __str__(self) -> str:
        text = "|".join(self.names()) or "none"
        version = f", API >= {self.api_major}.{self.api_minor}" if self.api_major or self.api_minor else ""
        return f"{self.to_int():#010x} ({text}{version})"
