"""AES-256-XTS over pages of DRAM."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import BugError
from confvm_gui.engine.memory_controller.controller import MemoryController
from confvm_gui.engine.memory_controller.dram import ALLOCATION_UNIT, Dram
from confvm_gui.engine.memory_controller.xts import XtsCipher
from confvm_gui.engine.secure_processor.volume_key import VolumeKey256
from confvm_gui.sev.kdf import derive

PAGE = 4096
KEY = bytes(range(32))


def encrypted(address: int, plaintext: bytes) -> bytes:
    out = np.empty(len(plaintext), dtype=np.uint8)
    XtsCipher(KEY).encrypt(address, np.frombuffer(plaintext, dtype=np.uint8), out)
    return out.tobytes()


def test_a_page_is_a_data_unit_with_the_pages_number() -> None:
    page = bytes(range(256)) * 16
    reference = Cipher(
        algorithms.AES(KEY + derive(KEY, b"confvm-memory-tweak", b"", 32)), modes.XTS((5).to_bytes(16, "little"))
    )
    assert encrypted(5 * PAGE, page) == reference.encryptor().update(page)


def test_a_block_depends_on_its_address_and_on_nothing_else() -> None:
    zeros = encrypted(7 * PAGE, bytes(2 * PAGE))
    assert len({zeros[at : at + 16] for at in range(0, 2 * PAGE, 16)}) == 2 * PAGE // 16
    changed = encrypted(7 * PAGE, bytes(64) + b"\1" + bytes(2 * PAGE - 65))
    assert changed[:64] + changed[80:] == zeros[:64] + zeros[80:]
    assert changed[64:80] != zeros[64:80]


@given(st.integers(0, 600), st.integers(0, 600), st.integers(0, 1 << 39))
def test_parts_are_parts_of_the_whole(start: int, count: int, page: int) -> None:
    base = page * PAGE
    plaintext = np.arange(4 * PAGE, dtype=np.uint32).astype(np.uint8)
    whole = np.empty_like(plaintext)
    cipher = XtsCipher(KEY)
    cipher.encrypt(base, plaintext, whole)
    first, last = start * 16, min((start + count) * 16, 4 * PAGE)
    part = plaintext[first:last].copy()
    cipher.encrypt(base + first, part, part)
    assert part.tobytes() == whole[first:last].tobytes()
    cipher.decrypt(base + first, part, part)
    assert part.tobytes() == plaintext[first:last].tobytes()


@pytest.mark.parametrize(("address", "size", "out"), [(8, 16, 16), (0, 15, 15), (0, 32, 16)])
def test_whole_blocks_only(address: int, size: int, out: int) -> None:
    with pytest.raises(BugError):
        XtsCipher(KEY).encrypt(address, np.zeros(size, dtype=np.uint8), np.zeros(out, dtype=np.uint8))


def test_the_key_stays_inside() -> None:
    cipher = XtsCipher(KEY)
    assert KEY.hex() not in repr(cipher)
    for leak in (pickle.dumps, copy.copy):
        with pytest.raises(BugError):
            leak(cipher)
    with pytest.raises(BugError):
        XtsCipher(KEY[:16])


def test_a_controller_takes_the_cipher_from_the_keys_size() -> None:
    dram = Dram(2 * ALLOCATION_UNIT)
    controller = MemoryController(dram)
    guest = controller.add_range(ALLOCATION_UNIT, asid=1)
    spare = controller.add_range(ALLOCATION_UNIT, asid=2)
    assert spare.spa
    controller.install_key(1, VolumeKey256(KEY))
    plaintext = b"0123456789abcdef" * 300
    controller.write_private(1, guest.spa + 32, plaintext)
    assert controller.guest_read(guest, 32, len(plaintext)).tobytes() == plaintext
    assert controller.read_private(1, guest.spa + 37, 100) == plaintext[5:105]
    # What the guest has not written yet reads as decrypted zeros.
    assert controller.hypervisor_read(guest, 0, 32).tobytes() == bytes(32)
    seen = controller.hypervisor_read(guest, 0, 2 * PAGE).tobytes()
    assert seen[32:4832] == encrypted(guest.spa + 32, plaintext)
    controller.hypervisor_write(guest, 40, b"x")
    assert controller.guest_read(guest, 48, 16).tobytes() == plaintext[:16]
    assert controller.guest_read(guest, 32, 16).tobytes() != plaintext[:16]
    dram.close()
