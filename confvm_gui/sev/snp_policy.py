"""Guest policy of SEV-SNP: 64 bits, chosen by the guest owner, enforced by the firmware (56860, GUEST_POLICY).

7:0 ABI_MINOR | 15:8 ABI_MAJOR | 16 SMT | 17 must be one | 18 MIGRATE_MA | 19 DEBUG | 20 SINGLE_SOCKET
21 CXL_ALLOW | 22 MEM_AES_256_XTS | 23 RAPL_DIS | 24 CIPHERTEXT_HIDING | 25 PAGE_SWAP_DISABLE | 63:26 zero
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from confvm_gui.sev.errors import InvalidInput

MUST_BE_ONE: Final = 1 << 17
RESERVED_MASK: Final = ~((1 << 26) - 1) & (1 << 64) - 1
"""Bits 26 to 63, which must be zero."""

_FLAGS: Final = (
    (16, "SMT", "may run where simultaneous multithreading is on"),
    (18, "MIGRATE_MA", "may be associated with a migration agent"),
    (19, "DEBUG", "may be debugged: the host can read and change its memory"),
    (20, "SINGLE_SOCKET", "runs on one socket only"),
    (21, "CXL_ALLOW", "may be populated with CXL devices"),
    (22, "MEM_AES_256_XTS", "needs memory encrypted with AES-256-XTS"),
    (23, "RAPL_DIS", "needs Running Average Power Limit readings to be disabled"),
    (24, "CIPHERTEXT_HIDING", "needs its ciphertext to be hidden from the host"),
    (25, "PAGE_SWAP_DISABLE", "its pages are neither moved nor swapped by the host"),
)
_BITS: Final = {name: 1 << bit for bit, name, _ in _FLAGS}


@dataclass(frozen=True, slots=True)
class SnpPolicy:
    """A guest's policy. `value` is any 64 bits: what a report holds is kept as it is, see `violations`."""

    value: int = 0x30000

    def __post_init__(self) -> None:
        if not 0 <= self.value < 1 << 64:
            raise InvalidInput("policy", f"An SNP guest policy has 64 bits; {self.value:#x} does not fit")

    @classmethod
    def from_int(cls, value: int) -> SnpPolicy:
        """A policy to launch with; InvalidInput("policy") if a reserved bit is not as it must be."""
        policy = cls(value)
        for violation in policy.violations():
            raise InvalidInput("policy", f"The SNP guest policy {value:#x} is none: {violation}")
        return policy

    @classmethod
    def with_flags(cls, *names: str, abi_major: int = 0, abi_minor: int = 0) -> SnpPolicy:
        """The policy with exactly these bits (`SMT`, `DEBUG` …) and least ABI version; InvalidInput("policy")."""
        value = MUST_BE_ONE
        for name in names:
            bit = _BITS.get(name.strip().upper())
            if bit is None:
                raise InvalidInput(
                    "policy",
                    f"{name.strip()[:40]!r} is no bit of an SNP guest policy: give a number such as 0x30000, or names "
                    f"out of {', '.join(_BITS)} joined by |",
                )
            value |= bit
        for what, version in (("major", abi_major), ("minor", abi_minor)):
            if not 0 <= version <= 0xFF:
                raise InvalidInput("policy", f"The {what} ABI version of a guest policy is 0 to 255, not {version}")
        return cls(value | abi_major << 8 | abi_minor)

    @classmethod
    def parse(cls, text: str) -> SnpPolicy:
        """Read what a person or a libvirt XML has: `0x30000`, or names as in `SMT|DEBUG`; InvalidInput("policy")."""
        stripped = text.strip()
        try:
            value = int(stripped, 0)
        except ValueError:
            return cls.with_flags(*stripped.replace(",", "|").split("|"))
        return cls.from_int(value)

    @property
    def abi_minor(self) -> int:
        return self.value & 0xFF

    @property
    def abi_major(self) -> int:
        return self.value >> 8 & 0xFF

    @property
    def smt(self) -> bool:
        return self._has("SMT")

    @property
    def migrate_ma(self) -> bool:
        return self._has("MIGRATE_MA")

    @property
    def debug(self) -> bool:
        return self._has("DEBUG")

    @property
    def single_socket(self) -> bool:
        return self._has("SINGLE_SOCKET")

    @property
    def cxl_allow(self) -> bool:
        return self._has("CXL_ALLOW")

    @property
    def mem_aes_256_xts(self) -> bool:
        return self._has("MEM_AES_256_XTS")

    @property
    def rapl_dis(self) -> bool:
        return self._has("RAPL_DIS")

    @property
    def ciphertext_hiding(self) -> bool:
        return self._has("CIPHERTEXT_HIDING")

    @property
    def page_swap_disable(self) -> bool:
        return self._has("PAGE_SWAP_DISABLE")

    def _has(self, name: str) -> bool:
        return bool(self.value & _BITS[name])

    def violations(self) -> tuple[str, ...]:
        """What is wrong with the reserved bits, a clause each; empty for a policy that the firmware takes."""
        found = []
        if not self.value & MUST_BE_ONE:
            found.append("bit 17 must be one")
        if self.value & RESERVED_MASK:
            found.append(f"reserved bits {self.value & RESERVED_MASK:#x} must be zero")
        return tuple(found)

    def allows_abi(self, major: int, minor: int) -> bool:
        """Whether firmware with ABI version `major`.`minor` is recent enough for this guest."""
        return (major, minor) >= (self.abi_major, self.abi_minor)

    def names(self) -> tuple[str, ...]:
        """Names of the bits that are set, lowest first; the one that is always set is not named."""
        return tuple(name for bit, name, _ in _FLAGS if self.value >> bit & 1)

    def describe(self) -> tuple[str, ...]:
        """One clause for each bit that is set and for the ABI version, for a person."""
        clauses = [meaning for bit, _, meaning in _FLAGS if self.value >> bit & 1]
        if self.abi_major or self.abi_minor:
            clauses.append(f"firmware ABI {self.abi_major}.{self.abi_minor} or later")
        return tuple(clauses)

    def to_bytes(self) -> bytes:
        """8 bytes, little-endian."""
        return self.value.to_bytes(8, "little")

    def __str__(self) -> str:
        text = "|".join(self.names()) or "none"
        version = f", ABI >= {self.abi_major}.{self.abi_minor}" if self.abi_major or self.abi_minor else ""
        return f"{self.value:#x} ({text}{version})"
