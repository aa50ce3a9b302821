"""The secret in a chip's fuses, from which everything follows that stays with the chip: its id, CEK and VCEKs.

AMD does not publish how a chip derives its keys. Here it is SEV's own key derivation over 256 bits, with a label per
purpose: the same secret gives the same chip, and a VCEK is good for one TCB only.
"""

from __future__ import annotations

from typing import ClassVar, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from confvm_gui.sev.kdf import derive
from confvm_gui.sev.key_material import SecretKey

_P384_ORDER: Final = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
)
_SCALAR_BYTES: Final = 56
"""64 bits more than the order has, so that no scalar is likelier than another."""


class ChipSecret(SecretKey):
    """256 bits, made once for an emulated chip. Does not print, pickle or copy.

    Whoever keeps `reveal()` in a safe place and gives it back later has the same chip again.
    """

    __slots__ = ()

    SIZE: ClassVar[int] = 32

    @classmethod
    def generate(cls) -> ChipSecret:
        """A new chip."""
        return cls(AESGCM.generate_key(bit_length=256))

    def bytes_for(self, purpose: bytes, context: bytes = b"", length: int = 32) -> bytes:
        """`length` bytes for `purpose`, the same at every call."""
        return derive(self.reveal(), b"confvm-chip-" + purpose, context, length)

    def key_for(self, purpose: bytes, context: bytes = b"") -> ec.EllipticCurvePrivateKey:
        """A key on P-384 for `purpose`, the same at every call."""
        number = int.from_bytes(self.bytes_for(purpose, context, _SCALAR_BYTES), "big")
        return ec.derive_private_key(number % (_P384_ORDER - 1) + 1, ec.SECP384R1())
