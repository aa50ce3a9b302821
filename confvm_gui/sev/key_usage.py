"""Usages and algorithms that AMD's certificates name (55766, section C.1)."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes

if TYPE_CHECKING:
    from collections.abc import Callable


class Usage(IntEnum):
    """What a key is for."""

    ARK = 0x0
    """AMD root key."""
    ASK = 0x13
    """AMD SEV signing key."""
    INVALID = 0x1000
    """No key: the signature slot is empty."""
    OCA = 0x1001
    """Owner's certificate authority."""
    PEK = 0x1002
    """Platform endorsement key."""
    PDH = 0x1003
    """Platform Diffie-Hellman key; the guest owner's DH certificate has this usage too."""
    CEK = 0x1004
    """Chip endorsement key."""


class Algorithm(IntEnum):
    """How a key signs, or agrees on a secret."""

    INVALID = 0x0
    RSA_SHA256 = 0x1
    ECDSA_SHA256 = 0x2
    ECDH_SHA256 = 0x3
    RSA_SHA384 = 0x101
    ECDSA_SHA384 = 0x102
    ECDH_SHA384 = 0x103

    @property
    def is_rsa(self) -> bool:
        return self in (Algorithm.RSA_SHA256, Algorithm.RSA_SHA384)

    @property
    def is_ecdsa(self) -> bool:
        return self in (Algorithm.ECDSA_SHA256, Algorithm.ECDSA_SHA384)

    @property
    def is_ecdh(self) -> bool:
        return self in (Algorithm.ECDH_SHA256, Algorithm.ECDH_SHA384)

    @property
    def hash(self) -> hashes.HashAlgorithm:
        """The hash that goes with it: SHA-384 where bit 8 is set, else SHA-256."""
        make: Callable[[], hashes.HashAlgorithm] = hashes.SHA384 if self & 0x100 else hashes.SHA256
        return make()
