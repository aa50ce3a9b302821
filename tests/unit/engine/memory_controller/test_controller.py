"""The memory controller: who sees what of the same DRAM."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import BugError, CapacityExceeded, InvalidInput
from confvm_gui.domain.memory import PAGE_SIZE, PageKind
from confvm_gui.engine.memory_controller.controller import NO_ENCRYPTION, GuestRange, MemoryController
from confvm_gui.engine.memory_controller.dram import ALLOCATION_UNIT, Dram
from confvm_gui.engine.memory_controller.page_state import PRIVATE, TOUCHED
from confvm_gui.engine.memory_controller.xex import CHUNK, AddressTweaks, XexCipher
from confvm_gui.engine.secure_processor.volume_key import VolumeKey

RAM = 2 * ALLOCATION_UNIT


@pytest.fixture
def dram() -> Iterator[Dram]:
    made = Dram(16 * ALLOCATION_UNIT)
    yield made
    made.close()


@pytest.fixture
def controller(dram: Dram) -> MemoryController:
    return MemoryController(dram)


@pytest.fixture
def guest(controller: MemoryController) -> GuestRange:
    """A guest with ASID 7 and a key."""
    made = controller.add_range(RAM, asid=7)
    controller.install_key(7, VolumeKey(os.urandom(16)))
    return made


def test_private_memory_is_ciphertext_for_the_hypervisor_and_plaintext_for_the_guest(
    controller: MemoryController, guest: GuestRange
) -> None:
    secret = b"the patient's name is nobody's business" + bytes(9)
    controller.write_private(7, guest.spa + 3 * PAGE_SIZE, secret)
    assert controller.guest_read(guest, 3 * PAGE_SIZE, len(secret)).tobytes() == secret
    seen = controller.hypervisor_read(guest, 0, RAM).tobytes()
    assert secret not in seen
    assert secret[:16] not in seen


def test_encryption_is_deterministic_by_address_and_differs_between_addresses(
    controller: MemoryController, guest: GuestRange
) -> None:
    block = bytes(range(16))
    controller.write_private(7, guest.spa, block * 512)
    first = controller.hypervisor_read(guest, 0, 2 * PAGE_SIZE).tobytes()
    assert first == controller.hypervisor_read(guest, 0, 2 * PAGE_SIZE).tobytes()
    blocks = {first[at : at + 16] for at in range(0, len(first), 16)}
    assert len(blocks) == 512
    controller.write_private(7, guest.spa, b"x" * 16)
    controller.write_private(7, guest.spa, block)
    assert controller.hypervisor_read(guest, 0, 2 * PAGE_SIZE).tobytes() == first


def test_one_changed_bit_changes_one_block(controller: MemoryController, guest: GuestRange) -> None:
    controller.write_private(7, guest.spa, bytes(PAGE_SIZE))
    before = controller.hypervisor_read(guest, 0, PAGE_SIZE)
    controller.write_private(7, guest.spa + 100, b"\x01")
    changed = np.flatnonzero(before != controller.hypervisor_read(guest, 0, PAGE_SIZE)) // 16
    assert set(changed.tolist()) == {100 // 16}


def test_two_guests_with_the_same_content_look_different(controller: MemoryController, guest: GuestRange) -> None:
    other = controller.add_range(RAM, asid=8)
    controller.install_key(8, VolumeKey(os.urandom(16)))
    for asid, owner in ((7, guest), (8, other)):
        controller.write_private(asid, owner.spa, b"same" * 1024)
    assert (controller.hypervisor_read(guest, 0, 4096) != controller.hypervisor_read(other, 0, 4096)).any()
    with pytest.raises(InvalidInput):
        controller.write_private(8, guest.spa, b"not mine")


def test_a_hypervisor_write_into_private_memory_gives_the_guest_garbage_and_no_error(
    controller: MemoryController, guest: GuestRange
) -> None:
    controller.write_private(7, guest.spa, bytes(PAGE_SIZE))
    controller.hypervisor_write(guest, 5, b"!")
    seen = controller.guest_read(guest, 0, PAGE_SIZE)
    assert seen[:16].any()
    assert not seen[16:].any()
    assert controller.hypervisor_read(guest, 5, 1).tobytes() == b"!"


def test_launch_update_encrypts_in_place_and_returns_what_was_measured(
    controller: MemoryController, guest: GuestRange
) -> None:
    image = os.urandom(3 * PAGE_SIZE)
    controller.hypervisor_write(guest, PAGE_SIZE, image)
    assert controller.encrypt_in_place(7, guest.spa + PAGE_SIZE, len(image)) == image
    assert controller.guest_read(guest, PAGE_SIZE, len(image)).tobytes() == image
    assert controller.hypervisor_read(guest, PAGE_SIZE, len(image)).tobytes() != image
    assert controller.read_private(7, guest.spa + PAGE_SIZE + 10, 50) == image[10:60]


@given(st.data())
def test_converting_a_page_changes_what_neither_side_sees(data: st.DataObject) -> None:
    dram = Dram(2 * ALLOCATION_UNIT)
    controller = MemoryController(dram)
    guest = controller.add_range(ALLOCATION_UNIT, asid=1)
    controller.install_key(1, VolumeKey(os.urandom(16)))
    controller.hypervisor_write(guest, 0, os.urandom(8 * PAGE_SIZE))
    before = controller.hypervisor_read(guest, 0, 8 * PAGE_SIZE).tobytes()
    for _ in range(6):
        page = data.draw(st.integers(0, 7))
        count = data.draw(st.integers(1, 8 - page))
        controller.convert(guest, page, count, data.draw(st.booleans()))
        assert controller.hypervisor_read(guest, 0, 8 * PAGE_SIZE).tobytes() == before
    dram.close()


@given(offset=st.integers(0, 3 * PAGE_SIZE), length=st.integers(0, 2 * PAGE_SIZE))
def test_unaligned_reads_equal_slices_of_one_read(offset: int, length: int) -> None:
    dram = Dram(2 * ALLOCATION_UNIT)
    controller = MemoryController(dram)
    guest = controller.add_range(ALLOCATION_UNIT, asid=1)
    controller.install_key(1, VolumeKey(bytes(16)))
    controller.write_private(1, guest.spa, bytes(range(256)) * 32)
    controller.hypervisor_write(guest, 3 * PAGE_SIZE, b"shared")
    whole = controller.hypervisor_read(guest, 0, 6 * PAGE_SIZE).tobytes()
    assert controller.hypervisor_read(guest, offset, length).tobytes() == whole[offset : offset + length]
    dram.close()


def test_page_kinds_follow_the_c_bit_and_the_first_use(
    controller: MemoryController, guest: GuestRange, dram: Dram
) -> None:
    controller.hypervisor_write(guest, 0, b"boot info")
    controller.convert(guest, 1, 2, private=True)
    dram.states[guest.spa // PAGE_SIZE + 1] |= TOUCHED
    kinds = controller.kinds(guest, 0, 4 * PAGE_SIZE, as_guest=False)
    assert list(kinds) == [PageKind.SHARED, PageKind.CIPHERTEXT, PageKind.UNTOUCHED, PageKind.UNTOUCHED]
    as_guest = controller.kinds(guest, 0, 4 * PAGE_SIZE, as_guest=True)
    assert list(as_guest) == [PageKind.SHARED, PageKind.PLAINTEXT, PageKind.UNTOUCHED, PageKind.UNTOUCHED]
    assert controller.used_pages(guest).tolist() == [0, 1]
    # Made private ahead of use: the hypervisor still sees the zeros that DRAM holds.
    assert not controller.hypervisor_read(guest, 2 * PAGE_SIZE, PAGE_SIZE).any()
    assert not controller.guest_read(guest, 2 * PAGE_SIZE, PAGE_SIZE).any()


def test_a_plain_guest_is_readable_to_the_host(controller: MemoryController) -> None:
    guest = controller.add_range(RAM)
    assert guest.asid == NO_ENCRYPTION
    controller.hypervisor_write(guest, 100, b"in clear")
    assert controller.hypervisor_read(guest, 100, 8).tobytes() == b"in clear"
    assert controller.guest_read(guest, 100, 8).tobytes() == b"in clear"
    assert list(controller.kinds(guest, 0, PAGE_SIZE, as_guest=False)) == [PageKind.PLAINTEXT]


def test_deactivation_leaves_ciphertext_in_dram(controller: MemoryController, guest: GuestRange, dram: Dram) -> None:
    secret = b"still encrypted when the key is gone"
    controller.write_private(7, guest.spa, secret.ljust(PAGE_SIZE, b"\0"))
    seen = controller.hypervisor_read(guest, 0, PAGE_SIZE).tobytes()
    controller.remove_key(7)
    assert dram.bytes[guest.spa : guest.spa + PAGE_SIZE].tobytes() == seen
    assert secret not in dram.bytes[guest.spa : guest.spa + RAM].tobytes()


def test_freed_memory_is_zero_for_the_next_owner(controller: MemoryController, guest: GuestRange, dram: Dram) -> None:
    controller.write_private(7, guest.spa, b"left over" * 100)
    spa = guest.spa
    controller.remove_key(7)
    controller.remove_range(guest)
    assert dram.states[spa // PAGE_SIZE] & PRIVATE == 0
    again = controller.add_range(RAM)
    assert again.spa == spa
    assert not controller.hypervisor_read(again, 0, RAM).any()


def test_dram_runs_out_with_a_sentence_and_merges_what_is_freed(controller: MemoryController, dram: Dram) -> None:
    ranges = [controller.add_range(4 * ALLOCATION_UNIT) for _ in range(4)]
    assert dram.available == 0
    with pytest.raises(CapacityExceeded, match="no 2 MiB of free memory"):
        controller.add_range(ALLOCATION_UNIT)
    for one in (ranges[1], ranges[3], ranges[2]):
        controller.remove_range(one)
    assert controller.add_range(12 * ALLOCATION_UNIT).spa == ranges[1].spa or dram.available == 0


def test_the_cipher_follows_its_formula_block_by_block() -> None:
    """Against AES and the XOR of constants, computed the slow way, also across chunk borders."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key, tweaks = os.urandom(16), AddressTweaks()
    data = np.frombuffer(os.urandom(64), dtype=np.uint8)
    address = 3 * CHUNK - 32
    out = np.empty(64, dtype=np.uint8)
    XexCipher(key, tweaks).encrypt(address, data, out)
    aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    for at in range(0, 64, 16):
        tweak = np.frombuffer(tweaks.of_block(address + at), dtype=np.uint8)
        masked = (data[at : at + 16] ^ tweak).tobytes()
        assert (np.frombuffer(aes.update(masked), dtype=np.uint8) ^ tweak == out[at : at + 16]).all()
    assert tweaks.of_block(0) == bytes(16)


def test_a_key_shows_in_no_representation() -> None:
    key = os.urandom(16)
    cipher = XexCipher(key, AddressTweaks())
    assert key.hex() not in repr(cipher)
    with pytest.raises(BugError):
        cipher.__reduce__()
