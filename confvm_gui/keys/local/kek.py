"""A key encryption key in memory.

Wrapping is AES key wrap with padding (RFC 5649; NIST SP 800-38F, KWP) under AES-256, which takes keys of any length and
tells when what it unwraps is not authentic. PKCS#11 calls it CKM_AES_KEY_WRAP_KWP.
"""

from __future__ import annotations

import secrets
from typing import NoReturn, final

from confvm_gui.domain.errors import KeyUnavailable

KEK_BYTES = 32


@final
class Kek:
    """32 bytes that wrap and unwrap. Shown by its name only, and never pickled or copied."""

    __slots__ = ("__key", "_name")

    def __init__(self, name: str, key: bytes) -> None:
        self._name = name
        self.__key = key

    @classmethod
    def from_hex(cls, name: str, text: str, where: str) -> Kek:
        """The KEK as `to_hex` wrote it. Raises KeyUnavailable if it is something else; `where` says what is damaged."""
        digits = text.strip()
        if len(digits) != 2 * KEK_BYTES or not set(digits) <= set("0123456789abcdef"):
            raise KeyUnavailable(
                f"The key local:{name} is damaged: {where} does not hold a key. Put back a copy of it; "
                "without it the disks wrapped under it cannot be read"
            )
        return cls(name, bytes.fromhex(digits))

    @classmethod
    def generate(cls, name: str) -> Kek:
        return cls(name, secrets.token_bytes(KEK_BYTES))

    def to_hex(self) -> str:
        """For the place that keeps it, and for nothing else."""
        return self.__key.hex()

    def wrap(self, key: bytes) -> bytes:
        """RFC 5649: 8 bytes more than `key` rounded up to a multiple of 8."""
        from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding

        return aes_key_wrap_with_padding(self.__key, key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Raises KeyUnavailable if `wrapped` is not authentic under this key."""
        from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding

        try:
            return aes_key_unwrap_with_padding(self.__key, wrapped)
        except (InvalidUnwrap, ValueError):
            raise KeyUnavailable(
                f"The disk key was not wrapped under local:{self._name}, or was damaged since; it cannot be unwrapped"
            ) from None

    def __repr__(self) -> str:
        return f"<Kek local:{self._name}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key is never pickled or copied")
