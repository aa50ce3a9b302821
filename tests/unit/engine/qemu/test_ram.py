"""RAM of a QEMU guest in the place of its range of DRAM: who sees what, and what is left of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest

from confvm_gui.domain.errors import BugError
from confvm_gui.domain.memory import PageKind
from confvm_gui.engine.memory_controller.controller import NO_ENCRYPTION, MemoryController
from confvm_gui.engine.memory_controller.dram import ALLOCATION_UNIT, Dram
from confvm_gui.engine.qemu.ram import QemuRam
from confvm_gui.engine.secure_processor.volume_key import VolumeKey

ASID = 3
TEXT = b"written by the guest"


class Rig:
    """A host's memory with one guest, between two neighbours."""

    def __init__(self, dram: Dram, asid: int) -> None:
        self.dram = dram
        self.controller = MemoryController(dram)
        self.controller.add_range(ALLOCATION_UNIT)
        self.memory = self.controller.add_range(ALLOCATION_UNIT, asid)
        if asid != NO_ENCRYPTION:
            self.controller.install_key(asid, VolumeKey.generate())
        self.ram = QemuRam(dram, self.controller, self.memory)

    def guest_writes(self, gpa: int, data: bytes) -> None:
        """As QEMU does, past the console."""
        os.pwrite(self.ram.descriptor, data, gpa)


@pytest.fixture(params=[ASID, NO_ENCRYPTION])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    dram = Dram(3 * ALLOCATION_UNIT)
    made = Rig(dram, request.param)
    try:
        yield made
    finally:
        made.ram.close()
        dram.close()


def test_pages_are_in_use_once_the_guest_wrote_them(rig: Rig) -> None:
    rig.guest_writes(0x5000, TEXT)
    rig.ram.refresh()
    assert rig.controller.used_pages(rig.memory).tolist() == [5]
    assert rig.controller.guest_read(rig.memory, 0x5000, len(TEXT)).tobytes() == TEXT
    seen = rig.controller.hypervisor_read(rig.memory, 0x5000, len(TEXT)).tobytes()
    plain = rig.memory.asid == NO_ENCRYPTION
    assert (seen == TEXT) is plain
    kinds = rig.controller.kinds(rig.memory, 0x4000, 0x3000, as_guest=False)
    assert kinds[1] == (PageKind.PLAINTEXT if plain else PageKind.CIPHERTEXT)
    assert kinds[0] == kinds[2] == PageKind.UNTOUCHED


def test_what_was_written_later_is_encrypted_as_well(rig: Rig) -> None:
    rig.guest_writes(0x5000, b"x" * 4096)
    rig.ram.refresh()
    rig.guest_writes(0x5800, TEXT)
    rig.guest_writes(0x6000, TEXT)
    rig.ram.refresh()
    seen = rig.controller.hypervisor_read(rig.memory, 0x5000, 0x2000).tobytes()
    assert seen.count(TEXT) == (2 if rig.memory.asid == NO_ENCRYPTION else 0)


@pytest.mark.parametrize("gpa", [0x5000, 0x9000])
def test_a_write_of_the_hypervisor_reaches_the_guest_through_the_key(rig: Rig, gpa: int) -> None:
    rig.guest_writes(0x5000, b"x" * 4096)
    rig.ram.claim(gpa, len(TEXT))
    rig.controller.hypervisor_write(rig.memory, gpa, TEXT)
    rig.ram.refresh()
    assert rig.controller.hypervisor_read(rig.memory, gpa, len(TEXT)).tobytes() == TEXT
    reached = os.pread(rig.ram.descriptor, len(TEXT), gpa)
    assert (reached == TEXT) is (rig.memory.asid == NO_ENCRYPTION)


def test_the_range_is_empty_again_afterwards_and_its_neighbours_never_changed(rig: Rig) -> None:
    rig.dram.bytes[:16] = 7
    rig.guest_writes(0, TEXT)
    rig.ram.refresh()
    rig.ram.close()
    rig.ram.close()
    rig.ram.refresh()
    with pytest.raises(BugError):
        rig.controller.hypervisor_read(rig.memory, 0, 4096)
    rig.controller.remove_range(rig.memory)
    following = rig.controller.add_range(ALLOCATION_UNIT)
    assert following.spa == rig.memory.spa
    assert not rig.dram.used_pages(following.spa, ALLOCATION_UNIT).size
    assert not np.any(rig.dram.bytes[following.spa : following.spa + 4096])
    assert rig.dram.bytes[0] == 7


def test_nobody_can_cut_the_memory_short(rig: Rig) -> None:
    with suppress(PermissionError):
        os.ftruncate(rig.ram.descriptor, 4096)
    assert os.fstat(rig.ram.descriptor).st_size == ALLOCATION_UNIT
