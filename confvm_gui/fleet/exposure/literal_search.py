"""Many byte strings at once: where each of them stands in one block.

One `bytes.find` for each is fastest for few. For many a first pass over the block finds the places at which any of them
may begin, by a hash of four bytes, and only these are compared: the time hardly grows with their number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from confvm_gui.fleet.memory.search import match_positions

FEW: Final = 12
"""Up to so many are looked for one by one."""
_KEY: Final = 4
"""Bytes that the first pass looks at."""
_FACTOR: Final = np.uint32(2654435761)
"""Knuth's multiplicative hash: 2**32 divided by the golden ratio."""
_SHIFT: Final = np.uint32(16)
_MOST_PLACES: Final = 4096
"""In one block: with more the first pass was in vain, as where text that all begin alike is repeated."""


class LiteralSearch:
    """Looks for `needles` in blocks."""

    def __init__(self, needles: Sequence[bytes]) -> None:
        self._needles = tuple(needles)
        self._by_key: dict[bytes, list[int]] = defaultdict(list)
        self._marked = np.zeros(1 << 16, dtype=np.bool_)
        self._one_by_one = len(self._needles) <= FEW or any(len(needle) < _KEY for needle in self._needles)
        if not self._one_by_one:
            for number, needle in enumerate(self._needles):
                self._by_key[needle[:_KEY]].append(number)
            keys = np.frombuffer(b"".join(self._by_key), dtype="<u4")
            self._marked[_hashed(keys)] = True

    def find(self, data: bytes, fresh: int) -> Iterator[tuple[int, int]]:
        """(number of the needle, position), of each needle by ascending position, overlapping ones included.

        Only matches that end behind the first `fresh` bytes: the others were found when those came.
        """
        places = None if self._one_by_one else self._places(data)
        if places is None:
            for number, needle in enumerate(self._needles):
                for position in match_positions(data, needle, max(0, fresh - len(needle) + 1)).tolist():
                    yield number, position
            return
        for position in places.tolist():
            for number in self._by_key.get(data[position : position + _KEY], ()):
                needle = self._needles[number]
                if position + len(needle) > fresh and data.startswith(needle, position):
                    yield number, position

    def _places(self, data: bytes) -> NDArray[np.int64] | None:
        """Where a needle may begin, ascending; None where these are too many."""
        found: list[NDArray[np.int64]] = []
        for shift in range(min(_KEY, max(0, len(data) - _KEY + 1))):
            words = np.frombuffer(data, dtype="<u4", count=(len(data) - shift) // _KEY, offset=shift)
            found.append(np.flatnonzero(self._marked[_hashed(words)]) * _KEY + shift)
        if sum(each.size for each in found) > _MOST_PLACES:
            return None
        return np.sort(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)


def _hashed(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return (words * _FACTOR) >> _SHIFT
