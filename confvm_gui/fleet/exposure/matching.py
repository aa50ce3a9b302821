"""Finds terms in RAM that comes chunk by chunk: every match is counted once, also one that lies across two chunks.

Blocks of nothing but zeros, most of an idle machine's RAM, are passed over at the speed of reading them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from confvm_gui.domain.exposure import ExposedPlace, Readability, TermExposure, TermForm
from confvm_gui.domain.memory import PAGE_SIZE, MemoryChunk, PageKind, Viewer
from confvm_gui.fleet.exposure.literal_search import LiteralSearch
from confvm_gui.fleet.exposure.pattern_search import LOOK_BACK, Found, PatternSearch
from confvm_gui.fleet.exposure.terms import LONGEST_MATCH, Term
from confvm_gui.fleet.memory.needle import Pattern, expected_by_chance, proves_nothing

MOST_PLACES: Final = 200
"""Places that are listed of one term in one view."""
_BLOCK: Final = 64 << 10
"""Bytes searched in one go: the interpreter is held by each search."""
_ZERO_TAIL: Final = bytes(LOOK_BACK + LONGEST_MATCH)


@dataclass(slots=True)
class _Tally:
    """Of one term."""

    count: int = 0
    places: list[ExposedPlace] = field(default_factory=list)
    by_kind: dict[int, int] = field(default_factory=dict)

    def add(self, gpa: int, length: int, kind: int, encoding: str) -> None:
        self.count += 1
        self.by_kind[kind] = self.by_kind.get(kind, 0) + 1
        if len(self.places) < MOST_PLACES:
            self.places.append(ExposedPlace(gpa, length, PageKind(kind), encoding))


@dataclass(slots=True)
class _Stretch:
    """RAM without a gap, as far as it has come."""

    literal_tail: bytes = b""
    """The last bytes, which may begin a match."""
    pattern_tail: bytes = b""
    pattern_begin: list[int] = field(default_factory=list)
    """For each pattern, from which byte of the tail on a match may begin."""
    last_kind: int = 0
    """Of the page before the next chunk."""
    length: int = 0
    end: int = -1
    """GPA behind what has come."""


class TermMatcher:
    """Counts `terms` in the chunks of one viewer. Calls take up to seconds: make them in a thread."""

    def __init__(self, terms: Sequence[Term], patterns: PatternSearch | None, by_chance: Sequence[float]) -> None:
        """`patterns` searches for the terms that are PATTERNs, in their order; `by_chance` is of each of these."""
        self._terms = terms
        self._search = patterns
        self._tallies = [_Tally() for _ in terms]
        self._literals: list[tuple[Pattern, _Tally]] = [
            (pattern, tally) for term, tally in zip(terms, self._tallies, strict=True) for pattern in term.patterns
        ]
        self._literal_search = LiteralSearch([pattern.data for pattern, _ in self._literals])
        expressions = [at for at, term in enumerate(terms) if term.form is TermForm.PATTERN]
        self._expressions = [self._tallies[at] for at in expressions]
        self._chance = dict(zip(expressions, by_chance, strict=True))
        self._keep = max((len(pattern.data) for pattern, _ in self._literals), default=1) - 1
        self._stretch = _Stretch(pattern_begin=[0] * len(expressions))
        self._lengths: list[int] = []
        self.unreadable = 0
        """Bytes."""

    @property
    def found(self) -> int:
        """Terms found so far."""
        return sum(1 for tally in self._tallies if tally.count)

    def add(self, chunk: MemoryChunk) -> None:
        """Count what the next chunk completes. One that does not continue the last begins anew.

        Raises what `PatternSearch.find` raises.
        """
        if chunk.gpa != self._stretch.end:
            self.finish()
        kinds = np.frombuffer(chunk.kinds, dtype=np.uint8)
        unreadable = kinds == PageKind.UNREADABLE
        if not unreadable.any():
            self._add(chunk.gpa, chunk.data, chunk.kinds)
            return
        self.unreadable += int(unreadable.sum()) * PAGE_SIZE
        # Unreadable pages hold nothing and join nothing.
        edges = np.flatnonzero(np.diff(unreadable)) + 1
        for pages in np.split(np.arange(len(kinds)), edges):
            first, last = int(pages[0]), int(pages[-1]) + 1
            if unreadable[first]:
                self.finish()
            else:
                data = chunk.data[first * PAGE_SIZE : last * PAGE_SIZE]
                self._add(chunk.gpa + first * PAGE_SIZE, data, chunk.kinds[first:last])

    def finish(self) -> None:
        """Nothing continues what has come: what may still match does not grow any more. Raises as `add`."""
        stretch = self._stretch
        if self._search is not None and any(stretch.pattern_tail):
            self._find(stretch.end, stretch.pattern_tail, bytes((stretch.last_kind,)), len(stretch.pattern_tail))
        if stretch.length:
            self._lengths.append(stretch.length)
        self._stretch = _Stretch(pattern_begin=[0] * len(self._expressions))

    def exposures(self, viewer: Viewer) -> tuple[TermExposure, ...]:
        """What was found of every term; call `finish` first if nothing more comes."""
        lengths = [*self._lengths, *([self._stretch.length] if self._stretch.length else [])]
        found: list[TermExposure] = []
        for at, (term, tally) in enumerate(zip(self._terms, self._tallies, strict=True)):
            expected = (
                sum(lengths) * self._chance[at]
                if term.form is TermForm.PATTERN
                else expected_by_chance(term.patterns, lengths)
            )
            counts = tuple((PageKind(kind), count) for kind, count in sorted(tally.by_kind.items()))
            found.append(
                TermExposure(
                    term.public(),
                    viewer,
                    tally.count,
                    tuple(sorted(tally.places, key=lambda place: place.gpa)),
                    counts,
                    expected,
                    readability(tally.count, tally.by_kind, expected),
                )
            )
        return tuple(found)

    # Inside ---------------------------------------------------------------------------------------------------------

    def _add(self, gpa: int, data: bytes, kinds: bytes) -> None:
        view = memoryview(data)
        words = np.frombuffer(data, dtype=np.uint64)
        stretch = self._stretch
        if self._search is not None:
            if any(stretch.pattern_tail) or words.any():
                self._add_to_patterns(gpa, data, kinds)
            else:
                stretch.pattern_tail = _ZERO_TAIL
                stretch.pattern_begin = [LOOK_BACK] * len(self._expressions)
        for start in range(0, len(data), _BLOCK):
            block = words[start // 8 : (start + _BLOCK) // 8]
            if not any(stretch.literal_tail) and not block.any():
                stretch.literal_tail = bytes(min(self._keep, len(block) * 8))
                continue
            self._add_block(gpa, kinds, start, bytes(view[start : start + _BLOCK]))
        stretch.last_kind = kinds[-1]
        stretch.length += len(data)
        stretch.end = gpa + len(data)

    def _add_block(self, gpa: int, kinds: bytes, start: int, block: bytes) -> None:
        stretch = self._stretch
        tail = stretch.literal_tail
        joined = tail + block
        base = gpa + start - len(tail)
        # Only what the new bytes complete: the rest was counted when it came.
        for number, position in self._literal_search.find(joined, len(tail)):
            pattern, tally = self._literals[number]
            place = base + position
            tally.add(place, len(pattern.data), self._kind(gpa, kinds, place), pattern.encoding)
        stretch.literal_tail = joined[len(joined) - self._keep :] if self._keep else b""

    def _kind(self, gpa: int, kinds: bytes, place: int) -> int:
        # A match that begins before the chunk lies in the page before it.
        return kinds[(place - gpa) // PAGE_SIZE] if place >= gpa else self._stretch.last_kind

    def _add_to_patterns(self, gpa: int, data: bytes, kinds: bytes) -> None:
        joined = self._stretch.pattern_tail + data
        # A match that begins further back than LONGEST_MATCH from the end is seen whole.
        self._find(gpa + len(data), joined, kinds, max(0, len(joined) - LONGEST_MATCH))

    def _find(self, end: int, joined: bytes, kinds: bytes, limit: int) -> None:
        """Search `joined`, which ends at GPA `end` and whose last pages have `kinds`, for matches that begin before
        `limit`, and keep what later matches may begin in."""
        assert self._search is not None
        stretch = self._stretch
        base = end - len(joined)
        first = end - len(kinds) * PAGE_SIZE
        found: tuple[Found, ...] = self._search.find(joined, stretch.pattern_begin, limit)
        keep_from = max(0, limit - LOOK_BACK)
        for at, (matches, tally) in enumerate(zip(found, self._expressions, strict=True)):
            for start, stop in zip(matches.starts, matches.ends, strict=True):
                tally.add(base + start, stop - start, self._kind(first, kinds, base + start), "pattern")
            behind = max(limit, matches.ends[-1] if matches.ends else 0, stretch.pattern_begin[at])
            stretch.pattern_begin[at] = min(behind, len(joined)) - keep_from
        stretch.pattern_tail = joined[keep_from:]


def readability(count: int, by_kind: Iterable[int], expected: float) -> Readability:
    """What `count` places in pages of these kinds mean."""
    if not count:
        return Readability.NOT_FOUND
    random_only = set(by_kind) <= {PageKind.CIPHERTEXT, PageKind.UNTOUCHED}
    return Readability.BY_CHANCE if random_only and proves_nothing(count, expected) else Readability.READABLE
