"""A crypto-agile event log as it is written (TCG PC Client Platform Firmware Profile, section 10).

TCG_PCR_EVENT    pcr u32 | type u32 | SHA-1 digest 20 | size u32 | data       the first event, which names the banks
TCG_PCR_EVENT2   pcr u32 | type u32 | count u32 | {algorithm u16, digest} | size u32 | data     all that follow
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final, NamedTuple

from confvm_gui.engine.vtpm.pcr_banks import Bank

_SPEC_ID: Final = b"Spec ID Event03\0"
_SHA1_SIZE: Final = 20
_UINTN_64_BIT: Final = 2
_ERRATA: Final = 105


class EventType(IntEnum):
    """Types that an embedded guest's boot uses (table 27)."""

    EV_NO_ACTION = 0x03
    EV_SEPARATOR = 0x04
    EV_S_CRTM_VERSION = 0x08
    EV_IPL = 0x0D
    EV_IPL_PARTITION_DATA = 0x0E
    EV_NONHOST_INFO = 0x11
    EV_EFI_VARIABLE_DRIVER_CONFIG = 0x80000001
    EV_EFI_BOOT_SERVICES_APPLICATION = 0x80000003
    EV_EFI_ACTION = 0x80000007
    EV_EFI_VARIABLE_AUTHORITY = 0x800000E0


class MeasuredEvent(NamedTuple):
    """Something that goes into a PCR, and how the log tells of it."""

    pcr: int
    type: EventType
    data: bytes
    """What stands in the log."""
    measured: bytes | None = None
    """What is hashed, where that is not `data`."""

    def digests(self) -> dict[Bank, bytes]:
        """What the PCRs are extended with."""
        content = self.data if self.measured is None else self.measured
        return {bank: bank.digest(content) for bank in Bank}


class EventLogWriter:
    """The log of one boot."""

    def __init__(self) -> None:
        self._parts = [_specification_event()]

    def add(self, event: MeasuredEvent, digests: dict[Bank, bytes]) -> None:
        """Log an event with the digests that were measured."""
        listed = b"".join(struct.pack("<H", bank) + digest for bank, digest in digests.items())
        head = struct.pack("<III", event.pcr, event.type, len(digests))
        self._parts.append(head + listed + struct.pack("<I", len(event.data)) + event.data)

    def to_bytes(self) -> bytes:
        """The log as it stands."""
        return b"".join(self._parts)


def _specification_event() -> bytes:
    """TCG_EfiSpecIDEvent (section 10.4.5.1): version 2.0, the banks with their sizes, no vendor information."""
    banks = b"".join(struct.pack("<HH", bank, bank.size) for bank in Bank)
    version = struct.pack("<IBBBB", 0, 0, 2, _ERRATA, _UINTN_64_BIT)
    data = _SPEC_ID + version + struct.pack("<I", len(Bank)) + banks + b"\0"
    return struct.pack("<II", 0, EventType.EV_NO_ACTION) + bytes(_SHA1_SIZE) + struct.pack("<I", len(data)) + data
