"""The memory encryption key of one guest (VEK)."""

from __future__ import annotations

from typing import ClassVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from confvm_gui.sev.key_material import SecretKey


class VolumeKey(SecretKey):
    """A VEK: 128 bits, made inside the secure processor, handed to the memory controller and to nobody else.

    Does not print, pickle or copy.
    """

    __slots__ = ()

    def cipher_key(self) -> bytes:
        """The AES key, for the memory controller alone."""
        return self.reveal()


class VolumeKey256(VolumeKey):
    """A VEK of 256 bits, for guests whose policy asks for AES-256-XTS (MEM_AES_256_XTS)."""

    __slots__ = ()

    SIZE: ClassVar[int] = 32

    @classmethod
    def generate(cls) -> VolumeKey256:
        """A fresh key."""
        return cls(AESGCM.generate_key(bit_length=256))
