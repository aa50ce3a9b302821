"""Bytes that must not leave by accident: keys that do not print, pickle or copy.

Python cannot keep a secret from code in its own process. What can be had is that a key is never written out by
machinery that did not mean to: a log line, a dataclass repr, a crash report with locals, a pickle to a worker.
"""

from __future__ import annotations

from typing import ClassVar, NoReturn, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from confvm_gui.sev.errors import BugError, require_length


def fresh_128_bits() -> bytes:
    """16 random bytes, for a key, a nonce or an initial counter block.

    From `cryptography`'s own key generator, the source of the Diffie-Hellman keys too, so that this package opens no
    generator of its own.
    """
    return AESGCM.generate_key(bit_length=128)


class SecretKey:
    """A 128-bit secret key. `reveal` is its one way out; `wipe` overwrites it."""

    __slots__ = ("_material",)

    SIZE: ClassVar[int] = 16
    """Bytes: SEV's symmetric and HMAC keys are all 128 bits (55766, chapter 2)."""

    def __init__(self, material: bytes) -> None:
        """Take `material`, SIZE bytes; InvalidInput("key") for any other length."""
        require_length(material, self.SIZE, "key", "A key")
        self._material = bytearray(material)

    @classmethod
    def generate(cls) -> Self:
        """A fresh key."""
        return cls(fresh_128_bits())

    def reveal(self) -> bytes:
        """The bytes of the key, for a primitive. BugError if the key was wiped."""
        if not self._material:
            raise BugError("A key was used after it had been destroyed")
        return bytes(self._material)

    def wipe(self) -> None:
        """Overwrite the key. Copies that primitives made of it are theirs to drop."""
        self._material[:] = bytes(len(self._material))
        self._material.clear()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, not shown>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is neither pickled nor copied")

    def __copy__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is not copied")

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is not copied")


class TransportKey(SecretKey):
    """TEK or TIK: encrypts or authenticates what travels between guest owner and firmware."""

    __slots__ = ()
