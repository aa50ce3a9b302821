"""Version and state of the SEV firmware, asked of /dev/sev (Linux include/uapi/linux/psp-sev.h)."""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confvm_gui.fleet.readiness.host import Host
from confvm_gui.fleet.readiness.item import Item, ok, unknown, warning
from confvm_gui.fleet.readiness.processor import read_processor
from confvm_gui.sev.snp_product import ProductLine
from confvm_gui.sev.tcb_version import TcbVersion

_SEV_ISSUE_CMD: Final = 0xC0105300
"""_IOWR('S', 0, struct sev_issue_cmd), whose 16 bytes are u32 cmd | u64 data | u32 error."""
_PLATFORM_STATUS: Final = 1
_SNP_PLATFORM_STATUS: Final = 9
_OWN_VERSION: Final = (1, 51)
"""First API version of firmware with SNP that is not provisional."""


@dataclass(frozen=True, slots=True)
class FirmwareReading:
    """What the platform says of itself."""

    api_major: int
    api_minor: int
    build: int
    state: int
    guests: int
    snp_tcb: int | None = None
    """Reported TCB version, 64 bits; None where SNP is not initialized."""


ReadFirmware = Callable[[Path], FirmwareReading]
"""Asks a device; raises OSError."""


def read_firmware_status(device: Path) -> FirmwareReading:
    """Ask /dev/sev; OSError if it cannot be opened or the firmware refuses."""
    descriptor = os.open(device, os.O_RDWR | os.O_CLOEXEC)
    try:
        # A packed structure without padding, unlike what the firmware itself writes.
        major, minor, state, _flags, build, guests = struct.unpack("<BBBIBI", _issue(descriptor, _PLATFORM_STATUS, 12))
        tcb = None
        with suppress(OSError):  # no SNP: an older kernel, processor or BIOS setting
            tcb = struct.unpack("<BBBBIIIQQ", _issue(descriptor, _SNP_PLATFORM_STATUS, 32))[-1]
        return FirmwareReading(major, minor, build, state, guests, tcb)
    finally:
        os.close(descriptor)


def _issue(descriptor: int, command: int, size: int) -> bytes:
    buffer = ctypes.create_string_buffer(size)
    request = bytearray(struct.pack("<IQI", command, ctypes.addressof(buffer), 0))
    fcntl.ioctl(descriptor, _SEV_ISSUE_CMD, request, True)
    return buffer.raw


def firmware_item(host: Host, read: ReadFirmware) -> Item:
    """The item about the SEV firmware."""
    title = "SEV firmware"
    try:
        reading = read(host.path("dev/sev"))
    except OSError as error:
        return unknown(
            "firmware",
            title,
            f"/dev/sev cannot be asked: {error.strerror or error}",
            "Run this as a user who may open /dev/sev",
        )
    found = f"API {reading.api_major}.{reading.api_minor} build {reading.build}, {reading.guests} guests"
    if reading.snp_tcb is not None:
        processor = read_processor(host)
        product = None if processor is None else ProductLine.of_cpu(processor.identity)
        tcb = (
            f"{reading.snp_tcb:#x}" if product is None else str(TcbVersion.decode(reading.snp_tcb, product.tcb_layout))
        )
        found += f", reported TCB {tcb}"
    if reading.state == 0:
        hint = "ccp initializes it at load or, with psp_init_on_probe=0, at the first guest; see dmesg if that fails"
        return warning("firmware", title, f"{found}; not initialized", hint)
    if reading.snp_tcb is not None and (reading.api_major, reading.api_minor) < _OWN_VERSION:
        return warning("firmware", title, found, "Update the BIOS: this firmware is older than SNP's first release")
    return ok("firmware", title, found)
