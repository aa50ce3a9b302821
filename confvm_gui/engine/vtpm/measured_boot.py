"""What the boot of an embedded guest measures, in order (TCG PC Client Platform Firmware Profile, section 3.3.4).

An embedded guest has no firmware: its host starts the image at its first byte. So the host measures in the firmware's
place, before the first instruction, and says so in the first event.

    PCR 0   EV_S_CRTM_VERSION, the emulator's name; EV_NONHOST_INFO, the memory encryption
    PCR 7   SecureBoot, PK, KEK, db, dbx; behind the separator, if it is on, the entry of db that lets the image run
    PCR 4   the call of the boot option; behind the separator the guest image
    PCR 5   the disk's header, ExitBootServices
    PCR 8   the command line, as GRUB does it
    PCR 0 to 7 are closed by a separator before the guest image is measured.

EV_NONHOST_INFO has the form of GCE's (signature of 16 bytes, technology, 15 zeros) under a signature of its own, so
that nobody takes an emulated host for one of Google's. Nothing checks a signature of the image's: Secure Boot on means
that the console's own images are let run by the emulated db, off means that nobody looked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from confvm_gui.engine.guests.memory_map import IMAGE_GPA
from confvm_gui.engine.vtpm.event_log import EventType, MeasuredEvent
from confvm_gui.engine.vtpm.uefi_events import (
    IMAGE_SECURITY_DATABASE,
    certificate_entry,
    certificate_list,
    digest_list,
    image_load,
    variable,
)
from confvm_gui.sev.expected_digest import LaunchMode

FIRMWARE_VERSION: Final = "ConfVM emulated firmware 1"
NON_HOST_INFO: Final = b"CVM NonHostInfo\0"

_TECHNOLOGIES: Final = {None: 0, LaunchMode.SEV: 1, LaunchMode.SEV_ES: 2, LaunchMode.SEV_SNP: 4}
"""The numbers that GCE's firmware uses."""
_BOOT_OPTION: Final = b"Calling EFI Application from Boot Option"
_EXIT_BOOT_SERVICES: Final = (b"Exit Boot Services Invocation", b"Exit Boot Services Returned with Success")
_SEPARATED: Final = range(8)
_REVOKED_IMAGE: Final = bytes(32)
"""dbx is never empty in the field; this is the digest of no image."""


@dataclass(frozen=True, slots=True)
class SecureBootKeys:
    """DER certificates of the emulated firmware's databases."""

    platform_key: bytes
    key_exchange_key: bytes
    database: bytes
    """Which lets the console's own images run."""


@dataclass(frozen=True, slots=True)
class MeasuredBoot:
    """What one start of a guest is made of."""

    image_name: str
    """File name of the guest image: `records`."""
    image: bytes
    command_line: str
    technology: LaunchMode | None
    """None: memory is not encrypted."""
    secure_boot: bool
    disk_header: bytes = b""
    """The clear header of the disk; b"" without a disk."""

    def events(self, keys: SecureBootKeys) -> Iterator[MeasuredEvent]:
        """Everything that is measured before the guest's first instruction."""
        yield MeasuredEvent(0, EventType.EV_S_CRTM_VERSION, f"{FIRMWARE_VERSION}\0".encode("utf-16-le"))
        statement = NON_HOST_INFO + bytes((_TECHNOLOGIES[self.technology],)) + bytes(15)
        yield MeasuredEvent(0, EventType.EV_NONHOST_INFO, statement)
        yield from self._secure_boot(keys)
        yield MeasuredEvent(4, EventType.EV_EFI_ACTION, _BOOT_OPTION)
        for pcr in _SEPARATED:
            yield MeasuredEvent(pcr, EventType.EV_SEPARATOR, bytes(4))
        if self.secure_boot:
            entry = variable("db", certificate_entry(keys.database), IMAGE_SECURITY_DATABASE)
            yield MeasuredEvent(7, EventType.EV_EFI_VARIABLE_AUTHORITY, entry)
        load = image_load(self.image_name, IMAGE_GPA, len(self.image))
        yield MeasuredEvent(4, EventType.EV_EFI_BOOT_SERVICES_APPLICATION, load, self.image)
        if self.disk_header:
            yield MeasuredEvent(5, EventType.EV_IPL_PARTITION_DATA, b"disk header\0", self.disk_header)
        command_line = self.command_line.encode()
        yield MeasuredEvent(8, EventType.EV_IPL, b"kernel_cmdline: " + command_line + b"\0", command_line)
        for action in _EXIT_BOOT_SERVICES:
            yield MeasuredEvent(5, EventType.EV_EFI_ACTION, action)

    def _secure_boot(self, keys: SecureBootKeys) -> Iterator[MeasuredEvent]:
        for event_data in (
            variable("SecureBoot", b"\1" if self.secure_boot else b"\0"),
            variable("PK", certificate_list(keys.platform_key)),
            variable("KEK", certificate_list(keys.key_exchange_key)),
            variable("db", certificate_list(keys.database), IMAGE_SECURITY_DATABASE),
            variable("dbx", digest_list(_REVOKED_IMAGE), IMAGE_SECURITY_DATABASE),
        ):
            yield MeasuredEvent(7, EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, event_data)
