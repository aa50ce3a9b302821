"""AES-256-XTS (IEEE 1619-2018): memory encryption of guests whose policy asks for MEM_AES_256_XTS.

The data unit is a page of 4 KiB and its number is the page's number in DRAM, so that each block of 16 bytes is
tweaked by its own physical address. AMD publishes neither the unit, nor how tweaks and the second key are made; here
the second key follows from the VEK by SEV's key derivation. What follows from the mode holds as on the real part: one
plaintext at two addresses differs, at one address it repeats, and a changed bit changes exactly its block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from confvm_gui.domain.errors import BugError
from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.memory_controller.xex import BLOCK
from confvm_gui.sev.kdf import derive

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEY_SIZE: Final = 32
"""Bytes of the VEK."""


class XtsCipher:
    """One guest's memory encryption under a VEK of 256 bits. Not thread-safe: callers hold a lock."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_SIZE:
            raise BugError("AES-256-XTS has a VEK of 256 bits")
        self._aes = algorithms.AES(key + derive(key, b"confvm-memory-tweak", b"", KEY_SIZE))

    def __repr__(self) -> str:
        return "XtsCipher(<key withheld>)"

    def __reduce__(self) -> str:
        raise BugError("A memory encryption key cannot be copied or pickled")

    def encrypt(self, address: int, plaintext: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        """Encrypt into `out`, which has the same size and may be `plaintext` itself.

        `address`: SPA of the first byte. Both it and the size are multiples of 16.
        """
        self._run(address, plaintext, out, encrypt=True)

    def decrypt(self, address: int, ciphertext: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        """The inverse of `encrypt`."""
        self._run(address, ciphertext, out, encrypt=False)

    def _run(self, address: int, source: NDArray[np.uint8], out: NDArray[np.uint8], *, encrypt: bool) -> None:
        size = source.size
        if address % BLOCK or size % BLOCK or out.size != size:
            raise BugError("Memory is encrypted in whole blocks of 16 bytes")
        position = 0
        while position < size:
            page, start = divmod(address + position, PAGE_SIZE)
            length = min(PAGE_SIZE - start, size - position)
            cipher = Cipher(self._aes, modes.XTS(page.to_bytes(BLOCK, "little")))
            context = cipher.encryptor() if encrypt else cipher.decryptor()
            # Blocks do not depend on one another: what is in front of a part need only be there to be counted.
            unit = bytes(start) + source[position : position + length].tobytes()
            result = np.frombuffer(context.update(unit), dtype=np.uint8)
            out[position : position + length] = result[start:]
            position += length
