"""How the owner's keys get into a running SNP guest, past its host: sealed to a key for which its report vouches.

    guest's key     X25519, private key = SHA-256("confvm-guest-key" || VMPCK1); VMPCK1 is in its secrets page alone
    REPORT_DATA     guest's public key (32) || the owner's nonce (32)
    sealed          as `sev.sealed_box` has it, salt = REPORT_DATA, info = "confvm-secret-1"

Only what was measured and reported can open it. That the *owner* sealed it, the seal does not prove, nor need it: a
host that gives the guest other keys gives it none that open the owner's disk.
"""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.engine.guests.attestation_page import MAXIMUM_SEALED, NONCE_BYTES, PUBLIC_KEY_BYTES
from confvm_gui.sev.errors import require_length
from confvm_gui.sev.sealed_box import OVERHEAD, seal, unseal

MAXIMUM_SECRET: Final = MAXIMUM_SEALED - OVERHEAD
"""Bytes that one sealing takes."""
VMPCK_BYTES: Final = 32

_KEY_LABEL: Final = b"confvm-guest-key"
_INFO: Final = b"confvm-secret-1"


def report_data(public_key: bytes, nonce: bytes) -> bytes:
    """The 64 bytes that the guest's report must carry. Raises InvalidInput("public_key" or "nonce")."""
    require_length(public_key, PUBLIC_KEY_BYTES, "public_key", "The guest's public key")
    require_length(nonce, NONCE_BYTES, "nonce", "The nonce of an attestation")
    return bytes(public_key) + bytes(nonce)


def seal_secret(secret: bytes, *, public_key: bytes, nonce: bytes, ephemeral: bytes | None = None) -> bytes:
    """Seal `secret` (a launch secret table) to the guest whose report carries `public_key` and `nonce`.

    Verify that report before. `ephemeral` is the owner's private key (32 bytes) for known-answer tests; without it a
    fresh one is made, used once and forgotten. Raises InvalidInput("secret", "public_key", "nonce" or "ephemeral").
    """
    if not 0 < len(secret) <= MAXIMUM_SECRET:
        raise InvalidInput("secret", f"A secret for the guest has 1 to {MAXIMUM_SECRET:,} bytes")
    return seal(secret, public_key, salt=report_data(public_key, nonce), info=_INFO, ephemeral=ephemeral)


class GuestKey:
    """The guest's end, as its C does it; for rehearsals and tests. Neither printed nor pickled."""

    __slots__ = ("_private", "public_key")

    def __init__(self, vmpck1: bytes) -> None:
        """`vmpck1`: VMPCK1 of the guest's secrets page, 32 bytes. Raises InvalidInput("vmpck")."""
        require_length(vmpck1, VMPCK_BYTES, "vmpck", "A VMPCK")
        self._private = X25519PrivateKey.from_private_bytes(hashlib.sha256(_KEY_LABEL + vmpck1).digest())
        self.public_key = self._private.public_key().public_bytes_raw()
        """X25519, 32 bytes."""

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError("a guest's key is neither pickled nor copied")

    def open_secret(self, sealed: bytes, *, nonce: bytes) -> bytes:
        """What `seal_secret` sealed; InvalidInput("sealed") if it was not sealed to this guest and nonce."""
        if len(sealed) > MAXIMUM_SEALED:
            raise InvalidInput("sealed", f"A sealed secret cannot have {len(sealed):,} bytes")
        return unseal(sealed, self._private, salt=report_data(self.public_key, nonce), info=_INFO)
