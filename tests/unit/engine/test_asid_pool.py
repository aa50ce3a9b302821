"""ASIDs: few, reused only after a flush, never given to two guests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import CapacityExceeded
from confvm_gui.engine.asid_pool import AsidPool


class Flushes:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def test_fresh_ones_first_then_one_flush_for_all_that_were_used() -> None:
    flush = Flushes()
    pool = AsidPool(5, 8, flush)
    assert (pool.size, pool.available) == (4, 4)
    taken = [pool.take() for _ in range(4)]
    assert taken == [5, 6, 7, 8]
    for asid in (6, 8):
        pool.give_back(asid)
    assert flush.count == 0
    assert [pool.take(), pool.take()] == [6, 8]
    assert flush.count == 1
    with pytest.raises(CapacityExceeded, match="All 4 ASIDs"):
        pool.take()


@given(st.lists(st.booleans(), max_size=200))
def test_no_asid_is_in_two_hands_and_none_is_lost(wishes: list[bool]) -> None:
    flush = Flushes()
    pool = AsidPool(1, 5, flush)
    held: list[int] = []
    used_since_flush: set[int] = set()
    for take in wishes:
        if take:
            before = flush.count
            try:
                asid = pool.take()
            except CapacityExceeded:
                assert len(held) == 5
                continue
            if flush.count != before:
                used_since_flush.clear()
            assert asid not in held
            assert asid not in used_since_flush
            held.append(asid)
        elif held:
            used_since_flush.add(held[0])
            pool.give_back(held.pop(0))
        assert pool.available == 5 - len(held)
