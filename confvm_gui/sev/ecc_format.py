"""Elliptic-curve keys and signatures as SEV writes them: little-endian, 72 bytes a component (55766, appendix C).

The specification gives every component 576 bits, room for P-521; what is above the curve's own width is zero.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from confvm_gui.sev.errors import InvalidInput, require_length

COMPONENT_SIZE: Final = 72
PUBLIC_KEY_SIZE: Final = 0x404
"""Bytes of the public key field: CURVE 4, QX 72, QY 72, zeros."""
ECDSA_SIZE: Final = 2 * COMPONENT_SIZE
"""Bytes of R and S together."""


class Curve(IntEnum):
    P256 = 1
    P384 = 2


def curve_for(curve: Curve) -> ec.EllipticCurve:
    """The curve object that goes with an id."""
    return ec.SECP256R1() if curve is Curve.P256 else ec.SECP384R1()


def curve_id(curve: ec.EllipticCurve) -> Curve:
    """The id of a curve; InvalidInput("certificate") for one that SEV has none for."""
    if isinstance(curve, ec.SECP384R1):
        return Curve.P384
    if isinstance(curve, ec.SECP256R1):
        return Curve.P256
    raise InvalidInput("certificate", f"SEV knows the curves P-256 and P-384, not {curve.name}; use a key on P-384")


def encode_public_key(key: ec.EllipticCurvePublicKey) -> bytes:
    """The PUBLIC_KEY_SIZE bytes of a public key field."""
    numbers = key.public_numbers()
    encoded = (
        curve_id(key.curve).to_bytes(4, "little")
        + numbers.x.to_bytes(COMPONENT_SIZE, "little")
        + numbers.y.to_bytes(COMPONENT_SIZE, "little")
    )
    return encoded.ljust(PUBLIC_KEY_SIZE, b"\x00")


def decode_public_key(field: bytes) -> ec.EllipticCurvePublicKey:
    """The key in a public key field of PUBLIC_KEY_SIZE bytes.

    InvalidInput("certificate") if the curve is unknown, the point is not on it, or padding is not zero.
    """
    require_length(field, PUBLIC_KEY_SIZE, "certificate", "The public key field")
    identifier = int.from_bytes(field[:4], "little")
    if identifier not in (Curve.P256, Curve.P384):
        raise InvalidInput(
            "certificate", f"The certificate's key is on curve {identifier}; 1 (P-256) or 2 (P-384) is known"
        )
    if any(field[4 + ECDSA_SIZE :]):
        raise InvalidInput("certificate", "Bytes after the certificate's public key are not zero")
    x = int.from_bytes(field[4 : 4 + COMPONENT_SIZE], "little")
    y = int.from_bytes(field[4 + COMPONENT_SIZE : 4 + ECDSA_SIZE], "little")
    try:
        return ec.EllipticCurvePublicNumbers(x, y, curve_for(Curve(identifier))).public_key()
    except ValueError:
        raise InvalidInput("certificate", "The certificate's public key is not a point on its curve") from None


def encode_ecdsa(der: bytes) -> bytes:
    """R and S, ECDSA_SIZE bytes, from a DER signature as `cryptography` makes it."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(COMPONENT_SIZE, "little") + s.to_bytes(COMPONENT_SIZE, "little")


def decode_ecdsa(raw: bytes) -> bytes:
    """The DER form of R and S (ECDSA_SIZE bytes)."""
    require_length(raw, ECDSA_SIZE, "certificate", "An ECDSA signature")
    return encode_dss_signature(
        int.from_bytes(raw[:COMPONENT_SIZE], "little"), int.from_bytes(raw[COMPONENT_SIZE:], "little")
    )
