"""What a guest's RAM holds before its first instruction, and kernels that are none."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.engine.qemu.linux_boot import LARGEST_RAM, BootPart, boot_parts
from confvm_gui.engine.qemu.reset_rom import ROM_SIZE
from tests.support.linux_kernel import kernel_path

RAM = 256 << 20
KERNEL = kernel_path().read_bytes()


def part(parts: tuple[BootPart, ...], name: str) -> BootPart:
    (found,) = (item for item in parts if item.name == name)
    return found


def test_the_parts_are_whole_pages_in_the_order_of_measurement_and_do_not_overlap() -> None:
    parts = boot_parts(KERNEL, b"initrd" * 1000, "console=ttyS0", RAM)
    assert [item.name for item in parts] == ["reset ROM", "boot parameters", "command line", "kernel", "initrd"]
    end = 0
    for item in sorted(parts, key=lambda item: item.gpa):
        assert item.gpa % 4096 == 0
        assert item.data
        assert len(item.data) % 4096 == 0
        assert item.gpa >= end
        end = item.gpa + len(item.data)
    assert end <= RAM
    assert len(part(parts, "reset ROM").data) == ROM_SIZE


def test_the_boot_parameters_name_initrd_command_line_and_ram() -> None:
    parts = boot_parts(KERNEL, b"i" * 5000, "quiet", RAM)
    parameters = part(parts, "boot parameters").data
    assert struct.unpack_from("<II", parameters, 0x218) == (part(parts, "initrd").gpa, 5000)
    assert struct.unpack_from("<I", parameters, 0x228) == (part(parts, "command line").gpa,)
    assert part(parts, "command line").data.startswith(b"quiet\0")
    ranges = [struct.unpack_from("<QQI", parameters, 0x2D0 + at * 20) for at in range(parameters[0x1E8])]
    assert ranges[-1] == (1 << 20, RAM - (1 << 20), 1)


def test_without_an_initrd_none_is_named() -> None:
    parts = boot_parts(KERNEL, b"", "", RAM)
    assert struct.unpack_from("<II", part(parts, "boot parameters").data, 0x218) == (0, 0)
    assert [item.name for item in parts][-1] == "kernel"


@pytest.mark.parametrize(
    ("kernel", "initrd", "command_line", "ram_bytes", "field"),
    [
        (b"", b"", "", RAM, "image"),
        (b"MZ" * 1000, b"", "", RAM, "image"),
        (KERNEL[:1024], b"", "", RAM, "image"),
        (KERNEL, b"", "x" * 5000, RAM, "command_line"),
        (KERNEL, b"", "naïve", RAM, "command_line"),
        (KERNEL, b"", "a\nb", RAM, "command_line"),
        (KERNEL, b"", "", 16 << 20, "machine_type"),
        (KERNEL, bytes(RAM), "", RAM, "machine_type"),
        (KERNEL, b"", "", LARGEST_RAM + 4096, "machine_type"),
    ],
)
def test_what_cannot_be_booted_is_refused(
    kernel: bytes, initrd: bytes, command_line: str, ram_bytes: int, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        boot_parts(kernel, initrd, command_line, ram_bytes)
    assert refused.value.field == field


@given(
    st.integers(0, 4096),
    st.lists(st.tuples(st.integers(0x1F1, 0x270), st.binary(min_size=1, max_size=8)), max_size=6),
)
def test_a_damaged_header_raises_nothing_else(length: int, damage: list[tuple[int, bytes]]) -> None:
    head = bytearray(KERNEL[:8192])
    for offset, data in damage:
        head[offset : offset + len(data)] = data
    try:
        boot_parts(bytes(head[: 4096 + length]), b"x", "quiet", RAM)
    except InvalidInput:
        return
