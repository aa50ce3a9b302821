"""What an event says, as text for people."""

from __future__ import annotations

import struct
from typing import Final

from confvm_gui.attestation.eventlog.event_types import EventType
from confvm_gui.attestation.eventlog.log import Event
from confvm_gui.attestation.eventlog.uefi import ImageLoad, UefiVariable
from confvm_gui.domain.errors import InvalidInput

_TAG: Final = struct.Struct("<II")
_TD_SHIM: Final = b"td_payload_info\0"
"""td-shim's event for a kernel that it boots directly: this name, a size of four bytes, the command line."""
_TD_SHIM_HEADER: Final = len(_TD_SHIM) + 4


def event_text(event: Event) -> str:
    """One line: a variable's name, a path, a command; "" where the data says nothing to a person."""
    try:
        return _text(event)
    except InvalidInput:
        return ""


def _text(event: Event) -> str:
    data = event.data
    match event.type:
        case (
            EventType.EV_EFI_VARIABLE_DRIVER_CONFIG
            | EventType.EV_EFI_VARIABLE_BOOT
            | EventType.EV_EFI_VARIABLE_BOOT2
            | EventType.EV_EFI_VARIABLE_AUTHORITY
        ):
            return UefiVariable.parse(data).name
        case (
            EventType.EV_EFI_BOOT_SERVICES_APPLICATION
            | EventType.EV_EFI_BOOT_SERVICES_DRIVER
            | EventType.EV_EFI_RUNTIME_SERVICES_DRIVER
        ):
            return "/".join(str(node) for node in ImageLoad.parse(data).path)
        case EventType.EV_EFI_PLATFORM_FIRMWARE_BLOB2 | EventType.EV_EFI_HANDOFF_TABLES2:
            length = data[0] if data else 0
            return data[1 : 1 + length].decode("utf-8", "replace").rstrip("\0")
        case EventType.EV_EVENT_TAG:
            return tagged(data)[1].split(b"\0")[0].decode("utf-8", "replace")
        case EventType.EV_S_CRTM_VERSION:
            return data.decode("utf-16-le", "replace").rstrip("\0")
        case EventType.EV_PLATFORM_CONFIG_FLAGS if data.startswith(_TD_SHIM):
            return f"{plain_text(data)} {plain_text(data[_TD_SHIM_HEADER:])}"
        case EventType.EV_EFI_GPT_EVENT | EventType.EV_SEPARATOR:
            return ""
    return plain_text(data)


def tagged(data: bytes) -> tuple[int, bytes]:
    """Tag and content of an EV_EVENT_TAG event; InvalidInput("evidence")."""
    if len(data) < _TAG.size:
        raise InvalidInput("evidence", "A tagged event is cut short")
    tag, length = _TAG.unpack_from(data)
    content = data[_TAG.size : _TAG.size + length]
    if len(content) != length:
        raise InvalidInput("evidence", "A tagged event is cut short")
    return tag, content


def plain_text(data: bytes) -> str:
    """Text up to the first NUL; UTF-16 where it is a section name of a unified kernel image (`.linux`)."""
    if data[:2] == b".\0" and len(data) % 2 == 0:
        return data.decode("utf-16-le", "replace").rstrip("\0")
    cut = data.split(b"\0")[0]
    try:
        text = cut.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if all(part.isprintable() for part in text.split()) else ""
