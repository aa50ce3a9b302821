"""AES-128 in counter mode, the one cipher of SEV sessions and secret packets."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from confvm_gui.sev.errors import require_length

BLOCK = 16
"""Bytes of an AES block and of an initial counter block."""


def crypt(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Encrypt or decrypt `data` (any length) under a 16-byte `key` from the 16-byte counter block `iv`."""
    require_length(iv, BLOCK, "iv", "An initial counter block")
    context = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
    return context.update(data) + context.finalize()
