"""A Linux kernel in a guest's RAM, ready to be entered: which bytes lie where before the vCPU's first instruction.

    0x10000     boot parameters ("zero page"): the kernel's own setup header, filled in, and the map of memory
    0x20000     command line, ended by zero
    0xF0000     reset ROM (see `reset_rom`)
    0x100000    the kernel's protected-mode code
    top of RAM  initrd

They are measured in the order reset ROM, boot parameters, command line, kernel, initrd, each padded with zeros to
whole pages: so the launch digest covers everything that the guest begins with, and nothing is loaded later.
Offsets are those of Linux, Documentation/arch/x86/boot.rst and zero-page.rst.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.qemu.reset_rom import ROM_GPA, reset_rom

BOOT_PARAMETERS_GPA: Final = 0x10000
COMMAND_LINE_GPA: Final = 0x20000
KERNEL_GPA: Final = 0x100000
LARGEST_RAM: Final = 2 << 30
"""Bytes of RAM that a guest under QEMU gets at most: a page's GPA is then its place in the shared file, with no hole
for devices in between."""
_LOW_RAM_END: Final = 0x9F000
_RAM, _RESERVED = 1, 2
_SETUP_SECTS: Final = 0x1F1
_HEADER_START: Final = 0x1F1
_JUMP: Final = 0x201
_MAGIC: Final = 0x202
_VERSION: Final = 0x206
_LEAST_VERSION: Final = 0x20C
"""Of Linux 3.8: with `init_size`, `pref_address` and 64-bit kernels that are loaded as 32-bit ones."""
_SECTOR: Final = 512
_E820_COUNT: Final = 0x1E8
_E820_TABLE: Final = 0x2D0
_UNKNOWN_LOADER: Final = 0xFF


@dataclass(frozen=True, slots=True)
class BootPart:
    """Consecutive whole pages of RAM with one content."""

    name: str
    """For a person: `kernel`."""
    gpa: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Kernel:
    """What the loader must know of a bzImage."""

    header: bytes
    """The setup header, from offset 0x1F1 of the file on."""
    code: bytes
    command_line_size: int
    initrd_limit: int
    """The highest address that a byte of the initrd may have."""
    end: int
    """Address up to which the kernel needs memory before it has read the map."""


def boot_parts(kernel: bytes, initrd: bytes, command_line: str, ram_bytes: int) -> tuple[BootPart, ...]:
    """What to put where, in the order in which it is measured. `initrd`: b"" for none.

    Raises InvalidInput: "image" for what is no bootable kernel, "machine_type" if it does not fit `ram_bytes`,
    "command_line".
    """
    parsed = _parse(kernel)
    text = _command_line(command_line, parsed.command_line_size)
    top = min(ram_bytes, parsed.initrd_limit + 1)
    initrd_gpa = (top - len(initrd)) // PAGE_SIZE * PAGE_SIZE
    if initrd_gpa < max(parsed.end, KERNEL_GPA + len(parsed.code)) or ram_bytes > LARGEST_RAM:
        raise InvalidInput(
            "machine_type",
            f"Kernel and initrd do not fit into {ram_bytes >> 20} MiB of RAM; choose a machine type with more memory",
        )
    parameters = bytearray(PAGE_SIZE)
    parameters[_HEADER_START : _HEADER_START + len(parsed.header)] = parsed.header
    parameters[0x210] = _UNKNOWN_LOADER
    struct.pack_into("<II", parameters, 0x218, initrd_gpa if initrd else 0, len(initrd))
    struct.pack_into("<I", parameters, 0x228, COMMAND_LINE_GPA)
    ranges = (
        (0, _LOW_RAM_END, _RAM),
        (_LOW_RAM_END, KERNEL_GPA - _LOW_RAM_END, _RESERVED),
        (KERNEL_GPA, ram_bytes - KERNEL_GPA, _RAM),
    )
    parameters[_E820_COUNT] = len(ranges)
    for index, (start, length, kind) in enumerate(ranges):
        struct.pack_into("<QQI", parameters, _E820_TABLE + index * 20, start, length, kind)
    parts = [
        BootPart("reset ROM", ROM_GPA, reset_rom(BOOT_PARAMETERS_GPA, KERNEL_GPA)),
        BootPart("boot parameters", BOOT_PARAMETERS_GPA, bytes(parameters)),
        BootPart("command line", COMMAND_LINE_GPA, _padded(text)),
        BootPart("kernel", KERNEL_GPA, _padded(parsed.code)),
    ]
    if initrd:
        parts.append(BootPart("initrd", initrd_gpa, _padded(initrd)))
    return tuple(parts)


def _parse(kernel: bytes) -> _Kernel:
    if len(kernel) < 2 * _SECTOR or kernel[_MAGIC : _MAGIC + 4] != b"HdrS":
        raise InvalidInput("image", "This is no Linux kernel for x86 (bzImage): its setup header is missing")
    (version,) = struct.unpack_from("<H", kernel, _VERSION)
    if version < _LEAST_VERSION:
        raise InvalidInput(
            "image",
            f"The kernel speaks boot protocol {version >> 8}.{version & 0xFF}; 2.12 (Linux 3.8) or newer is due",
        )
    code_start = ((kernel[_SETUP_SECTS] or 4) + 1) * _SECTOR
    code = kernel[code_start:]
    header = kernel[_HEADER_START : _MAGIC + kernel[_JUMP]]
    if not code or not kernel[0x211] & 1 or len(header) < 0x264 - _HEADER_START:
        raise InvalidInput("image", "The kernel is damaged or no bzImage: it cannot be loaded at 1 MiB")
    initrd_limit, alignment = struct.unpack_from("<II", kernel, 0x22C)
    (command_line_size,) = struct.unpack_from("<I", kernel, 0x238)
    preferred, init_size = struct.unpack_from("<QI", kernel, 0x258)
    lowest = -(-KERNEL_GPA // alignment) * alignment if kernel[0x234] and alignment else KERNEL_GPA
    return _Kernel(header, code, command_line_size, initrd_limit, max(preferred, lowest) + init_size)


def _command_line(text: str, longest: int) -> bytes:
    try:
        encoded = text.encode("ascii")
    except UnicodeEncodeError:
        raise InvalidInput("command_line", "A kernel's command line is made of ASCII characters") from None
    longest = min(longest, PAGE_SIZE - 1)
    if len(encoded) > longest:
        raise InvalidInput(
            "command_line", f"The command line has {len(encoded)} characters; this kernel takes {longest}"
        )
    if any(character < 0x20 for character in encoded):
        raise InvalidInput("command_line", "A kernel's command line has no control characters")
    return encoded + b"\0"


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % PAGE_SIZE)
