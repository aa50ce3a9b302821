"""Questions to a guest and its answers, sealed, through two areas of shared memory.

    area:      sequence u32 | length u32 | 8 zero bytes | payload           (request at 0x10000, response at 0x18000)
    payload:   AES-256-CCM(key, nonce, text), the 16-byte tag at the end, no associated data
    nonce:     direction (0x01 request, 0x02 response) | 8 zero bytes | sequence, big-endian u32
    request:   verb 0x1F column 0x1F value 0x1F upper
    response:  status 0x1E count 0x1E note 0x1E, then rows ended by 0x1E each, their fields joined by 0x1F

Write payload and length, then the sequence, which rises from 1, then ring the doorbell. The guest answers with the
same sequence, written last. What is not authentic it ignores, and so must the console: with CCM (NIST SP 800-38C)
neither side can be made to take the other's, an old or an altered message for a new one.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from confvm_gui.domain.errors import GuestFault, InvalidInput
from confvm_gui.domain.query import Query

REQUEST_GPA: Final = 0x10000
RESPONSE_GPA: Final = 0x18000
AREA_BYTES: Final = 0x8000
HEADER_BYTES: Final = 16
MAXIMUM_PAYLOAD: Final = AREA_BYTES - HEADER_BYTES

_HEADER: Final = struct.Struct("<IIQ")
_TAG_BYTES: Final = 16
_UNIT: Final = "\x1f"
_RECORD: Final = "\x1e"
_REQUEST: Final = 1
_RESPONSE: Final = 2
_HEAD_FIELDS: Final = 3


@dataclass(frozen=True, slots=True)
class MailboxAnswer:
    """A guest's answer, opened and taken apart. It does not print the rows."""

    ok: bool
    """False: the question was wrong or came too early, and `note` says why."""
    count: int
    note: str = field(repr=False)
    rows: tuple[tuple[str, ...], ...] = field(repr=False)


def pack_header(sequence: int, length: int) -> bytes:
    """The 16 bytes before a payload."""
    return _HEADER.pack(sequence, length, 0)


def unpack_header(data: bytes) -> tuple[int, int]:
    """Sequence and length of an area's first 16 bytes."""
    sequence, length, _ = _HEADER.unpack_from(data)
    return int(sequence), int(length)


class MailboxKey:
    """The key of one instance's mailbox. Neither printed nor pickled."""

    __slots__ = ("_ccm",)

    def __init__(self, key: bytes) -> None:
        self._ccm = AESCCM(key, tag_length=_TAG_BYTES)

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError("a mailbox key is neither pickled nor copied")

    def seal_request(self, sequence: int, query: Query) -> bytes:
        """The payload of a request. Raises InvalidInput("query") if it is too long or holds a separator."""
        parts = (query.verb.value, query.column, query.value, query.upper)
        if any(_UNIT in part or _RECORD in part for part in parts):
            raise InvalidInput("query", "A question cannot hold the control characters 0x1E and 0x1F")
        try:
            text = _UNIT.join(parts).encode()
        except UnicodeEncodeError:
            raise InvalidInput("query", "The question holds characters that cannot be written as UTF-8") from None
        if len(text) + _TAG_BYTES > MAXIMUM_PAYLOAD:
            raise InvalidInput("query", f"The question has {len(text):,} bytes; at most 32,736 fit")
        return self._ccm.encrypt(_nonce(_REQUEST, sequence), text, None)

    def open_request(self, sequence: int, payload: bytes) -> str:
        """A request's text, as the guest sees it; GuestFault if it is not authentic. For rehearsals and tests."""
        return self._open(_REQUEST, sequence, payload)

    def seal_answer(self, sequence: int, text: str) -> bytes:
        """The payload of an answer, as the guest makes it. For rehearsals and tests."""
        return self._ccm.encrypt(_nonce(_RESPONSE, sequence), text.encode(), None)

    def open_answer(self, sequence: int, payload: bytes) -> MailboxAnswer:
        """Check and take apart the payload of a response; GuestFault if it is not authentic or makes no sense."""
        return parse_answer(self._open(_RESPONSE, sequence, payload))

    def _open(self, direction: int, sequence: int, payload: bytes) -> str:
        if not _TAG_BYTES <= len(payload) <= MAXIMUM_PAYLOAD:
            raise GuestFault(f"A mailbox message has {len(payload):,} bytes, which cannot be")
        try:
            return self._ccm.decrypt(_nonce(direction, sequence), payload, None).decode()
        except InvalidTag:
            raise GuestFault("A mailbox message is not authentic: somebody else than the guest wrote it") from None
        except UnicodeDecodeError:
            raise GuestFault("The guest's answer is not UTF-8 text") from None


def parse_answer(text: str) -> MailboxAnswer:
    """Take an opened response apart; GuestFault if it makes no sense."""
    parts = text.split(_RECORD)
    if len(parts) <= _HEAD_FIELDS or parts[-1] or parts[0] not in ("ok", "error"):
        raise GuestFault("The guest's answer does not have the form of one")
    if not (parts[1].isascii() and parts[1].isdigit() and len(parts[1]) <= 20):
        raise GuestFault("The guest's answer has no count")
    rows = tuple(tuple(row.split(_UNIT)) for row in parts[_HEAD_FIELDS:-1])
    return MailboxAnswer(parts[0] == "ok", int(parts[1]), parts[2], rows)


def _nonce(direction: int, sequence: int) -> bytes:
    return bytes([direction]) + bytes(8) + sequence.to_bytes(4, "big")
