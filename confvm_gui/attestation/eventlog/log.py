"""Event logs out of bytes (TCG PC Client Platform Firmware Profile, section 10; UEFI specification, section 38.4).

    TCG_PCR_EVENT    pcr u32 | type u32 | SHA-1 digest 20 | size u32 | data        SHA-1 logs, and every first event
    TCG_PCR_EVENT2   pcr u32 | type u32 | count u32 | {algorithm u16, digest} | size u32 | data     crypto agile logs

A log is crypto agile if its first event is EV_NO_ACTION with "Spec ID Event03", which names the algorithms and their
digest sizes. A CC event log has the same form, with measurement register indexes in place of PCRs. Buffers are larger
than logs: what follows the last event is 0x00 or 0xFF to the end.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from confvm_gui.attestation.byte_reader import ByteReader, require_size
from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.event_types import EventType, type_name

MAX_LOG_SIZE: Final = 4 << 20
MAX_EVENTS: Final = 2048
"""Real logs have some hundred."""
MAX_BANKS: Final = 5

_SPEC_ID_03: Final = b"Spec ID Event03\0"
_SHA1_HEADER: Final = struct.Struct("<II20sI")
_WHAT: Final = "The event log"
_AGILE_HEADER: Final = struct.Struct("<III")
_KNOWN: Final = {int(item): item for item in HashAlgorithm}


@dataclass(frozen=True, slots=True)
class Event:
    """One measured event."""

    number: int
    """Place in the log, from 0; the specification event of a crypto agile log is not counted."""
    register: int
    """PCR, or measurement register of a CC event log (1 is RTMR0)."""
    type: int
    digests: Mapping[HashAlgorithm, bytes]
    data: bytes

    @property
    def type_name(self) -> str:
        return type_name(self.type)

    def digest_is_of(self, algorithm: HashAlgorithm, data: bytes) -> bool:
        """Whether what was measured is the hash of `data`."""
        return self.digests.get(algorithm) == algorithm.digest(data)

    def digest_matches(self) -> bool:
        """Whether what was measured is the hash of the event's own data, in every bank. For many types it is not."""
        return bool(self.digests) and all(self.digest_is_of(algorithm, self.data) for algorithm in self.digests)


@dataclass(frozen=True, slots=True)
class EventLog:
    """A log as it stands."""

    events: tuple[Event, ...]
    algorithms: tuple[HashAlgorithm, ...]
    """Banks that the log has digests for."""
    crypto_agile: bool
    size: int
    """Bytes without padding."""


def parse_event_log(data: bytes, field: str = "evidence") -> EventLog:
    """Decode a log, padded or not; InvalidInput(`field`)."""
    require_size(data, MAX_LOG_SIZE, _WHAT, field)
    reader = ByteReader(data, _WHAT, field=field)
    first = _sha1_event(reader, 0)
    if _is_specification(first):
        sizes = _specification(first.data, field)
        known = tuple(HashAlgorithm(number) for number in sizes if number in _KNOWN)
        events = _read_all(reader, sizes, 0)
        return EventLog(events, known, True, reader.position)
    events = (first, *_read_all(reader, None, 1))
    return EventLog(events, (HashAlgorithm.SHA1,), False, reader.position)


def log_algorithms(data: bytes, field: str = "evidence") -> tuple[HashAlgorithm, ...]:
    """Banks that the log at the beginning of `data` has digests for, from its first event; InvalidInput(`field`)."""
    first = _sha1_event(ByteReader(data, _WHAT, field=field), 0)
    if not _is_specification(first):
        return (HashAlgorithm.SHA1,)
    return tuple(HashAlgorithm(number) for number in _specification(first.data, field) if number in _KNOWN)


def looks_like_event_log(data: bytes) -> bool:
    """Whether a first event of a log stands here: an EV_NO_ACTION (in PCR 0, or RTMR0), or a plausible SHA-1 event."""
    if len(data) < _SHA1_HEADER.size:
        return False
    register, kind, digest, size = _SHA1_HEADER.unpack_from(data)
    if kind == EventType.EV_NO_ACTION:
        return register in (0, 1) and not any(digest) and _SHA1_HEADER.size + size <= len(data)
    return (
        register < 24
        and (kind <= EventType.EV_POST_CODE2 or kind >> 16 == 0x8000)
        and any(digest)
        and 0 < size <= len(data) - _SHA1_HEADER.size
    )


def _sha1_event(reader: ByteReader, number: int) -> Event:
    register, kind, digest, size = _SHA1_HEADER.unpack(reader.take(_SHA1_HEADER.size))
    return Event(number, register, kind, {HashAlgorithm.SHA1: digest}, reader.take(size))


def _is_specification(event: Event) -> bool:
    return event.type == EventType.EV_NO_ACTION and event.data.startswith(_SPEC_ID_03)


def _specification(data: bytes, field: str) -> dict[int, int]:
    """Digest sizes by algorithm id, out of TCG_EfiSpecIDEvent (section 10.4.5.1)."""
    reader = ByteReader(data, "The event log's specification event", field=field, position=len(_SPEC_ID_03))
    reader.take(4)  # platform class
    minor, major = reader.number(1), reader.number(1)
    reader.take(2)  # errata, size of UINTN
    if (major, minor) != (2, 0):
        raise reader.error(f"has version {major}.{minor}; 2.0 is known")
    count = reader.number(4)
    if not 1 <= count <= MAX_BANKS:
        raise reader.error(f"names {count} algorithms")
    sizes: dict[int, int] = {}
    for _ in range(count):
        algorithm, size = reader.number(2), reader.number(2)
        known = algorithm in _KNOWN
        if algorithm in sizes or not 1 <= size <= 128 or (known and HashAlgorithm(algorithm).size != size):
            raise reader.error(f"gives algorithm {algorithm:#06x} twice, or a digest of {size} bytes")
        sizes[algorithm] = size
    reader.counted(1)  # vendor information
    reader.finish()
    return sizes


def _read_all(reader: ByteReader, sizes: dict[int, int] | None, number: int) -> tuple[Event, ...]:
    """Events up to the end or the padding."""
    events: list[Event] = []
    while reader.left and not _is_padding(reader):
        if len(events) >= MAX_EVENTS:
            raise reader.error(f"has more than {MAX_EVENTS} events")
        at = number + len(events)
        events.append(_sha1_event(reader, at) if sizes is None else _agile_event(reader, sizes, at))
    return tuple(events)


def _is_padding(reader: ByteReader) -> bool:
    """Whether from here to the end there is nothing but 0x00, or nothing but 0xFF."""
    byte = reader.data[reader.position]
    if byte not in (0x00, 0xFF) or reader.data[reader.position : reader.position + 8].strip(bytes((byte,))):
        return False
    return not reader.data[reader.position : reader.end].strip(bytes((byte,)))


def _agile_event(reader: ByteReader, sizes: dict[int, int], number: int) -> Event:
    data = reader.data
    register, kind, count = _AGILE_HEADER.unpack(reader.take(_AGILE_HEADER.size))
    if not count and kind != EventType.EV_NO_ACTION:
        raise reader.error(f"has no digest in event {number}")
    if count > len(sizes):
        raise reader.error(f"has {count} digests in event {number}, but names {len(sizes)} algorithms")
    digests: dict[HashAlgorithm, bytes] = {}
    seen: set[int] = set()
    position = reader.position
    for _ in range(count):
        algorithm = int.from_bytes(data[position : position + 2], "little")
        if algorithm not in sizes or algorithm in seen:
            raise reader.error(f"has a digest of algorithm {algorithm:#06x} in event {number} that it does not name")
        seen.add(algorithm)
        end = position + 2 + sizes[algorithm]
        known = _KNOWN.get(algorithm)
        if known is not None:
            digests[known] = data[position + 2 : end]
        position = end
    reader.take(position - reader.position)  # checks that all of it was there
    return Event(number, register, kind, digests, reader.counted(4, limit=MAX_LOG_SIZE))
