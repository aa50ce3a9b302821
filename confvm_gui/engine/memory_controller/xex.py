"""AES-128 in XEX with a tweak of the physical address: how SEV's memory encryption is understood to work.

For each block of 16 bytes at system physical address `a`: ``C = AES_K(P xor T(a)) xor T(a)``, where ``T(a)`` is the
XOR of constants ``t_i`` over the bits ``i >= 4`` that are set in `a`. Source: Du et al., "Secure Encrypted
Virtualization is Unsecure" (2017), and Wilke et al., "SEVurity: No Security Without Integrity" (IEEE S&P 2020).

AMD publishes neither the constants nor the mode of later parts. The constants here are drawn anew at each start of
the engine and are not AMD's. What follows from the construction holds as on the real part: the same plaintext at
two addresses differs, at one address it repeats, and a change of one bit changes exactly its block of 16 bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from confvm_gui.domain.errors import BugError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import CipherContext
    from numpy.typing import NDArray

BLOCK: Final = 16
"""Bytes."""
CHUNK: Final = 256 << 10
"""Bytes encrypted at once: tweaks, input and output of one chunk stay in the processor's second-level cache."""
_ADDRESS_BITS: Final = 52
"""AMD64's architectural limit of physical addresses (APM volume 2, 5.3)."""
_FIRST_BIT: Final = 4
_CHUNK_BITS: Final = CHUNK.bit_length() - 1
_ROW: Final = 512
"""64-bit words, 4 KiB."""


class AddressTweaks:
    """The constants ``t_i`` of one boot, and tweaks computed from them."""

    def __init__(self, random: Callable[[int], bytes] = os.urandom) -> None:
        raw = np.frombuffer(random(BLOCK * _ADDRESS_BITS), dtype=np.uint64).reshape(_ADDRESS_BITS, 2)
        constants = raw.copy()
        constants[:_FIRST_BIT] = 0
        blocks = np.arange(CHUNK // BLOCK, dtype=np.uint64)
        table = np.zeros((CHUNK // BLOCK, 2), dtype=np.uint64)
        for bit in range(_FIRST_BIT, _CHUNK_BITS):
            table[(blocks >> np.uint64(bit - _FIRST_BIT)) & np.uint64(1) == 1] ^= constants[bit]
        self._within_chunk: NDArray[np.uint64] = table.reshape(-1)
        self._constants = [int.from_bytes(row.tobytes(), "little") for row in constants]

    def of_block(self, address: int) -> bytes:
        """``T(address)``, 16 bytes. `address`: SPA of a block."""
        return self._combine(address >> _FIRST_BIT, _FIRST_BIT).to_bytes(BLOCK, "little")

    def fill(self, chunk_index: int, start: int, out: NDArray[np.uint64]) -> None:
        """Write the tweaks of `out.size // 2` blocks into `out`.

        `chunk_index`: SPA // CHUNK. `start`: offset in the chunk in 8-byte words, even.
        """
        high = self._combine(chunk_index, _CHUNK_BITS).to_bytes(BLOCK, "little")
        # XOR with a constant of 16 bytes. Broadcast from a row of 4 KiB: numpy's inner loop then runs at the speed
        # of memory, which it does not with rows of two words.
        source = self._within_chunk[start : start + out.size]
        rows = out.size // _ROW
        whole = rows * _ROW
        row = np.frombuffer(high * (_ROW * 8 // BLOCK), dtype=np.uint64)
        np.bitwise_xor(source[:whole].reshape(rows, _ROW), row, out=out[:whole].reshape(rows, _ROW))
        np.bitwise_xor(source[whole:], row[: out.size - whole], out=out[whole:])

    def _combine(self, bits: int, first: int) -> int:
        tweak = 0
        while bits:
            lowest = bits & -bits
            tweak ^= self._constants[first + lowest.bit_length() - 1]
            bits ^= lowest
        return tweak


class XexCipher:
    """One guest's memory encryption: a VEK and the boot's tweaks. Not thread-safe: callers hold a lock."""

    def __init__(self, key: bytes, tweaks: AddressTweaks) -> None:
        cipher = Cipher(algorithms.AES(key), modes.ECB())
        self._encryptor: CipherContext = cipher.encryptor()
        self._decryptor: CipherContext = cipher.decryptor()
        self._tweaks = tweaks

    def __repr__(self) -> str:
        return "XexCipher(<key withheld>)"

    def __reduce__(self) -> str:
        raise BugError("A memory encryption key cannot be copied or pickled")

    def encrypt(self, address: int, plaintext: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        """Encrypt into `out`, which has the same size and may be `plaintext` itself.

        `address`: SPA of the first byte. Both it and the size are multiples of 16.
        """
        self._run(self._encryptor, address, plaintext, out)

    def decrypt(self, address: int, ciphertext: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        """The inverse of `encrypt`."""
        self._run(self._decryptor, address, ciphertext, out)

    def _run(self, aes: CipherContext, address: int, source: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        size = source.size
        if address % BLOCK or size % BLOCK or out.size != size:
            raise BugError("Memory is encrypted in whole blocks of 16 bytes")
        # One buffer for both sides of AES, in place: less of the cache is used. update_into asks for a block more
        # than it writes.
        buffer = np.empty(min(size, CHUNK) + BLOCK - 1, dtype=np.uint8)
        memory = buffer.data
        tweak = np.empty(min(size, CHUNK) // 8, dtype=np.uint64)
        position = 0
        while position < size:
            spa = address + position
            length = min(CHUNK - spa % CHUNK, size - position)
            tweaks = tweak[: length // 8]
            self._tweaks.fill(spa // CHUNK, spa % CHUNK // 8, tweaks)
            tweak_bytes = tweaks.view(np.uint8)
            block = buffer[:length]
            np.bitwise_xor(source[position : position + length], tweak_bytes, out=block)
            aes.update_into(memory[:length], memory[: length + BLOCK - 1])
            np.bitwise_xor(block, tweak_bytes, out=out[position : position + length])
            position += length
