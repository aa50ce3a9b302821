"""Messages between an SNP guest and the firmware (56860, chapter on guest messages; Linux drivers/virt/coco/sev-guest).

    header, 0x60:  AUTHTAG 32 | MSG_SEQNO u64 | zeros 8 | ALGO u8 = 1 | HDR_VERSION u8 = 1 | HDR_SIZE u16 = 0x60
                   MSG_TYPE u8 | MSG_VERSION u8 = 1 | MSG_SIZE u16 | zeros 4 | MSG_VMPCK u8 | zeros 35
    payload:       AES-256-GCM(VMPCK, nonce = MSG_SEQNO || zeros 4, authenticated: the header from ALGO on)

The tag is 16 bytes, in the first half of AUTHTAG. Sequence numbers count up by one, answers included, for each VMPCK.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from confvm_gui.domain.errors import InvalidInput

HEADER_SIZE: Final = 0x60
TAG_SIZE: Final = 16
MAXIMUM_PAYLOAD: Final = 4096 - HEADER_SIZE

_HEADER: Final = struct.Struct("<32sQ8sBBHBBH4sB35s")
_AUTHENTICATED_FROM: Final = 0x30


class MessageType(IntEnum):
    """MSG_TYPE."""

    KEY_REQ = 3
    KEY_RSP = 4
    REPORT_REQ = 5
    REPORT_RSP = 6


@dataclass(frozen=True, slots=True)
class GuestMessage:
    """A message as it lies in a shared page. Nothing in it is in clear but the header."""

    header: bytes
    sequence: int
    message_type: int
    vmpck: int
    """0 to 3: which key, and so which VMPL."""
    tag: bytes
    ciphertext: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Decode a header and as much payload as it says; InvalidInput("message")."""
        if len(data) < HEADER_SIZE:
            raise InvalidInput("message", f"a guest message has a header of {HEADER_SIZE} bytes")
        tag, sequence, zeros, algorithm, version, size, kind, _, length, zeros_2, vmpck, zeros_3 = _HEADER.unpack_from(
            data
        )
        if (algorithm, version, size) != (1, 1, HEADER_SIZE) or any(zeros + zeros_2 + zeros_3 + tag[TAG_SIZE:]):
            raise InvalidInput("message", "the message's header is not of version 1 with AES-256-GCM")
        if vmpck > 3 or length > MAXIMUM_PAYLOAD or len(data) != HEADER_SIZE + length:
            raise InvalidInput("message", "the message's key or length is not legal")
        return cls(data[:HEADER_SIZE], sequence, kind, vmpck, tag[:TAG_SIZE], data[HEADER_SIZE:])

    def open(self, key: bytes) -> bytes:
        """The payload; InvalidInput("message") if it was not sealed with `key` (32 bytes), or was altered."""
        sealed = self.ciphertext + self.tag
        try:
            return AESGCM(key).decrypt(_nonce(self.sequence), sealed, self.header[_AUTHENTICATED_FROM:])
        except InvalidTag:
            raise InvalidInput("message", "the message was not sealed with the guest's VMPCK, or was altered") from None


def seal_message(key: bytes, message_type: MessageType, payload: bytes, *, sequence: int, vmpck: int) -> bytes:
    """Header and payload of a message; `key` has 32 bytes."""
    blank = _HEADER.pack(b"", sequence, b"", 1, 1, HEADER_SIZE, message_type, 1, len(payload), b"", vmpck, b"")
    sealed = AESGCM(key).encrypt(_nonce(sequence), payload, blank[_AUTHENTICATED_FROM:])
    return sealed[-TAG_SIZE:] + blank[TAG_SIZE:] + sealed[:-TAG_SIZE]


def _nonce(sequence: int) -> bytes:
    return sequence.to_bytes(12, "little")
