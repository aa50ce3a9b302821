"""Guest memory as somebody sees it: chunks of bytes with, for each page, what they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

PAGE_SIZE = 4096
"""Bytes. The granularity at which SEV decides between private and shared (the C-bit of a page table entry)."""


class Viewer(Enum):
    """By whom the bytes are seen."""

    HYPERVISOR = "hypervisor"
    """What DRAM holds: what the host's software, its administrator and whoever breaks into it can read."""
    GUEST = "guest"
    """What the guest's own loads return."""


class PageKind(IntEnum):
    """What the bytes of a page are, as far as the source knows. Never a guess from the bytes."""

    UNTOUCHED = 0
    """The guest has not used the page since it was given to it."""
    CIPHERTEXT = 1
    """Encrypted with a key that this viewer does not have."""
    SHARED = 2
    """The guest chose to leave it unencrypted (C-bit clear): both sides read it."""
    PLAINTEXT = 3
    """Readable content: the guest's own view, or any page of a plain VM."""
    UNREADABLE = 4
    """The source could not read it; the bytes are zeros and mean nothing."""


@dataclass(frozen=True, slots=True)
class MemoryRegion:
    """A range of guest physical addresses (GPA) that is backed by RAM."""

    gpa: int
    length: int
    """Bytes, a multiple of PAGE_SIZE."""
    name: str = "RAM"


@dataclass(frozen=True, slots=True)
class MemoryChunk:
    """Bytes read at one moment.

    `gpa` and `len(data)` are multiples of PAGE_SIZE; `kinds[i]` is the PageKind of the page at
    `gpa + i * PAGE_SIZE`, so `len(kinds) == len(data) // PAGE_SIZE`.
    """

    gpa: int
    data: bytes
    kinds: bytes
    viewer: Viewer

    def __post_init__(self) -> None:
        if self.gpa % PAGE_SIZE or len(self.data) != len(self.kinds) * PAGE_SIZE:
            raise ValueError("a memory chunk is made of whole pages with one kind each")
