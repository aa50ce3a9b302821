"""What an exposure scan was asked for and what it found: which texts stand readable in RAM, for whom, and where.

The texts themselves are no part of it: a term is known by its label and the SHA-256 of its bytes, so that a result can
be logged and exported. (The digest of a short or guessable text can be guessed as well: labels tell enough for most.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.memory import PageKind, Viewer


class TermForm(Enum):
    """How a term is searched for."""

    TEXT = "text"
    """In UTF-8 and in UTF-16LE."""
    BYTES = "bytes"
    PATTERN = "pattern"
    """A regular expression over bytes."""
    CANARY = "canary"
    """A random token that the console made; in UTF-8 and in UTF-16LE."""


@dataclass(frozen=True, slots=True)
class ExposedTerm:
    """A term as it may be kept."""

    label: str
    form: TermForm
    sha256: str
    """Hex, of the text in UTF-8, of the bytes, or of the pattern's source."""


@dataclass(frozen=True, slots=True)
class ExposedPlace:
    """Where a term begins."""

    gpa: int
    length: int
    """Bytes."""
    kind: PageKind
    """Of the page with the first byte."""
    encoding: str
    """`UTF-8`, `UTF-16LE`, `bytes` or `pattern`."""


class Readability(Enum):
    """What a count means."""

    READABLE = "readable"
    NOT_FOUND = "not found"
    BY_CHANCE = "by chance"
    """Found, but only in ciphertext and not more often than random bytes would show it: it proves nothing."""


@dataclass(frozen=True, slots=True)
class TermExposure:
    """One term in one view."""

    term: ExposedTerm
    viewer: Viewer
    count: int
    """Places. Overlapping ones count, but for patterns."""
    places: tuple[ExposedPlace, ...]
    """The first ones, by ascending GPA."""
    counts: tuple[tuple[PageKind, int], ...]
    """Places by the kind of page in which they begin."""
    expected_by_chance: float
    """Places that random bytes of this size would show on average; of a pattern an upper estimate."""
    readability: Readability


@dataclass(frozen=True, slots=True)
class ViewScan:
    """How much of one view was searched."""

    viewer: Viewer
    searched: int
    """Bytes read and searched."""
    skipped: int
    """Bytes never used by the guest, which were not read."""
    unreadable: int
    """Bytes that the source could not read."""
    seconds: float


@dataclass(frozen=True, slots=True)
class ExposureResult:
    """One scan of one instance."""

    id: str
    """32 hex digits."""
    instance_id: str
    instance_name: str
    provider: str
    technology: Technology
    emulated: bool
    started_at: float
    """Seconds since the epoch, UTC."""
    complete: bool
    """False where it was cancelled: what was not found may still be there."""
    scans: tuple[ViewScan, ...]
    exposures: tuple[TermExposure, ...]
    note: str = ""
    """What the source says of its pages that the kinds cannot."""

    @property
    def readable_by_host(self) -> tuple[TermExposure, ...]:
        """Terms that the hypervisor reads."""
        return tuple(
            each
            for each in self.exposures
            if each.viewer is Viewer.HYPERVISOR and each.readability is Readability.READABLE
        )
