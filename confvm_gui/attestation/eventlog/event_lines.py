"""One line for each event of a register, so that two boots can be compared event by event.

    EV_EFI_BOOT_SERVICES_APPLICATION 3a53de41…ff109 File(\\records)

Type, digest in the bank that was verified, and what the event says of itself. The digest is what was measured; type
and text are the log's word for it.
"""

from __future__ import annotations

from typing import Final

from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.event_types import EventType
from confvm_gui.attestation.eventlog.log import Event
from confvm_gui.attestation.eventlog.text import event_text

MAX_LINES: Final = 512
"""Of a whole log. Real ones have up to 300."""
_MAX_TEXT: Final = 160
_MAX_DATA: Final = 2048
"""Bytes of an event whose text is read: databases of certificates have none worth it but their name."""
_NAME_SIZE: Final = 256
"""Bytes of a large event that are enough for the name in front."""
_MAX_PATHS: Final = 64
"""Events whose device path is read, which takes time."""
_IMAGES: Final = (
    EventType.EV_EFI_BOOT_SERVICES_APPLICATION,
    EventType.EV_EFI_BOOT_SERVICES_DRIVER,
    EventType.EV_EFI_RUNTIME_SERVICES_DRIVER,
)
_VARIABLES: Final = (EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, EventType.EV_EFI_VARIABLE_AUTHORITY)


def event_lines(events: tuple[Event, ...], algorithm: HashAlgorithm) -> dict[int, tuple[str, ...]]:
    """Lines by register, of the first MAX_LINES events that were measured in this bank."""
    found: dict[int, list[str]] = {}
    count = paths = 0
    for event in events:
        digest = event.digests.get(algorithm)
        if event.type == EventType.EV_NO_ACTION or digest is None:
            continue
        count += 1
        if count > MAX_LINES:
            break
        paths += event.type in _IMAGES
        text = _text(event) if paths <= _MAX_PATHS or event.type not in _IMAGES else ""
        line = f"{event.type_name} {digest.hex()} {text}"
        found.setdefault(event.register, []).append(line.rstrip())
    return {register: tuple(lines) for register, lines in found.items()}


def _text(event: Event) -> str:
    """On one line; "" if it is not for reading."""
    if len(event.data) <= _MAX_DATA:
        text = event_text(event)
    else:
        text = _variable_name(event.data[:_NAME_SIZE]) if event.type in _VARIABLES else ""
    text = " ".join(text.split())[:_MAX_TEXT]
    return text if text.isprintable() else ""


def _variable_name(data: bytes) -> str:
    """Name of a UEFI_VARIABLE_DATA whose content is not looked at; "" if it is not all there."""
    length = int.from_bytes(data[16:24], "little")
    if length > (len(data) - 32) // 2:
        return ""
    return data[32 : 32 + 2 * length].decode("utf-16-le", "replace")
