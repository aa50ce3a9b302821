"""Offsets and guest physical addresses, with and without holes."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.memory import PAGE_SIZE, MemoryRegion
from confvm_gui.fleet.memory.address_space import AddressSpace, Run, chunks, parse_address
from confvm_gui.fleet.memory.cell_map import CellMap

LOW, HIGH = MemoryRegion(0, 3 << 30), MemoryRegion(4 << 30, 5 << 30)
PC = AddressSpace([HIGH, LOW])


def test_offsets_skip_the_hole() -> None:
    assert PC.length == 8 << 30
    assert PC.gpa((3 << 30) - 1) == (3 << 30) - 1
    assert PC.gpa(3 << 30) == 4 << 30
    assert PC.offset(4 << 30) == 3 << 30
    assert PC.digits == 9


@given(st.integers(0, PC.length - 1))
def test_every_offset_has_one_address(offset: int) -> None:
    assert PC.offset(PC.gpa(offset)) == offset
    assert PC.contains(PC.gpa(offset))


@pytest.mark.parametrize("gpa", [-1, 3 << 30, (4 << 30) - 1, 9 << 30, 2**64])
def test_addresses_outside_ram_are_refused_with_where_ram_is(gpa: int) -> None:
    assert not PC.contains(gpa)
    with pytest.raises(InvalidInput, match="0x100000000"):
        PC.offset(gpa)


def test_a_range_is_split_at_the_hole_and_clipped_to_ram() -> None:
    assert PC.parts((3 << 30) - 16, 32) == (
        Run((3 << 30) - 16, (3 << 30) - 16, 16),
        Run(3 << 30, 4 << 30, 16),
    )
    assert PC.parts(PC.length - 16, 100) == (Run(PC.length - 16, (9 << 30) - 16, 16),)
    assert PC.parts(PC.length, 1) == ()


def test_the_end_of_a_64_bit_address_space() -> None:
    top = AddressSpace([MemoryRegion(2**64 - (1 << 30), 1 << 30)])
    assert top.digits == 16
    assert top.gpa(top.length - 1) == 2**64 - 1


def test_regions_become_runs_joined_where_they_touch() -> None:
    runs = PC.of_regions(
        [
            MemoryRegion(0x3000, PAGE_SIZE),
            MemoryRegion(0x1000, 2 * PAGE_SIZE),
            MemoryRegion((3 << 30) - PAGE_SIZE, 2 << 30),
        ]
    )
    assert runs == (
        Run(0x1000, 0x1000, 3 * PAGE_SIZE),
        Run((3 << 30) - PAGE_SIZE, (3 << 30) - PAGE_SIZE, PAGE_SIZE),
        Run(3 << 30, 4 << 30, (1 << 30) - PAGE_SIZE),
    )


def test_alignment_stays_within_the_region() -> None:
    small = AddressSpace([MemoryRegion(0x1000, 3 * PAGE_SIZE)])
    assert small.aligned(Run(PAGE_SIZE, 0x2000, 16), 4 * PAGE_SIZE) == Run(0, 0x1000, 3 * PAGE_SIZE)


def test_chunks_cover_a_run_once() -> None:
    pieces = list(chunks(Run(0, 0x1000, 10), 4))
    assert [(piece.offset, piece.gpa, piece.length) for piece in pieces] == [
        (0, 0x1000, 4),
        (4, 0x1004, 4),
        (8, 0x1008, 2),
    ]


@pytest.mark.parametrize(
    ("text", "gpa"),
    [("0x1000", 0x1000), ("1000", 0x1000), (" 1_0000 ", 0x10000), ("FFh", 0xFF), ("+20", 0x120), ("-0x100", 0)],
)
def test_addresses_are_read_as_people_type_them(text: str, gpa: int) -> None:
    assert parse_address(text, PC, base=0x100) == gpa


@pytest.mark.parametrize("text", ["", "0x", "12g4", "-1000", "0xC0000000", "1" * 40, "１２", "0x-5"])
def test_wrong_addresses_are_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_address(text, PC, base=0x100)
    assert caught.value.field == "gpa"
    assert caught.value.message


@given(st.text(max_size=30))
def test_nothing_but_the_declared_error_escapes(text: str) -> None:
    with suppress(InvalidInput):
        assert PC.contains(parse_address(text, PC))


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=6),
    st.integers(1, 20),
)
def test_a_cell_map_finds_every_page_again(steps: list[tuple[int, int]], most: int) -> None:
    runs, place = [], 0
    for gap, size in steps:
        place += gap
        runs.append(Run(place * PAGE_SIZE, place * PAGE_SIZE, size * PAGE_SIZE))
        place += size
    cells = CellMap(runs, most_cells=most)
    assert cells.cells <= most
    covered = [page for run in runs for page in range(run.offset // PAGE_SIZE, (run.offset + run.length) // PAGE_SIZE)]
    seen = [page for cell in range(cells.cells) for page in cells.pages_of(cell, cell).tolist()]
    assert seen == covered
    for page in range(place + 2):
        cell = cells.cell_of(page)
        assert (cell is not None) == (page in covered)
        assert cell is None or page in cells.pages_of(cell, cell)
