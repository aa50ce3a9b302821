"""The cipher over more than one of its chunks: the formula, block by block, wherever a range begins and ends."""

from __future__ import annotations

import os

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from confvm_gui.domain.errors import BugError
from confvm_gui.engine.memory_controller.xex import BLOCK, CHUNK, AddressTweaks, XexCipher

KEY = bytes(range(16))
TWEAKS = AddressTweaks(lambda size: bytes(np.random.default_rng(5).bytes(size)))
BLOCKS = 2 * CHUNK // BLOCK + 40


def _by_formula(address: int, plaintext: bytes) -> bytes:
    tweaks = b"".join(TWEAKS.of_block(address + at) for at in range(0, len(plaintext), BLOCK))
    masked = int.from_bytes(plaintext, "little") ^ int.from_bytes(tweaks, "little")
    aes = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor()
    result = int.from_bytes(aes.update(masked.to_bytes(len(plaintext), "little")), "little")
    return (result ^ int.from_bytes(tweaks, "little")).to_bytes(len(plaintext), "little")


@settings(max_examples=25)
@given(
    first=st.integers(0, CHUNK // BLOCK + 2) | st.just(CHUNK // BLOCK - 1),
    blocks=st.integers(1, BLOCKS) | st.sampled_from([1, 2, CHUNK // BLOCK, CHUNK // BLOCK + 1, 2 * CHUNK // BLOCK]),
    in_place=st.booleans(),
)
def test_any_range_is_encrypted_by_the_formula_and_decrypted_again(first: int, blocks: int, in_place: bool) -> None:
    address, size = (3 << 40) + first * BLOCK, blocks * BLOCK
    plaintext = np.random.default_rng(blocks).integers(0, 256, size, dtype=np.uint8)
    # Bytes around the range, which must stay as they are.
    room = np.full(size + 64, 0xA5, dtype=np.uint8)
    target = room[32 : 32 + size]
    source = plaintext
    if in_place:
        target[:] = plaintext
        source = target
    cipher = XexCipher(KEY, TWEAKS)
    cipher.encrypt(address, source, target)
    assert target.tobytes() == _by_formula(address, plaintext.tobytes())
    assert (room[:32] == 0xA5).all()
    assert (room[32 + size :] == 0xA5).all()
    cipher.decrypt(address, target, target)
    assert np.array_equal(target, plaintext)
    assert (room[32 + size :] == 0xA5).all()


@pytest.mark.parametrize(("address", "size", "room"), [(8, 16, 16), (0, 15, 15), (0, 32, 16)])
def test_parts_of_blocks_are_refused(address: int, size: int, room: int) -> None:
    cipher = XexCipher(os.urandom(16), TWEAKS)
    with pytest.raises(BugError):
        cipher.encrypt(address, np.zeros(size, dtype=np.uint8), np.zeros(room, dtype=np.uint8))
