"""Where endorsements come from: AMD's KDS, Intel's PCS, a cloud's certificate store, or files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from confvm_gui.domain.attestation import EndorsementKind, EndorsementNeed, Endorsements


class EndorsementSource(Protocol):
    """Gets what evidence needs. A source keeps what it fetched, and waits between attempts that are refused."""

    async def fetch(self, needs: Sequence[EndorsementNeed]) -> Endorsements:
        """All of `needs` that can be had; what is not published (404) is left out, and the verdict says what lacks.

        Raises Transient when the source cannot be reached or asks to wait, InvalidInput("endorsements") when what
        it gave is malformed.
        """


class EntryState(Enum):
    """What a cache knows of one address."""

    FRESH = "fresh"
    """It is there, and is not asked for again."""
    STALE = "stale"
    """It is there, but the publisher has a newer one by now."""
    NOT_PUBLISHED = "not-published"
    """The publisher said that there is none (404); remembered for a while."""
    WAITING = "waiting"
    """The publisher asked to wait (429), or failed (5xx); its host is left alone until then."""


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """What a cache knows of one address."""

    url: str
    kind: EndorsementKind
    state: EntryState
    stored_at: float
    """Seconds since the epoch, UTC."""
    expires_at: float | None
    """When it is asked for again; None: never."""
    size: int
    """Bytes of the endorsement; 0 if there is none."""


class EndorsementCache(EndorsementSource, Protocol):
    """A source whose memory can be seen, emptied, and carried to a computer that has no network."""

    async def cached(self, needs: Sequence[EndorsementNeed]) -> Endorsements:
        """What is there of `needs`, fresh or not. Nothing is asked of anybody."""

    def entries(self) -> Sequence[CacheEntry]:
        """All that is remembered, by address."""

    def clear(self, urls: Collection[str] | None = None) -> int:
        """Forget these addresses, or all; how many were known. StoreError if the files cannot be removed."""

    async def export(self, path: Path) -> int:
        """Write all endorsements that are there as one zip; how many. InvalidInput("path") if it cannot be written."""

    async def add(self, path: Path) -> int:
        """Take over what a zip of `export` holds, if all of it is well-formed, but for what is there in no older form.

        How many were taken; InvalidInput("path") if it cannot be read or is malformed, StoreError if it cannot be kept.
        """
