"""JSON from strangers: one object, or the caller's error."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.strict_json import parse_strictly


def malformed(problem: str) -> InvalidInput:
    return InvalidInput("field", f"it {problem}")


def test_an_object_is_read() -> None:
    assert parse_strictly(b'{"a": [1, 1.5, null]}', malformed) == {"a": [1, 1.5, None]}
    assert parse_strictly(b'{"a": 1}', malformed, fractions=False) == {"a": 1}


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"a": 1, "a": 1}', b'{"a": NaN}', b"[" * 100_000])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="it is not valid JSON"):
        parse_strictly(data, malformed)


def test_another_value_and_unwanted_fractions_are_refused() -> None:
    with pytest.raises(InvalidInput, match="but not an object"):
        parse_strictly(b"[1]", malformed)
    with pytest.raises(InvalidInput, match="not valid JSON"):
        parse_strictly(b'{"a": 1.5}', malformed, fractions=False)


@given(st.binary(max_size=60))
def test_nothing_else_comes_of_any_bytes(data: bytes) -> None:
    with suppress(InvalidInput):
        assert isinstance(parse_strictly(data, malformed), dict)
