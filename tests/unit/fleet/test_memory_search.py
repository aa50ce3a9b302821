"""Searching all RAM: counts are exact, and chance is told from evidence."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confvm_gui.domain.errors import InvalidInput, WrongState
from confvm_gui.domain.memory import PAGE_SIZE, MemoryRegion, PageKind, Viewer
from confvm_gui.fleet.memory.needle import Pattern, expected_by_chance, hex_patterns, proves_nothing, text_patterns
from confvm_gui.fleet.memory.search import CONTEXT, SearchProgress, search
from tests.support.fake_memory import DenseFakeMemory, FakeMachine, busy_machine
from tests.support.runners import Run

SECRET = b"Nadia Lindqvist"


def _machine(pages: int = 256, *, confidential: bool = False) -> FakeMachine:
    return FakeMachine([MemoryRegion(0, pages * PAGE_SIZE)], confidential=confidential)


def _brute_force(data: bytes, needle: bytes) -> list[int]:
    return [place for place in range(len(data) - len(needle) + 1) if data.startswith(needle, place)]


async def test_the_guest_has_the_secret_and_the_hypervisor_has_not() -> None:
    machine = busy_machine(secret=SECRET)
    patterns = text_patterns(SECRET.decode())
    guest = await search(machine.source(Viewer.GUEST), patterns)
    host = await search(machine.source(Viewer.HYPERVISOR), patterns)
    assert (guest.count, host.count) == (1, 0)
    assert guest.hits[0].gpa == 0x120000
    assert guest.hits[0].kind is PageKind.PLAINTEXT
    assert guest.counts == ((PageKind.PLAINTEXT, 1),)
    assert not guest.proves_nothing
    assert guest.hits[0].after == b"\n1000,Patient 00"[:CONTEXT]


async def test_a_plain_vm_hides_nothing() -> None:
    machine = busy_machine(confidential=False, secret=SECRET)
    for viewer in Viewer:
        assert (await search(machine.source(viewer), text_patterns(SECRET.decode()))).count == 1


async def test_wide_text_is_found_too() -> None:
    machine = _machine()
    machine.write(0x3456, "Grüße".encode("utf-16-le"))
    result = await search(machine.source(Viewer.GUEST), text_patterns("Grüße"))
    assert [(hit.gpa, hit.pattern.encoding) for hit in result.hits] == [(0x3456, "UTF-16LE")]


@pytest.mark.parametrize("place", [DenseFakeMemory.best_length - 7, PAGE_SIZE - 1, 5 * PAGE_SIZE - len(SECRET)])
async def test_a_hit_across_a_border_is_found_once(place: int) -> None:
    machine = _machine()
    machine.write(place, SECRET)
    result = await search(machine.source(Viewer.GUEST, sparse=False), (Pattern(SECRET, "bytes"),))
    assert [hit.gpa for hit in result.hits] == [place]
    assert result.count == 1


async def test_a_hit_never_spans_a_hole_in_the_addresses() -> None:
    machine = FakeMachine([MemoryRegion(0, PAGE_SIZE), MemoryRegion(4 * PAGE_SIZE, PAGE_SIZE)], confidential=False)
    machine.write(PAGE_SIZE - 4, b"Nadi")
    machine.write(4 * PAGE_SIZE, b"a")
    assert (await search(machine.source(Viewer.GUEST), text_patterns("Nadia"))).count == 0


async def test_overlapping_places_count_each() -> None:
    machine = _machine(8)
    machine.write(100, b"aaaaa")
    assert (await search(machine.source(Viewer.GUEST), (Pattern(b"aa", "bytes"),))).count == 4


async def test_zeros_are_counted_in_ram_that_nobody_wrote() -> None:
    machine = _machine(64)
    machine.write(0x3000, b"\xff" * PAGE_SIZE)
    result = await search(machine.source(Viewer.HYPERVISOR), (Pattern(bytes(4), "bytes"),), most_hits=10)
    assert result.count == (3 * PAGE_SIZE - 3) + (60 * PAGE_SIZE - 3)
    assert len(result.hits) == 10
    assert result.skipped == 0


async def test_zeros_around_a_written_range_belong_to_a_pattern() -> None:
    machine = _machine(64)
    machine.write(0x8000, b"\x41" * PAGE_SIZE)
    result = await search(machine.source(Viewer.HYPERVISOR), hex_patterns("00 00 41"))
    assert [hit.gpa for hit in result.hits] == [0x7FFE]
    assert result.hits[0].kind is PageKind.UNTOUCHED
    assert result.skipped == 61 * PAGE_SIZE


async def test_unreadable_pages_hold_nothing_and_join_nothing() -> None:
    machine = _machine(4)
    machine.write(0, b"\x07" * (4 * PAGE_SIZE))
    machine.unreadable = {1}
    result = await search(machine.source(Viewer.GUEST, sparse=False), (Pattern(bytes(8), "bytes"),))
    assert result.count == 0
    joined = await search(machine.source(Viewer.GUEST, sparse=False), (Pattern(b"\x07" * 8, "bytes"),))
    assert joined.count == (PAGE_SIZE - 7) + (2 * PAGE_SIZE - 7)


async def test_an_8_gib_machine_that_is_hardly_used_is_searched_at_once() -> None:
    machine = FakeMachine([MemoryRegion(0, 3 << 30), MemoryRegion(4 << 30, 5 << 30)])
    machine.write((8 << 30) - 8, SECRET)
    result = await search(machine.source(Viewer.GUEST), text_patterns(SECRET.decode()))
    assert [hit.gpa for hit in result.hits] == [(8 << 30) - 8]
    assert result.searched <= 4 * PAGE_SIZE
    assert result.searched + result.skipped == 8 << 30


@given(
    st.binary(min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 12 * PAGE_SIZE - 40), st.binary(min_size=1, max_size=30)), max_size=12),
    st.sampled_from([Viewer.GUEST, Viewer.HYPERVISOR]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_count_is_that_of_brute_force(
    asyncio_run: Run, needle: bytes, writes: list[tuple[int, bytes]], viewer: Viewer
) -> None:
    machine = _machine(12)
    for place, data in [*writes, (5 * PAGE_SIZE - 3, needle), (9 * PAGE_SIZE, needle * 2)]:
        machine.write(place, data)
    whole = b"".join(machine.page(page, viewer)[0] for page in range(12))
    result = asyncio_run(search(machine.source(viewer), (Pattern(needle, "bytes"),), most_hits=100_000))
    places = _brute_force(whole, needle)
    assert result.count == len(places)
    assert sorted(hit.gpa for hit in result.hits) == places


async def test_progress_ends_at_everything() -> None:
    seen: list[SearchProgress] = []
    machine = busy_machine()
    result = await search(machine.source(Viewer.GUEST), text_patterns("Patient"), on_progress=seen.append)
    assert seen[-1] == SearchProgress(result.searched, result.searched, result.count)
    assert [step.searched for step in seen] == sorted({step.searched for step in seen})


async def test_cancelling_ends_the_reads() -> None:
    machine = busy_machine(touched=3000)
    begun = asyncio.Event()
    source = machine.source(Viewer.GUEST, sparse=False)
    task = asyncio.create_task(search(source, text_patterns("Patient"), on_progress=lambda _: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(machine.reads) < 10


async def test_a_stopped_instance_ends_the_search_with_its_reason() -> None:
    machine = busy_machine()
    machine.live = False
    with pytest.raises(WrongState):
        await search(machine.source(Viewer.GUEST), text_patterns("Patient"))


async def test_chance_explains_two_bytes_in_ciphertext() -> None:
    machine = FakeMachine([MemoryRegion(0, 8 << 20)])
    machine.write(0, bytes(4 << 20))
    result = await search(machine.source(Viewer.HYPERVISOR, sparse=False), (Pattern(b"ab", "bytes"),))
    assert result.expected_by_chance == pytest.approx((8 << 20) / 65536, rel=1e-3)
    assert result.proves_nothing
    assert result.count > 0


@pytest.mark.parametrize(
    ("count", "expected", "nothing"),
    [(0, 10.0, False), (1, 1e-9, False), (1, 0.05, True), (3, 0.2, False), (100, 100.0, True), (5000, 1000.0, False)],
)
def test_what_chance_can_explain(count: int, expected: float, nothing: bool) -> None:
    assert proves_nothing(count, expected) is nothing


def test_what_chance_shows_falls_with_every_byte() -> None:
    run = [1 << 20]
    assert expected_by_chance([Pattern(b"abc", "bytes")], run) == pytest.approx((2**20 - 2) / 2**24)
    assert expected_by_chance([Pattern(bytes(99), "bytes")], [50]) == 0


def test_random_data_show_about_what_is_expected() -> None:
    data = np.random.default_rng(3).integers(0, 256, 1 << 20, dtype=np.uint8).tobytes()
    expected = expected_by_chance([Pattern(b"\x12\x34", "bytes")], [len(data)])
    assert proves_nothing(len(_brute_force(data, b"\x12\x34")), expected)


@pytest.mark.parametrize("text", ["de ad be ef", "0xdeadbeef", "DE:AD,BE EF", "deadbeef"])
def test_bytes_are_read_as_people_type_them(text: str) -> None:
    assert hex_patterns(text) == (Pattern(b"\xde\xad\xbe\xef", "bytes"),)


@pytest.mark.parametrize("text", ["", "a", "abc", "gh", "0x", "aa" * 1025])
def test_wrong_bytes_are_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        hex_patterns(text)
    assert caught.value.field == "search"


@given(st.text(max_size=40))
def test_nothing_but_the_declared_error_escapes_a_needle(text: str) -> None:
    for parse in (text_patterns, hex_patterns):
        with suppress(InvalidInput):
            assert all(pattern.data for pattern in parse(text))
