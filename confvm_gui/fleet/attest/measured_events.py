"""What an event of a register stands for, in words, and which events differ between two boots.

Works on the claims `events.pcr.N` and `events.rtmrN`: a line for each event, `TYPE digest text`. Two events are the
same if their digests are; type and text are not measured, and serve to name them only.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

_SIMPLE: Final = {
    "EV_S_CRTM_VERSION": "firmware version",
    "EV_S_CRTM_CONTENTS": "firmware",
    "EV_NONHOST_INFO": "memory encryption",
    "EV_CPU_MICROCODE": "processor microcode",
    "EV_SEPARATOR": "separator",
    "EV_EFI_GPT_EVENT": "partition table",
    "EV_EFI_GPT_EVENT2": "partition table",
    "EV_EFI_HANDOFF_TABLES": "ACPI and SMBIOS tables",
    "EV_EFI_HANDOFF_TABLES2": "ACPI and SMBIOS tables",
    "EV_PLATFORM_CONFIG_FLAGS": "platform configuration",
}
_NAMED: Final = {
    "EV_EFI_PLATFORM_FIRMWARE_BLOB": "firmware volume",
    "EV_EFI_PLATFORM_FIRMWARE_BLOB2": "firmware volume",
    "EV_EFI_VARIABLE_BOOT": "boot variable",
    "EV_EFI_VARIABLE_BOOT2": "boot variable",
    "EV_EFI_VARIABLE_AUTHORITY": "Secure Boot authority",
}
"""With the text behind it as a name."""
_QUOTED: Final = {
    "EV_POST_CODE": "firmware",
    "EV_EFI_ACTION": "action",
    "EV_ACTION": "action",
    "EV_EVENT_TAG": "tagged event",
    "EV_COMPACT_HASH": "event",
}
_STUB: Final = {"LOADED_IMAGE::LoadOptions": "kernel command line", "Linux initrd": "initrd"}
"""Tags of Linux's EFI stub."""
_IMAGES: Final = {
    "EV_EFI_BOOT_SERVICES_APPLICATION": "boot application",
    "EV_EFI_BOOT_SERVICES_DRIVER": "driver",
    "EV_EFI_RUNTIME_SERVICES_DRIVER": "driver",
}
_DATABASES: Final = ("PK", "KEK", "db", "dbx")
_FILE: Final = re.compile(r"File\(([^)]*)\)")
_COMMAND_LINE: Final = re.compile(r"(?:grub_)?kernel_cmdline:? ")
_COMMAND: Final = re.compile(r"grub_cmd:? |module_cmdline: ")


class MeasuredLine(NamedTuple):
    """One event."""

    type: str
    digest: str
    """Hex."""
    text: str

    @classmethod
    def parse(cls, line: str) -> MeasuredLine:
        """Take a line of a claim apart."""
        kind, _, rest = line.partition(" ")
        digest, _, text = rest.partition(" ")
        return cls(kind, digest, text)

    @property
    def file_name(self) -> str:
        """Of an image, the last part of its path; or ""."""
        names: list[str] = _FILE.findall(self.text)
        return re.split(r"[\\/]", names[-1])[-1] if names else ""

    def words(self) -> str:
        """`boot application 'records'`, `Secure Boot database db` …"""
        if self.type in _IMAGES:
            return f"{_IMAGES[self.type]} '{self.file_name}'" if self.file_name else _IMAGES[self.type]
        if self.type == "EV_EFI_VARIABLE_DRIVER_CONFIG":
            if self.text == "SecureBoot":
                return "Secure Boot"
            return f"Secure Boot database {self.text}" if self.text in _DATABASES else f"variable {self.text}".rstrip()
        if self.type == "EV_IPL":
            return self._loader_words()
        if self.type == "EV_IPL_PARTITION_DATA":
            return self.text or "boot data"
        if self.type in _SIMPLE:
            return _SIMPLE[self.type]
        if self.type in _QUOTED:
            return _STUB.get(self.text) or _QUOTED[self.type] + (f" '{self.text}'" if self.text else "")
        return f"{_NAMED.get(self.type, self.type)} {self.text}".rstrip()

    def fact(self) -> tuple[str, ...]:
        """Names of claims that say the same in plain values; the first that is there is meant."""
        if self.type == "EV_EFI_VARIABLE_DRIVER_CONFIG" and self.text == "SecureBoot":
            return ("secure_boot",)
        if self.type == "EV_IPL" and _COMMAND_LINE.match(self.text):
            return ("kernel_command_line",)
        return {
            "EV_S_CRTM_VERSION": ("firmware.version",),
            "EV_NONHOST_INFO": ("confvm.technology", "gce.technology"),
        }.get(self.type, ())

    def shown(self, other: MeasuredLine | None) -> str:
        """What tells it from `other`: a text that differs, and the digest."""
        if other is None or self.text == other.text or not self.text:
            return self.digest
        return f"{self.file_name or self.text} ({self.digest})"

    def _loader_words(self) -> str:
        if _COMMAND_LINE.match(self.text):
            return "kernel command line"
        if command := _COMMAND.match(self.text):
            return f"boot loader's command '{self.text[command.end() :]}'"
        return f"boot loader's file '{self.text}'" if self.text else "boot loader's event"


class Difference(NamedTuple):
    """An event that was replaced, or is on one side only."""

    before: MeasuredLine | None
    now: MeasuredLine | None

    def words(self) -> str:
        """What it stands for; by the former name where there are two."""
        line = self.before or self.now
        return line.words() if line is not None else ""


def differences(before: Sequence[str], now: Sequence[str]) -> list[Difference]:
    """Events that differ between two lists of lines, in order of the boot; empty if only their order does."""
    old, new = [MeasuredLine.parse(line) for line in before], [MeasuredLine.parse(line) for line in now]
    if {len(line.digest) for line in old} != {len(line.digest) for line in new} and old and new:
        return []  # of two banks: nothing can be compared
    left, added = _without(old, new), _without(new, old)
    partners = _partners(left, added)
    found = [Difference(line, partner) for line, partner in zip(left, partners, strict=True)]
    kept = {id(partner) for partner in partners}
    return found + [Difference(None, line) for line in added if id(line) not in kept]


def _partners(left: list[MeasuredLine], added: list[MeasuredLine]) -> list[MeasuredLine | None]:
    """For each of `left` the one of `added` that took its place: of its type and text, else the next of its type."""
    found: list[MeasuredLine | None] = [None] * len(left)
    taken: set[int] = set()
    for key in (lambda line: (line.type, line.text), lambda line: (line.type, "")):
        waiting: dict[tuple[str, str], deque[int]] = {}
        for index, line in enumerate(added):
            if index not in taken:
                waiting.setdefault(key(line), deque()).append(index)
        for index, line in enumerate(left):
            queue = waiting.get(key(line))
            if found[index] is None and queue:
                taken.add(queue[0])
                found[index] = added[queue.popleft()]
    return found


def _without(lines: list[MeasuredLine], others: list[MeasuredLine]) -> list[MeasuredLine]:
    """Lines whose digest is not among those of `others`, as often as it is there."""
    counts: dict[str, int] = {}
    for other in others:
        counts[other.digest] = counts.get(other.digest, 0) + 1
    rest = []
    for line in lines:
        if counts.get(line.digest, 0):
            counts[line.digest] -= 1
        else:
            rest.append(line)
    return rest
