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
import threading
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
CHUNK: Final = 128 << 10
"""Bytes encrypted at once: tweaks, input and output of one chunk stay in the processor's second-level cache."""
_ADDRESS_BITS: Final = 52
"""AMD64's architectural limit of physical addresses (APM volume 2, 5.3)."""
_FIRST_BIT: Final = 4
_CHUNK_BITS: Final = CHUNK.bit_length() - 1
_ROW: Final = 16 << 10
"""Bytes: fits the first-level cache, and has more elements than numpy copies aside (8192) when it combines a row with
each row of a chunk."""
_CACHE_LINE: Final = 64
_SLACK: Final = BLOCK - 1
"""Bytes that `update_into` asks for beyond those that it writes."""


def _aligned(size: int) -> NDArray[np.uint8]:
    """`size` bytes that begin on a cache line, so that no wide load or store spans two."""
    raw = np.empty(size + _CACHE_LINE, dtype=np.uint8)
    start = -raw.ctypes.data % _CACHE_LINE
    return raw[start : start + size]


class _Scratch(threading.local):
    """One thread's buffers. Allocated anew for each call, they would cost a page fault for each 4 KiB."""

    def __init__(self) -> None:
        self.buffer = _aligned(CHUNK + _SLACK)
        self.tweak = _aligned(CHUNK)


_scratch: Final = _Scratch()


class AddressTweaks:
    """The constants ``t_i`` of one boot, and tweaks computed from them."""

    def __init__(self, random: Callable[[int], bytes] = os.urandom) -> None:
        raw = np.frombuffer(random(BLOCK * _ADDRESS_BITS), dtype=np.uint64).reshape(_ADDRESS_BITS, 2)
        constants = raw.copy()
        constants[:_FIRST_BIT] = 0
        blocks = np.arange(CHUNK // BLOCK, dtype=np.uint64)
        self._within_chunk = _aligned(CHUNK)
        self._within_chunk[:] = 0
        table = self._within_chunk.view(np.uint64).reshape(-1, 2)
        for bit in range(_FIRST_BIT, _CHUNK_BITS):
            table[(blocks >> np.uint64(bit - _FIRST_BIT)) & np.uint64(1) == 1] ^= constants[bit]
        self._constants = [int.from_bytes(row.tobytes(), "little") for row in constants]

    def of_block(self, address: int) -> bytes:
        """``T(address)``, 16 bytes. `address`: SPA of a block."""
        return self._combine(address >> _FIRST_BIT, _FIRST_BIT).to_bytes(BLOCK, "little")

    def fill(self, address: int, out: NDArray[np.uint8]) -> None:
        """Write the tweaks of the blocks from `address` on into `out`.

        `address`: SPA of a block. `out`: whole blocks of one chunk.
        """
        start = address % CHUNK
        high = self._combine(address // CHUNK, _CHUNK_BITS).to_bytes(BLOCK, "little")
        row = np.frombuffer(high * (min(_ROW, out.size) // BLOCK), dtype=np.uint8)
        source = self._within_chunk[start : start + out.size]
        rows, rest = divmod(out.size, _ROW)
        whole = out.size - rest
        if rows:
            np.bitwise_xor(source[:whole].reshape(rows, _ROW), row, out=out[:whole].reshape(rows, _ROW))
        if rest:
            np.bitwise_xor(source[whole:], row[:rest], out=out[whole:])

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
        buffer, tweak = _scratch.buffer, _scratch.tweak
        masked, result = buffer.data, out.data
        position = 0
        while position < size:
            spa = address + position
            length = min(CHUNK - spa % CHUNK, size - position)
            end = position + length
            tweaks, target = tweak[:length], out[position:end]
            self._tweaks.fill(spa, tweaks)
            np.bitwise_xor(source[position:end], tweaks, out=buffer[:length])
            # AES writes where the result belongs: the wait for memory overlaps with its work, and the second XOR finds
            # everything in the cache.
            if end < size:
                aes.update_into(masked[:length], result[position : end + _SLACK])
            else:
                # There is no room for the slack behind the last block.
                last = length - BLOCK
                if last:
                    aes.update_into(masked[:last], result[position : end - BLOCK + _SLACK])
                aes.update_into(masked[last:length], masked[last : length + _SLACK])
                target[last:] = buffer[last:length]
            np.bitwise_xor(target, tweaks, out=target)
            position = end
