"""The log of a measured boot, found in a machine's RAM (TCG PC Client Platform Firmware Profile, section 10).

No register and no table that the host can reach says where it is: the EFI stub of Linux copies the firmware's log for
the kernel, and the kernel makes another copy, with what the firmware measured last behind it. So all RAM is searched
for the first event that every crypto agile log begins with; what follows is walked event by event.

It is what the machine's own memory says. The guest can write whatever it likes there, as can the host.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

from confvm_gui.domain.errors import GuestFault, Transient, Unsupported
from confvm_gui.domain.memory import PAGE_SIZE, MemoryRegion

MOST_SEARCHED: Final = 8 << 30
"""Bytes of RAM. Of larger machines the guest agent gives the log in no time."""
LONGEST_LOG: Final = 1 << 20
"""Bytes. Linux's are some ten thousand."""
MOST_PLACES: Final = 256
"""Places that are looked at: the text stands in every kernel and tool that reads logs."""

_SPEC_ID: Final = b"Spec ID Event03\0"
_FIRST: Final = struct.Struct("<II20sI")
_EVENT: Final = struct.Struct("<III")
_SPECIFICATION: Final = struct.Struct("<IBBBBI")
_NO_ACTION: Final = 3
_LAST_CLASSIC_TYPE: Final = 0x13
_EFI_TYPES: Final = 0x8000
_MOST_REGISTERS: Final = 24
_MOST_BANKS: Final = 5
_MOST_EVENTS: Final = 2048
_LONGEST_EVENT: Final = 256 << 10
_LEAVING: Final = b"Exit Boot Services Invocation"
_OVERLAP: Final = 16 << 10
"""A little more than the text is read with the next piece, so that no log begins unseen between two."""

Read = Callable[[int, int], Awaitable[bytes]]
"""Whole pages of guest-physical memory: GPA and length in bytes."""


async def find_boot_log(read: Read, regions: Sequence[MemoryRegion], piece: int) -> bytes:
    """The log of the boot that is over, without padding. `piece`: bytes that are read at a time, whole pages.

    Raises Transient while the firmware is still at work or no system has taken the log over, GuestFault where RAM
    holds the logs of several boots, Unsupported for a machine that is too large; what `read` raises.
    """
    total = sum(region.length for region in regions)
    if total > MOST_SEARCHED:
        raise Unsupported(
            f"{total >> 30} GiB of RAM would have to be searched for the boot's log, and at most "
            f"{MOST_SEARCHED >> 30} GiB are: install qemu-guest-agent in the guest, which hands it over"
        )
    begun = False
    found: list[bytes] = []
    places = 0
    for region in regions:
        for start, length in _pieces(region, piece):
            window = await read(start, length)
            for at in _places(window):
                places += 1
                if places > MOST_PLACES:
                    raise GuestFault("This machine's memory names the beginning of a boot's log too often to be real")
                log = boot_log_at(window, at)
                if log and len(window) - at - len(log) < _LONGEST_EVENT:  # it may go on behind what was read
                    log = boot_log_at(await _tail(read, region, start + at), (start + at) % PAGE_SIZE)
                if log and _is_over(log):
                    found.append(log)
                begun = begun or bool(log)
    if not found:
        raise Transient(
            "The firmware has not handed over to a system yet: ask again when it has booted"
            if begun
            else "No log of a measured boot is in this machine's memory: it is still starting, or its system keeps none"
        )
    whole = max(found, key=len)
    if any(not whole.startswith(other) for other in found):
        raise GuestFault(
            "This machine's memory holds logs of several boots, and nothing tells which is the last: stop and start "
            "it, or install qemu-guest-agent in it"
        )
    return whole


def boot_log_at(data: bytes, at: int) -> bytes:
    """The well-formed log that begins at `at`, as far as its events are events; b"" if none does."""
    end = at
    for _, end in _events(data, at):
        if end - at > LONGEST_LOG:
            return b""
    return data[at:end]


def _is_over(log: bytes) -> bool:
    """Whether the firmware has left the machine to a system. Firmware without UEFI measures no such moment."""
    return _LEAVING in log or not any(kind >> 16 == _EFI_TYPES for kind, _ in _events(log, 0))


def _events(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Type and end of each event of the log that begins at `at`, up to the first that is none."""
    algorithms = _algorithms(data, at)
    if not algorithms:
        return
    end = at + _FIRST.size + _FIRST.unpack_from(data, at)[3]
    yield _NO_ACTION, end
    for _ in range(_MOST_EVENTS):
        after = _event_end(data, end, algorithms)
        if not after:
            return
        yield _EVENT.unpack_from(data, end)[1], after
        end = after


def _pieces(region: MemoryRegion, piece: int) -> Iterator[tuple[int, int]]:
    """GPA and length of what is read, each with the beginning of the next."""
    end = region.gpa + region.length
    for start in range(region.gpa, end, piece):
        yield start, min(piece + _OVERLAP, end - start)


def _places(window: bytes) -> Iterator[int]:
    """Where a first event may begin."""
    at = window.find(_SPEC_ID)
    while at >= 0:
        if at >= _FIRST.size:
            yield at - _FIRST.size
        at = window.find(_SPEC_ID, at + 1)


async def _tail(read: Read, region: MemoryRegion, gpa: int) -> bytes:
    """As much as a log may take, from the page that it begins in."""
    start = gpa // PAGE_SIZE * PAGE_SIZE
    return await read(start, min(LONGEST_LOG + PAGE_SIZE, region.gpa + region.length - start))


def _algorithms(data: bytes, at: int) -> dict[int, int]:
    """Digest sizes by algorithm, out of the first event (TCG_EfiSpecIDEvent, section 10.4.5.1); {} if it is none."""
    head = at + _FIRST.size
    if len(data) < head + len(_SPEC_ID) + _SPECIFICATION.size:
        return {}
    register, kind, digest, size = _FIRST.unpack_from(data, at)
    if register or kind != _NO_ACTION or any(digest) or data[head : head + len(_SPEC_ID)] != _SPEC_ID:
        return {}
    *_, count = _SPECIFICATION.unpack_from(data, head + len(_SPEC_ID))
    start = head + len(_SPEC_ID) + _SPECIFICATION.size
    if not 1 <= count <= _MOST_BANKS or not start + 4 * count < head + size <= min(len(data), start + 4 * count + 256):
        return {}
    pairs = [struct.unpack_from("<HH", data, start + 4 * index) for index in range(count)]
    sizes = dict(pairs)
    return sizes if len(sizes) == count and all(1 <= each <= 128 for each in sizes.values()) else {}


def _event_end(data: bytes, at: int, algorithms: dict[int, int]) -> int:
    """Where the TCG_PCR_EVENT2 that begins at `at` ends; 0 if there is none."""
    if len(data) < at + _EVENT.size:
        return 0
    register, kind, count = _EVENT.unpack_from(data, at)
    known = 0 < kind <= _LAST_CLASSIC_TYPE or kind >> 16 == _EFI_TYPES or kind == _NO_ACTION
    if register >= _MOST_REGISTERS or not known or count != len(algorithms):
        return 0
    at += _EVENT.size
    left = dict(algorithms)
    for _ in range(count):
        size = left.pop(int.from_bytes(data[at : at + 2], "little"), 0)
        if not size:
            return 0
        at += 2 + size
    if len(data) < at + 4:
        return 0
    length = int.from_bytes(data[at : at + 4], "little")
    end = at + 4 + length
    return end if length <= _LONGEST_EVENT and end <= len(data) else 0
