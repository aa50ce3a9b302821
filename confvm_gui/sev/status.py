"""Status codes of the firmware and what they mean, in its own words (55766, section 4.4; from 0x19 on: 56860)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType


class Status(IntEnum):
    """What a command answers."""

    SUCCESS = 0x00
    INVALID_PLATFORM_STATE = 0x01
    INVALID_GUEST_STATE = 0x02
    INVALID_CONFIG = 0x03
    INVALID_LENGTH = 0x04
    ALREADY_OWNED = 0x05
    INVALID_CERTIFICATE = 0x06
    POLICY_FAILURE = 0x07
    INACTIVE = 0x08
    INVALID_ADDRESS = 0x09
    BAD_SIGNATURE = 0x0A
    BAD_MEASUREMENT = 0x0B
    ASID_OWNED = 0x0C
    INVALID_ASID = 0x0D
    WBINVD_REQUIRED = 0x0E
    DF_FLUSH_REQUIRED = 0x0F
    INVALID_GUEST = 0x10
    INVALID_COMMAND = 0x11
    ACTIVE = 0x12
    HWERROR_PLATFORM = 0x13
    HWERROR_UNSAFE = 0x14
    UNSUPPORTED = 0x15
    INVALID_PARAM = 0x16
    RESOURCE_LIMIT = 0x17
    SECURE_DATA_INVALID = 0x18
    INVALID_PAGE_SIZE = 0x19
    INVALID_PAGE_STATE = 0x1A
    INVALID_MDATA_ENTRY = 0x1B
    INVALID_PAGE_OWNER = 0x1C
    AEAD_OFLOW = 0x1D
    RING_BUFFER_EXIT = 0x1F

    @property
    def wording(self) -> str:
        """The specification's sentence, without a full stop."""
        return WORDING[self]


WORDING: Mapping[Status, str] = MappingProxyType(
    {
        Status.SUCCESS: "Successful completion",
        Status.INVALID_PLATFORM_STATE: "The platform state is invalid for this command",
        Status.INVALID_GUEST_STATE: "The guest state is invalid for this command",
        Status.INVALID_CONFIG: "The platform configuration is invalid",
        Status.INVALID_LENGTH: "A memory buffer is too small",
        Status.ALREADY_OWNED: "The platform is already owned",
        Status.INVALID_CERTIFICATE: "The certificate is invalid",
        Status.POLICY_FAILURE: "Request is not allowed by guest policy",
        Status.INACTIVE: "The guest is inactive",
        Status.INVALID_ADDRESS: "The address provided is invalid",
        Status.BAD_SIGNATURE: "The provided signature is invalid",
        Status.BAD_MEASUREMENT: "The provided measurement is invalid",
        Status.ASID_OWNED: "The ASID is already owned",
        Status.INVALID_ASID: "The ASID is invalid",
        Status.WBINVD_REQUIRED: "WBINVD instruction required",
        Status.DF_FLUSH_REQUIRED: "DF_FLUSH invocation required",
        Status.INVALID_GUEST: "The guest handle is invalid",
        Status.INVALID_COMMAND: "The command issued is invalid",
        Status.ACTIVE: "The guest is active",
        Status.HWERROR_PLATFORM: "A hardware condition has occurred affecting the platform; "
        "it is safe to re-allocate parameter buffers",
        Status.HWERROR_UNSAFE: "A hardware condition has occurred affecting the platform; "
        "re-allocating parameter buffers is not safe",
        Status.UNSUPPORTED: "Feature is unsupported",
        Status.INVALID_PARAM: "A given parameter is invalid",
        Status.RESOURCE_LIMIT: "The SEV firmware has run out of a resource required to carry out the command",
        Status.SECURE_DATA_INVALID: "The SEV platform observed a failed integrity check",
        Status.INVALID_PAGE_SIZE: "The RMP page size is incorrect",
        Status.INVALID_PAGE_STATE: "The RMP page state is incorrect",
        Status.INVALID_MDATA_ENTRY: "The metadata entry is invalid",
        Status.INVALID_PAGE_OWNER: "The page ownership is incorrect",
        Status.AEAD_OFLOW: "The AEAD algorithm would have overflowed",
        Status.RING_BUFFER_EXIT: "A mailbox mode command was sent while the firmware was in ring buffer mode; "
        "ring buffer mode has been exited, the command ignored, retry is recommended",
    }
)
