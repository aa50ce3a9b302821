"""The memory encryption key of one guest (VEK)."""

from __future__ import annotations

from confvm_gui.sev.key_material import SecretKey


class VolumeKey(SecretKey):
    """A VEK: 128 bits, made inside the secure processor, handed to the memory controller and to nobody else.

    Does not print, pickle or copy.
    """

    __slots__ = ()

    def cipher_key(self) -> bytes:
        """The AES key, for the memory controller alone."""
        return self.reveal()
