"""What is new in the last part of a serial port's output."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.providers.cloud.console import after


@given(st.binary(max_size=2000), st.binary(max_size=500), st.integers(min_value=400, max_value=2000))
def test_an_output_read_in_parts_is_the_output(first: bytes, more: bytes, window: int) -> None:
    # Every byte with its place, so that no part of the output is like another.
    def told(raw: bytes, base: int) -> bytes:
        return b"".join(b"%06d %02x\n" % (base + at, byte) for at, byte in enumerate(raw))

    whole = told(first, 0)
    before = whole[-window:]
    longer = whole + told(more, len(first))
    now = longer[-window:]
    news = after(before, now)
    assert now.endswith(news)
    if len(longer) - len(whole) <= window - 300 or len(longer) <= window:
        assert whole + news == longer


def test_nothing_new_is_nothing() -> None:
    assert after(b"booting", b"booting") == b""
    assert after(b"", b"booting") == b"booting"


def test_a_guest_that_began_anew_is_told_from_its_start() -> None:
    assert after(b"the last lines of the old boot", b"a new boot") == b"a new boot"
