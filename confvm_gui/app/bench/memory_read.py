"""`memory-read`: what the hypervisor sees of a guest's RAM, against the bare cipher.

Measured: `MemoryController.hypervisor_read_into` over a confidential guest's private pages, all of them plaintext "in
the caches", so that every byte goes through AES-128 with the tweak of its address. Reference: AES-128-ECB of OpenSSL,
called once, over the same bytes of the same shared memory. Both write into a buffer that exists; both use one core.
"""

from __future__ import annotations

import os
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from confvm_gui.app.bench.figure import Figure, Judged, Target, in_turns, seconds_of, throughput
from confvm_gui.domain.errors import BugError
from confvm_gui.engine.memory_controller.controller import MemoryController
from confvm_gui.engine.memory_controller.dram import ALLOCATION_UNIT, Dram
from confvm_gui.engine.secure_processor.volume_key import VolumeKey

SIZE: Final = 64 << 20
"""Bytes."""
ROUNDS: Final = 15
_ASID: Final = 1
_BLOCK: Final = 16
TARGET: Final = Target(Judged.RATIO, 0.4, at_least=True)


def measure(size: int = SIZE, rounds: int = ROUNDS) -> Figure:
    """`size`: bytes, a multiple of 2 MiB."""
    dram = Dram(size + ALLOCATION_UNIT)
    try:
        return _measure(dram, size, rounds)
    finally:
        dram.close()


def _measure(dram: Dram, size: int, rounds: int) -> Figure:
    controller = MemoryController(dram)
    guest = controller.add_range(size, _ASID)
    key = os.urandom(16)
    controller.install_key(_ASID, VolumeKey(key))
    content = np.random.default_rng(1).bytes(size)
    controller.write_private(_ASID, guest.spa, content)
    seen = np.zeros(size, dtype=np.uint8)
    # update_into asks for room for one more block.
    bare = np.zeros(size + _BLOCK - 1, dtype=np.uint8)
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    memory = dram.bytes[guest.spa : guest.spa + size].data

    def read() -> None:
        controller.hypervisor_read_into(guest, 0, seen)

    def encrypt() -> None:
        encryptor.update_into(memory, bare.data)

    try:
        read()
        encrypt()
        if np.array_equal(seen, np.frombuffer(content, dtype=np.uint8)) or not seen.any():
            raise BugError("The hypervisor's view is not ciphertext: nothing was measured")
        found = in_turns(rounds, lambda: seconds_of(read), lambda: seconds_of(encrypt))
    finally:
        # DRAM cannot be unmapped while a view of it is held.
        memory.release()
    return throughput(
        "memory-read",
        f"the hypervisor's view of {size >> 20} MiB of private memory, on one core",
        "AES-128-ECB of OpenSSL over the same bytes",
        found,
        work=size / (1 << 30),
        unit="GiB/s",
        target=TARGET,
    )
