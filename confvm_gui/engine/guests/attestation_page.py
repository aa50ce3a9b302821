"""The shared page over which an SNP guest is asked for its report and given its keys.

All little-endian, at GPA 0xB000:

    0x000  magic u32 "VATT" | version u32 1
    0x008  request_seq u32        the host counts up from 1, and writes it behind the nonce
    0x00C  answer_seq u32         the guest's, written last
    0x010  nonce 32               the owner's
    0x030  public_key 32          the guest's X25519 key
    0x050  status u32             0, or what the firmware refused with | report_size u32
    0x100  report 0x4A0           REPORT_DATA = public_key || nonce
    0x800  sealed_seq u32         1 once a sealed secret lies there, 2 and up for owners' shares | sealed_size u32
    0x808  share_seq u32          the guest's, of the share that it looked at last | share_status u32
    0x810  sealed, 1 KiB at most  (`sealing.py`)

The hypervisor can write whatever it likes here. What makes the page worth something is the report's signature over key
and nonce, and the seal: the console checks the first, the guest opens the second.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple

from confvm_gui.domain.errors import GuestFault, InvalidInput
from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.guests.memory_map import ATTESTATION_GPA
from confvm_gui.sev.errors import require_length
from confvm_gui.sev.snp_report import SNP_REPORT_SIZE

NONCE_BYTES: Final = 32
PUBLIC_KEY_BYTES: Final = 32
MAXIMUM_SEALED: Final = 1024
"""Bytes of a sealed secret that the page takes."""

ANSWER_NOT_OF_THE_FIRMWARE: Final = 0x8000_0001
"""A status of the guest's own: what came back as a report was not sealed by the firmware."""
ANSWER_WITHOUT_REPORT: Final = 0x8000_0002
"""A status of the guest's own: the firmware sealed an answer that holds no whole report."""


class ShareStatus(IntEnum):
    """What became of an owner's share, as the guest tells it. The host can lie about it, and gains nothing."""

    TAKEN = 0
    NOT_SEALED_TO_US = 1
    NOT_OF_THIS_AGREEMENT = 2
    OPEN_NOTHING = 3


FIRST_SHARE: Final = 2
"""Number of the first sealed message behind the launch secret."""

_MAGIC: Final = 0x54544156
_VERSION: Final = 1
_HEAD: Final = struct.Struct("<IIII32s32sII")
_REQUEST_SEQUENCE: Final = 0x008
_NONCE: Final = 0x010
_REPORT: Final = 0x100
_SEALED_SEQUENCE: Final = 0x800
_SEALED_SIZE: Final = 0x804
_SHARE: Final = 0x808
_SHARE_ANSWER: Final = struct.Struct("<II")
_SEALED: Final = 0x810
_U32: Final = struct.Struct("<I")
_LAST_SEQUENCE: Final = (1 << 32) - 1


class PageWrite(NamedTuple):
    """Bytes for the guest's memory; a list of these is written in its order."""

    gpa: int
    data: bytes


@dataclass(frozen=True, slots=True)
class AttestationRequest:
    """What the page asks of the guest. For rehearsals and tests: the guest itself is in C."""

    sequence: int
    """0: nothing was asked yet."""
    nonce: bytes


@dataclass(frozen=True, slots=True)
class AttestationAnswer:
    """What the guest answered, not verified."""

    sequence: int
    """Of the request that is answered; 0: none was."""
    public_key: bytes
    """X25519, 32 bytes: what a secret for this guest is sealed to, once the report vouches for it."""
    status: int
    """0; or the firmware's status, or one of the guest's own above, and then there is no report."""
    report: bytes = field(repr=False)
    """ATTESTATION_REPORT, 0x4A0 bytes, or nothing."""


def empty_page() -> bytes:
    """The page as it lies there before the guest starts: nothing asked, nothing answered, nothing sealed."""
    return _HEAD.pack(_MAGIC, _VERSION, 0, 0, b"", b"", 0, 0).ljust(PAGE_SIZE, b"\0")


def request_writes(sequence: int, nonce: bytes) -> tuple[PageWrite, ...]:
    """Ask for a report over `nonce` (32 bytes); then ring the doorbell.

    `sequence` counts up from 1. Raises InvalidInput("nonce" or "sequence").
    """
    require_length(nonce, NONCE_BYTES, "nonce", "The nonce of an attestation")
    if not 1 <= sequence <= _LAST_SEQUENCE:
        raise InvalidInput("sequence", "The number of an attestation request is 1 or above and fits into 32 bits")
    return (
        PageWrite(ATTESTATION_GPA + _NONCE, bytes(nonce)),
        PageWrite(ATTESTATION_GPA + _REQUEST_SEQUENCE, _U32.pack(sequence)),
    )


def sealed_writes(sealed: bytes, sequence: int = 1) -> tuple[PageWrite, ...]:
    """Give the guest its sealed secret, or a share from `FIRST_SHARE` on; then ring the doorbell.

    Raises InvalidInput("sealed") if it does not fit.
    """
    if not 0 < len(sealed) <= MAXIMUM_SEALED:
        raise InvalidInput("sealed", f"A sealed secret has 1 to {MAXIMUM_SEALED:,} bytes, not {len(sealed):,}")
    return (
        PageWrite(ATTESTATION_GPA + _SEALED, bytes(sealed)),
        PageWrite(ATTESTATION_GPA + _SEALED_SIZE, _U32.pack(len(sealed))),
        PageWrite(ATTESTATION_GPA + _SEALED_SEQUENCE, _U32.pack(sequence)),
    )


def parse_share_status(page: bytes) -> tuple[int, ShareStatus]:
    """Number of the share that the guest looked at last, and what became of it; GuestFault for what cannot be."""
    _read_head(page)
    sequence, status = _SHARE_ANSWER.unpack_from(page, _SHARE)
    try:
        return sequence, ShareStatus(status)
    except ValueError:
        raise GuestFault(f"The guest answered a share with status {status:#x}, which cannot be") from None


def parse_answer(page: bytes) -> AttestationAnswer:
    """Take the page's 4,096 bytes apart; GuestFault where the guest left what cannot be an answer."""
    _, answered, _, public_key, status, size = _read_head(page)
    if not answered:
        return AttestationAnswer(0, bytes(PUBLIC_KEY_BYTES), 0, b"")
    if size != (0 if status else SNP_REPORT_SIZE):
        raise GuestFault(f"The guest answered with a report of {size:,} bytes and status {status:#x}, which cannot be")
    return AttestationAnswer(answered, public_key, status, page[_REPORT : _REPORT + size])


def parse_request(page: bytes) -> AttestationRequest:
    """What is asked, as the guest sees it; GuestFault where the page is none. For rehearsals and tests."""
    sequence, _, nonce, *_ = _read_head(page)
    return AttestationRequest(sequence, nonce)


def parse_sealed(page: bytes) -> bytes:
    """The sealed secret, b"" as long as there is none; GuestFault for a size that cannot be. As `parse_request`."""
    _read_head(page)
    (given,) = _U32.unpack_from(page, _SEALED_SEQUENCE)
    (size,) = _U32.unpack_from(page, _SEALED_SIZE)
    if given == 0:
        return b""
    if not 0 < size <= MAXIMUM_SEALED:
        raise GuestFault(f"The attestation page holds a sealed secret of {size:,} bytes, which cannot be")
    return page[_SEALED : _SEALED + size]


def encode_answer(answer: AttestationAnswer) -> tuple[PageWrite, ...]:
    """What the guest writes; InvalidInput("answer") for lengths that cannot be. For rehearsals and tests."""
    wanted = 0 if answer.status else SNP_REPORT_SIZE
    if len(answer.public_key) != PUBLIC_KEY_BYTES or len(answer.report) != wanted:
        raise InvalidInput("answer", "An answer has a key of 32 bytes and, with status 0, a report of 1,184")
    tail = answer.public_key + struct.pack("<II", answer.status, len(answer.report))
    return (
        PageWrite(ATTESTATION_GPA + _REPORT, bytes(answer.report)),
        PageWrite(ATTESTATION_GPA + _NONCE + NONCE_BYTES, tail),
        PageWrite(ATTESTATION_GPA + _REQUEST_SEQUENCE + 4, _U32.pack(answer.sequence)),
    )


def _read_head(page: bytes) -> tuple[int, int, bytes, bytes, int, int]:
    if len(page) != PAGE_SIZE:
        raise GuestFault(f"The attestation page has {len(page):,} bytes instead of {PAGE_SIZE:,}")
    magic, version, asked, answered, nonce, public_key, status, size = _HEAD.unpack_from(page)
    if (magic, version) != (_MAGIC, _VERSION):
        raise GuestFault("The guest's attestation page does not have the form of one")
    return int(asked), int(answered), bytes(nonce), bytes(public_key), int(status), int(size)
