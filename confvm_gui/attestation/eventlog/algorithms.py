"""Hash algorithms by the TCG's ids (TCG Algorithm Registry, table 3)."""

from __future__ import annotations

import hashlib
from enum import IntEnum
from typing import Final

from cryptography.hazmat.primitives import hashes


class HashAlgorithm(IntEnum):
    SHA1 = 0x0004
    SHA256 = 0x000B
    SHA384 = 0x000C
    SHA512 = 0x000D
    SM3_256 = 0x0012
    SHA3_256 = 0x0027
    SHA3_384 = 0x0028
    SHA3_512 = 0x0029

    @property
    def label(self) -> str:
        """As PCR banks are called: `sha256`, `sm3_256` …"""
        return self.name.lower()

    @property
    def size(self) -> int:
        """Bytes of a digest."""
        return _SIZES[self]

    def digest(self, data: bytes) -> bytes:
        if self is HashAlgorithm.SM3_256:
            state = hashes.Hash(hashes.SM3())
            state.update(data)
            return state.finalize()
        return hashlib.new(_NAMES[self], data, usedforsecurity=False).digest()

    @classmethod
    def of_label(cls, label: str) -> HashAlgorithm | None:
        """The algorithm of a bank's name, or None."""
        wanted = label.lower().replace("-", "")
        return next((item for item in cls if item.label == wanted or item.label.partition("_")[0] == wanted), None)


_SIZES: Final = {
    HashAlgorithm.SHA1: 20,
    HashAlgorithm.SHA256: 32,
    HashAlgorithm.SHA384: 48,
    HashAlgorithm.SHA512: 64,
    HashAlgorithm.SM3_256: 32,
    HashAlgorithm.SHA3_256: 32,
    HashAlgorithm.SHA3_384: 48,
    HashAlgorithm.SHA3_512: 64,
}
_NAMES: Final = {
    HashAlgorithm.SHA1: "sha1",
    HashAlgorithm.SHA256: "sha256",
    HashAlgorithm.SHA384: "sha384",
    HashAlgorithm.SHA512: "sha512",
    HashAlgorithm.SHA3_256: "sha3_256",
    HashAlgorithm.SHA3_384: "sha3_384",
    HashAlgorithm.SHA3_512: "sha3_512",
}
