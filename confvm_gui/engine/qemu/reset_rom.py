"""The code at a vCPU's reset vector: 64 KiB below 4 GiB that enter Linux as its 32-bit boot protocol asks.

QEMU's own firmware would load the kernel after the vCPU has been released, out of the secure processor's reach. Here
everything is in RAM, measured and encrypted, before that; what is left to do is to switch to protected mode and jump
(Linux, Documentation/arch/x86/boot.rst, "32-bit Boot Protocol"): flat segments, code 0x10 and data 0x18, ESI the
address of the boot parameters, EBX, EBP and EDI zero, interrupts and paging off. Beside that it lets the local APIC
pass on the interrupts of the 8259, without which nothing but the processor's clock would tick.

    0x0000   start, 16-bit code
    0x0040   entry, 32-bit code
    0x0100   GDT, 4 descriptors
    0x0120   GDTR
    0xFFF0   reset vector: jump to start
"""

from __future__ import annotations

import struct
from typing import Final

ROM_SIZE: Final = 64 << 10
"""Bytes; what QEMU takes for a firmware is made of whole 64 KiB."""
ROM_GPA: Final = 0xF0000
"""Where the ROM shows below 1 MiB as well, and where its bytes are measured."""
_BASE: Final = 0xFFFF_0000
"""Where it lies below 4 GiB; CS points there at reset."""
_ENTRY: Final = 0x40
_GDT: Final = 0x100
_GDTR: Final = 0x120
_RESET: Final = 0xFFF0
_APIC: Final = 0xFEE0_0000
_APIC_AT_BOOT: Final = ((0x0F0, 0x1FF), (0x350, 0x700), (0x360, 0x400))
"""Local APIC on, LINT0 takes the interrupts of the 8259 (ExtINT), LINT1 is NMI: as every firmware leaves it."""
_CODE_SEGMENT: Final = 0x10
_DATA_SEGMENT: Final = 0x18
_CODE_DESCRIPTOR: Final = 0x00CF_9A00_0000_FFFF
_DATA_DESCRIPTOR: Final = 0x00CF_9200_0000_FFFF


def reset_rom(boot_parameters: int, kernel: int) -> bytes:
    """The ROM for boot parameters and a kernel's protected-mode code at these GPAs; ROM_SIZE bytes."""
    start = (
        b"\xfa"  # cli
        + b"\x2e\x66\x0f\x01\x16"  # lgdt cs:[GDTR], with a base of 32 bits
        + struct.pack("<H", _GDTR)
        + b"\x0f\x20\xc0"  # mov eax, cr0
        + b"\x0c\x01"  # or al, 1
        + b"\x0f\x22\xc0"  # mov cr0, eax
        + b"\x66\xea"  # jmp CODE:ENTRY, with an offset of 32 bits
        + struct.pack("<IH", _BASE + _ENTRY, _CODE_SEGMENT)
    )
    entry = (
        b"\x66\xb8"  # mov ax, DATA
        + struct.pack("<H", _DATA_SEGMENT)
        + b"\x8e\xd8\x8e\xc0\x8e\xd0\x8e\xe0\x8e\xe8"  # mov ds, es, ss, fs, gs, ax
        + b"".join(
            b"\xc7\x05" + struct.pack("<II", _APIC + at, value) for at, value in _APIC_AT_BOOT
        )  # mov [at], value
        + b"\xbe"  # mov esi, boot_parameters
        + struct.pack("<I", boot_parameters)
        + b"\x31\xed\x31\xff\x31\xdb"  # xor ebp, ebp; xor edi, edi; xor ebx, ebx
        + b"\xb8"  # mov eax, kernel
        + struct.pack("<I", kernel)
        + b"\xff\xe0"  # jmp eax
    )
    rom = bytearray(ROM_SIZE)
    for offset, code in (
        (0, start),
        (_ENTRY, entry),
        (_GDT, struct.pack("<4Q", 0, 0, _CODE_DESCRIPTOR, _DATA_DESCRIPTOR)),
        (_GDTR, struct.pack("<HI", 4 * 8 - 1, _BASE + _GDT)),
        (_RESET, b"\xe9" + struct.pack("<H", -(_RESET + 3) & 0xFFFF)),  # jmp start
    ):
        rom[offset : offset + len(code)] = code
    return bytes(rom)
