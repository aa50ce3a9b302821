"""The background sweep: entropy, change and kinds of all RAM, reading only what was ever written."""

from __future__ import annotations

import numpy as np
import pytest

from confvm_gui.domain.errors import WrongState
from confvm_gui.domain.memory import PAGE_SIZE, MemoryRegion, PageKind, Viewer
from confvm_gui.fleet.memory.page_statistics import (
    LOOKS_RANDOM,
    NEVER_USED,
    NOT_MEASURED,
    entropy_levels,
    level_entropy,
    page_digests,
    page_entropies,
)
from confvm_gui.fleet.memory.snapshot import take_snapshot
from confvm_gui.fleet.memory.sweep import PageSweep
from tests.support.fake_memory import FakeMachine, busy_machine


async def _no_pause(_seconds: float) -> None:
    """The sweep's pauses are for the machine, not for what it finds."""


def _sweep(machine: FakeMachine, viewer: Viewer) -> PageSweep:
    return PageSweep(machine.source(viewer), sleep=_no_pause)


def test_entropy_of_known_pages() -> None:
    even = np.repeat(np.arange(256, dtype=np.uint8), 16)
    two = np.tile(np.array([0, 1], dtype=np.uint8), 2048)
    pages = np.concatenate([np.zeros(PAGE_SIZE, dtype=np.uint8), even, two])
    assert page_entropies(pages) == pytest.approx([0.0, 8.0, 1.0], abs=1e-5)
    assert page_entropies(pages.tobytes()) == pytest.approx([0.0, 8.0, 1.0], abs=1e-5)


def test_random_pages_look_random_and_never_reach_8() -> None:
    pages = np.random.default_rng(5).integers(0, 256, 500 * PAGE_SIZE, dtype=np.uint8)
    entropies = page_entropies(pages)
    assert entropies.min() > LOOKS_RANDOM
    assert entropies.max() < 8.0
    assert entropies.mean() == pytest.approx(7.95, abs=0.01)


def test_levels_keep_entropy_to_a_few_hundredths() -> None:
    entropies = np.linspace(0, 8, 100, dtype=np.float32)
    back = [level_entropy(int(level)) for level in entropy_levels(entropies)]
    assert back == pytest.approx(entropies.tolist(), abs=0.02)


def test_a_digest_tells_pages_apart_by_a_single_bit() -> None:
    page = np.random.default_rng(6).integers(0, 256, PAGE_SIZE, dtype=np.uint8)
    flipped = [page]
    for bit in range(0, 8 * PAGE_SIZE, 97):
        other = page.copy()
        other[bit // 8] ^= 1 << bit % 8
        flipped.append(other)
    digests = page_digests(np.concatenate(flipped))
    assert len(set(digests.tolist())) == len(flipped)
    assert digests.all()
    twice = page.copy()
    twice[7] ^= 0x80
    twice[15] ^= 0x80
    assert page_digests(twice)[0] != digests[0]


async def test_kinds_and_entropy_are_those_of_the_machine() -> None:
    machine = busy_machine()
    sweep = _sweep(machine, Viewer.HYPERVISOR)
    await sweep.sweep_once()
    counts = sweep.page_counts()
    assert counts[PageKind.SHARED] == 3
    assert counts[PageKind.CIPHERTEXT] == len(machine.touched()) - 3
    assert counts[PageKind.UNTOUCHED] == sweep.space.pages - len(machine.touched())
    ciphertext = [page for page in machine.touched() if machine.page(page, Viewer.HYPERVISOR)[1] is PageKind.CIPHERTEXT]
    assert all(level_entropy(int(sweep.entropy[page])) > LOOKS_RANDOM - 0.05 for page in ciphertext)
    assert sweep.entropy[0] == NOT_MEASURED
    assert sweep.mark_unused(sweep.entropy)[0] == NEVER_USED


async def test_only_written_ram_is_read() -> None:
    machine = FakeMachine([MemoryRegion(0, 3 << 30), MemoryRegion(4 << 30, 5 << 30)])
    machine.write(6 << 30, b"x" * (3 * PAGE_SIZE))
    sweep = _sweep(machine, Viewer.HYPERVISOR)
    await sweep.sweep_once()
    assert sum(length for _, _, length in machine.reads) == 3 * PAGE_SIZE
    used = sweep.cell_map(used_only=True)
    assert used.pages == 3
    assert used.pages_of(0, 0).tolist() == [(5 << 30) // PAGE_SIZE]
    everything = sweep.cell_map(used_only=False)
    assert everything.pages == (8 << 30) // PAGE_SIZE
    assert everything.cell_of((5 << 30) // PAGE_SIZE) is not None


async def test_changed_pages_are_hot_and_cool_down() -> None:
    machine = busy_machine()
    sweep = _sweep(machine, Viewer.GUEST)
    await sweep.sweep_once()
    assert not (sweep.heat == 255).any()
    machine.write(0x120010, b"changed")
    await sweep.sweep_once()
    assert np.flatnonzero(sweep.heat == 255).tolist() == [0x120]
    await sweep.sweep_once()
    assert 2 < sweep.heat[0x120] < 255


async def test_the_same_plaintext_again_is_no_change_to_the_hypervisor() -> None:
    machine = busy_machine()
    sweep = _sweep(machine, Viewer.HYPERVISOR)
    await sweep.sweep_once()
    before = sweep.digests.copy()
    data, _ = machine.page(0x120, Viewer.GUEST)
    machine.write(0x120000, data)
    await sweep.sweep_once()
    assert (sweep.digests == before).all()


async def test_pages_changed_since_a_snapshot_and_new_ones() -> None:
    machine = busy_machine()
    source = machine.source(Viewer.HYPERVISOR)
    sweep = _sweep(machine, Viewer.HYPERVISOR)
    snapshot = await take_snapshot(source)
    await sweep.sweep_once()
    assert sweep.changed_since(snapshot.digests).size == 0
    machine.write(0x121000, b"other")
    machine.write(0x3000000, b"new")
    await sweep.sweep_once()
    assert sweep.changed_since(snapshot.digests).tolist() == [0x121, 0x3000]


async def test_a_reset_machine_leaves_nothing_behind() -> None:
    machine = busy_machine()
    sweep = _sweep(machine, Viewer.GUEST)
    await sweep.sweep_once()
    machine.reset()
    machine.write(0x120000, b"again")
    await sweep.sweep_once()
    assert np.flatnonzero(sweep.digests).tolist() == [0x120]
    assert sweep.page_counts() == {PageKind.UNTOUCHED: sweep.space.pages - 1, PageKind.PLAINTEXT: 1}


async def test_unreadable_pages_are_told_and_not_measured() -> None:
    machine = busy_machine()
    machine.unreadable = {0x120}
    sweep = _sweep(machine, Viewer.GUEST)
    await sweep.sweep_once()
    assert sweep.page_counts()[PageKind.UNREADABLE] == 1
    assert sweep.entropy[0x120] == NOT_MEASURED


async def test_the_sweep_rests_nine_times_as_long_as_it_works() -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    sweep = PageSweep(busy_machine().source(Viewer.GUEST), share=0.1, sleep=pause)
    await sweep.sweep_once()
    assert len(pauses) == sweep.steps
    assert all(seconds > 0 for seconds in pauses)


async def test_a_machine_that_stops_ends_the_sweep() -> None:
    machine = busy_machine()
    machine.live = False
    with pytest.raises(WrongState):
        await _sweep(machine, Viewer.GUEST).run()
