"""Many byte strings at once are found exactly where one search for each finds them."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.fleet.exposure.literal_search import FEW, LiteralSearch

_LETTERS = st.sampled_from(b"ab\0")
"""So few that needles overlap, begin alike and stand in many places."""
_NEEDLES = st.lists(st.lists(_LETTERS, min_size=1, max_size=9).map(bytes), min_size=1, max_size=3 * FEW)


def plainly(needles: list[bytes], data: bytes, fresh: int) -> list[tuple[int, int]]:
    return sorted(
        (number, position)
        for number, needle in enumerate(needles)
        for position in range(len(data) - len(needle) + 1)
        if data.startswith(needle, position) and position + len(needle) > fresh
    )


@given(_NEEDLES, st.lists(_LETTERS, max_size=200).map(bytes), st.integers(0, 40))
def test_it_finds_what_a_plain_search_finds(needles: list[bytes], data: bytes, fresh: int) -> None:
    fresh = min(fresh, len(data))
    assert sorted(LiteralSearch(needles).find(data, fresh)) == plainly(needles, data, fresh)


@given(st.data())
def test_many_long_ones_in_random_bytes(data: st.DataObject) -> None:
    needles = data.draw(st.lists(st.binary(min_size=4, max_size=20), min_size=FEW + 1, max_size=FEW + 20))
    block = bytearray(os.urandom(2000))
    for place in data.draw(st.lists(st.integers(0, 1900), max_size=10)):
        needle = data.draw(st.sampled_from(needles))
        block[place : place + len(needle)] = needle
    assert sorted(LiteralSearch(needles).find(bytes(block), 0)) == plainly(needles, bytes(block), 0)


def test_a_block_in_which_many_begin_alike_is_searched_all_the_same() -> None:
    needles = [b"http://host-%d" % number for number in range(40)]
    block = b"http://host-7 " * 5000
    found = list(LiteralSearch(needles).find(block, 0))
    assert found == [(7, place) for place in range(0, len(block), 14)]
