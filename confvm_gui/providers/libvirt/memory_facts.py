"""What a live domain's definition tells of its RAM: where it lies, whether it is encrypted, and how it is backed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.memory import PAGE_SIZE, MemoryRegion
from confvm_gui.providers.libvirt.bounded_xml import parse

_MIB: Final = 1 << 20
_GIB: Final = 1 << 30
_FOUR_GIB: Final = 4 * _GIB
_VGA_START: Final = 0xA0000
_VGA_END: Final = 0xC0000
"""The legacy VGA window of a PC: reading it reads the graphics device, not RAM, and can change the device's state."""
_VIRT_BASE: Final = _GIB
"""Where RAM begins on QEMU's Arm `virt` machine (hw/arm/virt.c)."""
_UNITS: Final = {
    "b": 1, "bytes": 1,
    "k": 1 << 10, "KiB": 1 << 10, "KB": 10**3,
    "M": 1 << 20, "MiB": 1 << 20, "MB": 10**6,
    "G": 1 << 30, "GiB": 1 << 30, "GB": 10**9,
    "T": 1 << 40, "TiB": 1 << 40, "TB": 10**12,
}  # fmt: skip
_MOST: Final = 1 << 52
"""Bytes: the physical address space of today's processors."""
_HEX: Final = re.compile(r"0x[0-9a-fA-F]{1,16}")


@dataclass(frozen=True, slots=True)
class MemoryFacts:
    """RAM of a domain."""

    regions: tuple[MemoryRegion, ...]
    """By ascending GPA."""
    file_offsets: tuple[int, ...]
    """Of each region, where it begins in the file that backs all RAM."""
    file_size: int
    """Bytes of that file; 0 where RAM has several backends."""
    protection: str
    """Type of `<launchSecurity>`: `sev`, `sev-snp`, `tdx` …; "" for a plain VM."""
    shared_file: bool
    """RAM is backed by a memfd or a file that the host's other processes may map."""
    live_id: int
    """libvirt's number of this power-on; -1 while it does not run."""


def memory_facts(xml: str) -> MemoryFacts:
    """Read a domain's definition. Raises InvalidInput("xml")."""
    root = parse(xml)
    machine = root.find("os/type")
    kind = machine.get("machine", "") if machine is not None else ""
    arch = machine.get("arch", "x86_64") if machine is not None else "x86_64"
    modules = tuple(_modules(root))
    total = _size(root.find("memory"))
    base = total - sum(region.length for region in modules)
    if base <= 0:
        raise InvalidInput("xml", "The definition names no RAM")
    regions, offsets = main_memory(arch, kind, base)
    security = root.find("launchSecurity")
    live = root.get("id", "")
    several = bool(modules) or len(root.findall("cpu/numa/cell")) > 1
    return MemoryFacts(
        regions=(*regions, *sorted(modules, key=lambda region: region.gpa)),
        file_offsets=offsets,
        file_size=0 if several else base,
        protection="" if security is None else security.get("type", "unknown"),
        shared_file=_is_shared(root),
        live_id=int(live) if live.isascii() and live.isdigit() and len(live) < 10 else -1,
    )


def main_memory(arch: str, machine: str, size: int) -> tuple[tuple[MemoryRegion, ...], tuple[int, ...]]:
    """Regions of `size` bytes of RAM on a QEMU machine, and the offset of each in its backing.

    PCs leave a hole below 4 GiB for devices. Q35 puts 2 GiB below it once 2.75 GiB do not fit (hw/i386/pc_q35.c),
    i440fx 3 GiB once 3.5 GiB do not fit (hw/i386/pc_piix.c), microvm 3 GiB (hw/i386/microvm.c).
    """
    size = size // PAGE_SIZE * PAGE_SIZE
    if arch not in ("x86_64", "i686"):
        return (MemoryRegion(_VIRT_BASE if arch in ("aarch64", "armv7l") else 0, size),), (0,)
    if "microvm" in machine:
        below = 3 * _GIB if size >= 3 * _GIB else size
    elif "i440fx" in machine or machine == "pc":
        below = 3 * _GIB if size >= 0xE0000000 else size
    else:
        below = 2 * _GIB if size >= 0xB0000000 else size
    regions = [MemoryRegion(0, min(_VGA_START, below))]
    offsets = [0]
    if below > _VGA_END:
        regions.append(MemoryRegion(_VGA_END, below - _VGA_END))
        offsets.append(_VGA_END)
    if size > below:
        regions.append(MemoryRegion(_FOUR_GIB, size - below))
        offsets.append(below)
    return tuple(regions), tuple(offsets)


def kept_whole(regions: Sequence[MemoryRegion], gpa: int, length: int) -> bool:
    """Whether the range lies within one region."""
    return any(region.gpa <= gpa and gpa + length <= region.gpa + region.length for region in regions)


def _modules(root: Element) -> list[MemoryRegion]:
    """Plugged modules (DIMM); those whose address is not known yet cannot be read."""
    found: list[MemoryRegion] = []
    for module in root.findall("devices/memory"):
        if module.get("model") != "dimm":
            continue
        address = module.find("address")
        text = address.get("base", "") if address is not None else ""
        size = _size(module.find("target/size"))
        if _HEX.fullmatch(text) and size and not int(text, 16) % PAGE_SIZE:
            found.append(MemoryRegion(int(text, 16), size // PAGE_SIZE * PAGE_SIZE, "DIMM"))
    return found


def _is_shared(root: Element) -> bool:
    source = root.find("memoryBacking/source")
    access = root.find("memoryBacking/access")
    if source is None or source.get("type") not in ("memfd", "file") or access is None:
        return False
    return access.get("mode") == "shared"


def _size(element: Element | None) -> int:
    if element is None or not (text := (element.text or "").strip()).isascii() or not text.isdigit() or len(text) > 16:
        return 0
    return min(int(text) * _UNITS.get(element.get("unit", "KiB"), 1 << 10), _MOST)
