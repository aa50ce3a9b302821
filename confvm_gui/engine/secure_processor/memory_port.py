"""How the secure processor reaches memory: the memory controller's side of ACTIVATE and of the LAUNCH commands.

Addresses are system physical (SPA), without the C-bit; lengths are bytes. Both are multiples of 16, which the
firmware has checked before. The controller raises InvalidInput for what lies outside of DRAM; the firmware then
answers INVALID_ADDRESS.
"""

from __future__ import annotations

from typing import Protocol

from confvm_gui.engine.secure_processor.volume_key import VolumeKey


class MemoryPort(Protocol):
    """What the firmware needs of a memory controller."""

    def install_key(self, asid: int, key: VolumeKey) -> None:
        """From now on accesses of `asid` with the C-bit set are encrypted under `key`."""

    def remove_key(self, asid: int) -> None:
        """Forget the key of `asid`. DRAM keeps what it holds."""

    def encrypt_in_place(self, asid: int, spa: int, length: int) -> bytes:
        """Read plaintext from DRAM, store its encryption under the key of `asid`, return the plaintext."""

    def write_private(self, asid: int, spa: int, data: bytes) -> None:
        """Store the encryption of `data` under the key of `asid`."""

    def read_private(self, asid: int, spa: int, length: int) -> bytes:
        """Decrypt what DRAM holds with the key of `asid`."""
