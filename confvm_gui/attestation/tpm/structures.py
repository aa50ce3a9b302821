"""TPM structures (TPM 2.0 library, part 2: Structures; sections 10.12, 11.2 and 12.2). All numbers are big-endian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from confvm_gui.attestation.byte_reader import ByteReader
from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.domain.errors import InvalidInput

TPM_GENERATED: Final = 0xFF544347
_ATTEST_QUOTE: Final = 0x8018
_NULL: Final = 0x0010
_MAX_PCR_SELECT: Final = 4
"""Bytes: 32 PCRs, as many as the profile allows for."""


class KeyType(IntEnum):
    RSA = 0x0001
    ECC = 0x0023


class SignatureScheme(IntEnum):
    RSASSA = 0x0014
    RSAPSS = 0x0016
    ECDSA = 0x0018


FIXED_TPM: Final = 1 << 1
SENSITIVE_DATA_ORIGIN: Final = 1 << 5
RESTRICTED: Final = 1 << 16
DECRYPT: Final = 1 << 17
SIGN: Final = 1 << 18

CURVES: Final[Mapping[int, str]] = {0x0003: "secp256r1", 0x0004: "secp384r1", 0x0005: "secp521r1"}


@dataclass(frozen=True, slots=True)
class TpmQuote:
    """TPMS_ATTEST of a quote."""

    qualified_signer: bytes
    extra_data: bytes
    clock: int
    """Milliseconds that the TPM has been powered."""
    reset_count: int
    restart_count: int
    safe: bool
    """The clock was not set back."""
    firmware_version: int
    selections: tuple[tuple[HashAlgorithm, tuple[int, ...]], ...]
    """Which PCRs of which banks, in the order in which they are hashed."""
    pcr_digest: bytes

    @classmethod
    def parse(cls, data: bytes) -> TpmQuote:
        """Decode a whole structure; InvalidInput("evidence")."""
        reader = ByteReader(data, "The TPM quote")
        if reader.number(4, "big") != TPM_GENERATED:
            raise reader.error("does not begin as a structure that a TPM made (TPM_GENERATED_VALUE)")
        kind = reader.number(2, "big")
        if kind != _ATTEST_QUOTE:
            raise reader.error(f"is an attestation of another kind ({kind:#06x}), not of PCRs")
        signer, extra = reader.counted(2, "big", limit=1024), reader.counted(2, "big", limit=1024)
        clock, reset, restart = reader.number(8, "big"), reader.number(4, "big"), reader.number(4, "big")
        safe = reader.number(1)
        firmware = reader.number(8, "big")
        if safe > 1:
            raise reader.error("says neither yes nor no to whether its clock is safe")
        selections = _selections(reader)
        digest = reader.counted(2, "big", limit=64)
        reader.finish()
        return cls(signer, extra, clock, reset, restart, bool(safe), firmware, selections, digest)


def _selections(reader: ByteReader) -> tuple[tuple[HashAlgorithm, tuple[int, ...]], ...]:
    count = reader.number(4, "big")
    if count > 16:
        raise reader.error(f"selects PCRs of {count} banks")
    found = []
    for _ in range(count):
        algorithm = hash_algorithm(reader.number(2, "big"))
        size = reader.number(1)
        if size > _MAX_PCR_SELECT:
            raise reader.error("selects more PCRs than there are")
        bits = int.from_bytes(reader.take(size), "little")
        found.append((algorithm, tuple(pcr for pcr in range(8 * size) if bits >> pcr & 1)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class TpmSignature:
    """TPMT_SIGNATURE."""

    scheme: SignatureScheme
    hash: HashAlgorithm
    rsa: bytes = b""
    r: bytes = b""
    s: bytes = b""

    @classmethod
    def parse(cls, data: bytes) -> TpmSignature:
        """Decode a whole structure; InvalidInput("evidence")."""
        reader = ByteReader(data, "The TPM signature")
        number = reader.number(2, "big")
        scheme = next((item for item in SignatureScheme if item == number), None)
        if scheme is None:
            raise reader.error(f"uses the unknown scheme {number:#06x}")
        algorithm = hash_algorithm(reader.number(2, "big"))
        first = reader.counted(2, "big", limit=1024)
        if scheme is not SignatureScheme.ECDSA:
            reader.finish()
            return cls(scheme, algorithm, rsa=first)
        second = reader.counted(2, "big", limit=128)
        reader.finish()
        return cls(scheme, algorithm, r=first, s=second)


@dataclass(frozen=True, slots=True)
class TpmPublic:
    """TPMT_PUBLIC of an RSA or ECC key."""

    type: KeyType
    name_algorithm: HashAlgorithm
    attributes: int
    modulus: int = 0
    exponent: int = 0
    curve: str = ""
    x: int = 0
    y: int = 0

    @classmethod
    def parse(cls, data: bytes) -> TpmPublic:
        """Decode TPMT_PUBLIC, or TPM2B_PUBLIC, which is the same behind its size; InvalidInput("evidence")."""
        if len(data) > 2 and int.from_bytes(data[:2], "big") == len(data) - 2:
            data = data[2:]
        reader = ByteReader(data, "The TPM public key")
        number = reader.number(2, "big")
        if number not in (KeyType.RSA, KeyType.ECC):
            raise reader.error(f"is of the unknown type {number:#06x}")
        name_algorithm = hash_algorithm(reader.number(2, "big"))
        attributes = reader.number(4, "big")
        reader.counted(2, "big", limit=128)  # authPolicy
        if reader.number(2, "big") != _NULL:  # symmetric
            reader.take(4)
        if reader.number(2, "big") != _NULL:  # scheme
            reader.take(2)
        if number == KeyType.RSA:
            bits, exponent = reader.number(2, "big"), reader.number(4, "big")
            modulus = reader.counted(2, "big", limit=1024)
            reader.finish()
            if len(modulus) * 8 != bits:
                raise reader.error(f"says {bits} bits, but has {len(modulus) * 8}")
            return cls(KeyType.RSA, name_algorithm, attributes, int.from_bytes(modulus, "big"), exponent or 65537)
        curve = CURVES.get(reader.number(2, "big"), "")
        if reader.number(2, "big") != _NULL:  # kdf
            reader.take(2)
        x, y = reader.counted(2, "big", limit=128), reader.counted(2, "big", limit=128)
        reader.finish()
        return cls(
            KeyType.ECC,
            name_algorithm,
            attributes,
            curve=curve,
            x=int.from_bytes(x, "big"),
            y=int.from_bytes(y, "big"),
        )

    @property
    def is_attestation_key(self) -> bool:
        """A restricted signing key made inside of its TPM: it signs nothing that merely looks like a quote."""
        wanted = FIXED_TPM | SENSITIVE_DATA_ORIGIN | RESTRICTED | SIGN
        return self.attributes & (wanted | DECRYPT) == wanted


def hash_algorithm(number: int) -> HashAlgorithm:
    """The algorithm of a TPM_ALG_ID; InvalidInput("evidence")."""
    found = next((item for item in HashAlgorithm if item == number), None)
    if found is None:
        raise InvalidInput("evidence", f"The TPM structure uses the unknown hash algorithm {number:#06x}")
    return found


def looks_like_tpm_quote(data: bytes) -> bool:
    """Whether a TPMS_ATTEST of a quote begins here."""
    return data[:6] == b"\xffTCG\x80\x18"
