"""The packets of SEND_UPDATE_* and RECEIVE_UPDATE_*: a piece of a guest on its way between two platforms (55766).

    header, 52 bytes:  FLAGS 4 = 0 | IV 16 | MAC 32, as a secret packet's
    payload:           AES-128-CTR(TEK, IV, piece)
    MAC = HMAC-SHA-256(TIK, CONTEXT || FLAGS || IV || GUEST_LENGTH || TRANS_LENGTH || payload)

CONTEXT is 2 for data and 3 for a VMSA, between the 1 of a secret packet and the 4 of a measurement. Where a piece lies
in the guest is not authenticated: SEV leaves the order of pages to the two hosts, as the mapping of pages to one.
"""

from __future__ import annotations

import hmac
import struct
from enum import IntEnum

from confvm_gui.sev import aes_ctr
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.key_material import fresh_128_bits
from confvm_gui.sev.secret_packet import SecretPacketHeader
from confvm_gui.sev.session import TransportKeys


class PacketKind(IntEnum):
    """The context byte of the MAC."""

    DATA = 2
    VMSA = 3


def seal(keys: TransportKeys, kind: PacketKind, piece: bytes) -> tuple[bytes, bytes]:
    """Header (52 bytes) and payload for `piece`, whose length is a multiple of 16."""
    iv = fresh_128_bits()
    payload = aes_ctr.crypt(keys.tek.reveal(), iv, piece)
    return SecretPacketHeader(0, iv, _mac(keys, kind, 0, iv, payload)).to_bytes(), payload


def open_packet(keys: TransportKeys, kind: PacketKind, header: SecretPacketHeader, payload: bytes) -> bytes:
    """The piece, after the MAC was checked; InvalidInput("packet")."""
    if not hmac.compare_digest(_mac(keys, kind, header.flags, header.iv, payload), header.mac):
        raise InvalidInput("packet", "the packet is not of this migration, or was altered on its way; send it again")
    return aes_ctr.crypt(keys.tek.reveal(), header.iv, payload)


def _mac(keys: TransportKeys, kind: PacketKind, flags: int, iv: bytes, payload: bytes) -> bytes:
    lengths = struct.pack("<II", len(payload), len(payload))
    message = b"".join((bytes((kind,)), flags.to_bytes(4, "little"), iv, lengths, payload))
    return hmac.digest(keys.tik.reveal(), message, "sha256")
