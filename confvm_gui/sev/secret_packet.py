"""The packet that carries a secret into a measured guest (55766, LAUNCH_SECRET).

    header, 52 bytes:  FLAGS 4 (bit 0: compressed) | IV 16 | MAC 32
    payload:           AES-128-CTR(TEK, IV, secret)
    MAC = HMAC-SHA-256(TIK, 0x01 || FLAGS || IV || GUEST_LENGTH || TRANS_LENGTH || payload || MEASURE)

GUEST_LENGTH and TRANS_LENGTH are the secret's and the payload's lengths, 32 bits little-endian, multiples of 16.
MEASURE, the MAC of this launch's measurement, makes the packet good for this launch only; firmware before API 0.17
leaves it out.
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass
from typing import Final, Self

from confvm_gui.sev import aes_ctr
from confvm_gui.sev.errors import InvalidInput, require_length
from confvm_gui.sev.measurement import DIGEST_SIZE
from confvm_gui.sev.secret_table import MAXIMUM_SIZE
from confvm_gui.sev.session import TransportKeys

PACKET_HEADER_SIZE: Final = 52
COMPRESSED: Final = 1
"""FLAGS bit 0."""

_HEADER: Final = struct.Struct("<I16s32s")
_SECRET_CONTEXT: Final = b"\x01"


@dataclass(frozen=True, slots=True)
class SecretPacketHeader:
    """The packet's header. Nothing in it is secret."""

    flags: int
    iv: bytes
    mac: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Decode PACKET_HEADER_SIZE bytes; InvalidInput("secret")."""
        require_length(data, PACKET_HEADER_SIZE, "secret", "A secret packet's header")
        flags, iv, mac = _HEADER.unpack(data)
        if flags & ~COMPRESSED:
            raise InvalidInput("secret", f"The secret packet's flags {flags:#x} have reserved bits set")
        return cls(flags, iv, mac)

    def to_bytes(self) -> bytes:
        """PACKET_HEADER_SIZE bytes."""
        return _HEADER.pack(self.flags, self.iv, self.mac)


def seal_secret(
    keys: TransportKeys, secret: bytes, *, measure: bytes | None, iv: bytes
) -> tuple[SecretPacketHeader, bytes]:
    """As the guest owner: header and payload for `secret`, whose length is a multiple of 16, at most 16 KiB.

    `measure` is the 32-byte MAC of the launch, None for firmware before API 0.17; `iv` is 16 fresh random bytes.
    InvalidInput("secret").
    """
    check_secret_length(len(secret))
    payload = aes_ctr.crypt(keys.tek.reveal(), iv, secret)
    return SecretPacketHeader(0, iv, _mac(keys, 0, iv, len(secret), payload, measure)), payload


def open_secret(
    keys: TransportKeys, header: SecretPacketHeader, payload: bytes, *, guest_length: int, measure: bytes | None
) -> bytes:
    """As the platform: the secret, after the MAC was checked.

    InvalidInput("secret") if the lengths are not legal or the packet was not made for this launch.
    """
    check_secret_length(len(payload))
    mac = _mac(keys, header.flags, header.iv, guest_length, payload, measure)
    if not hmac.compare_digest(mac, header.mac):
        raise InvalidInput(
            "secret", "The secret packet was not made for this launch or was altered; seal it anew with its measurement"
        )
    return aes_ctr.crypt(keys.tek.reveal(), header.iv, payload)


def check_secret_length(length: int) -> None:
    """Raise InvalidInput("secret") unless `length` is what LAUNCH_SECRET takes."""
    if not 0 < length <= MAXIMUM_SIZE or length % aes_ctr.BLOCK:
        raise InvalidInput(
            "secret", f"A secret packet has a multiple of 16 bytes, at most {MAXIMUM_SIZE}; {length} were given"
        )


def _mac(keys: TransportKeys, flags: int, iv: bytes, guest_length: int, payload: bytes, measure: bytes | None) -> bytes:
    if measure is not None:
        require_length(measure, DIGEST_SIZE, "secret", "The measurement's MAC")
    lengths = struct.pack("<II", guest_length, len(payload))
    message = b"".join((_SECRET_CONTEXT, flags.to_bytes(4, "little"), iv, lengths, payload, measure or b""))
    return hmac.digest(keys.tik.reveal(), message, "sha256")
