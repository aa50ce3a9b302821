"""What the status commands answer: PLATFORM_STATUS and GUEST_STATUS (55766, chapters 5 and 6)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Self

from confvm_gui.sev.errors import InvalidInput, require_length
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.measurement import FirmwareVersion
from confvm_gui.sev.states import GuestState, PlatformState

PLATFORM_STATUS_SIZE: Final = 12

_PLATFORM_STATUS: Final = struct.Struct("<BBBBHBBI")


@dataclass(frozen=True, slots=True)
class PlatformStatus:
    """PLATFORM_STATUS.

    12 bytes: API_MAJOR 1 | API_MINOR 1 | STATE 1 | OWNER 1 (bit 0) | CONFIG 2 (bit 0: ES) | zero 1 | BUILD 1 |
    GUEST_COUNT 4.
    """

    version: FirmwareVersion
    state: PlatformState
    externally_owned: bool
    es_enabled: bool
    guest_count: int

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Decode PLATFORM_STATUS_SIZE bytes; InvalidInput("status")."""
        require_length(data, PLATFORM_STATUS_SIZE, "status", "A platform status")
        major, minor, state, owner, config, _, build, guests = _PLATFORM_STATUS.unpack(data)
        if state not in (PlatformState.UNINIT, PlatformState.INIT, PlatformState.WORKING):
            raise InvalidInput("status", f"The platform status has the unknown state {state}")
        return cls(
            FirmwareVersion(major, minor, build), PlatformState(state), bool(owner & 1), bool(config & 1), guests
        )

    def to_bytes(self) -> bytes:
        """PLATFORM_STATUS_SIZE bytes."""
        version = self.version
        return _PLATFORM_STATUS.pack(
            version.api_major,
            version.api_minor,
            self.state,
            self.externally_owned,
            self.es_enabled,
            0,
            version.build,
            self.guest_count,
        )


@dataclass(frozen=True, slots=True)
class GuestStatus:
    """GUEST_STATUS."""

    handle: int
    policy: GuestPolicy
    asid: int
    """0: not active."""
    state: GuestState
