"""Changes well-formed inputs a little, over and over: the inputs that parsers are weakest at.

`CONFVM_FUZZ_INPUTS` is the number of inputs for each target: 5,000 where CI=true, 200 elsewhere. `CONFVM_FUZZ_SEED`
starts at another place; without it every run tries the same inputs.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from confvm_gui.domain.errors import InvalidInput

LIMIT: Final = 0.1
"""Seconds of the thread's own time that no input may take longer than."""

_NUMBERS: Final = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)
_LARGEST: Final = 1 << 20


def inputs_for_each() -> int:
    """How many inputs a target gets."""
    in_ci = os.environ.get("CI", "").lower() in ("1", "true", "yes")
    return int(os.environ.get("CONFVM_FUZZ_INPUTS", "5000" if in_ci else "200"))


def mutations(corpus: Sequence[bytes], name: str, count: int) -> Iterator[bytes]:
    """`count` inputs: each entry as it is, then entries with one to six changes."""
    source = random.Random(f"{name} {os.environ.get('CONFVM_FUZZ_SEED', '')}")
    yield from corpus[:count]
    for _ in range(count - len(corpus)):
        data = bytearray(source.choice(corpus))
        for _ in range(source.choice((1, 1, 1, 2, 3, 6))):
            source.choice(_CHANGES)(source, data, corpus)
        yield bytes(data[:_LARGEST])


def hold(target: Callable[[bytes], object], corpus: Sequence[bytes], name: str) -> int:
    """Give `target` the inputs: it answers, or raises InvalidInput, in time. Returns how many were tried."""
    tried = 0
    for data in mutations(corpus, name, inputs_for_each()):
        tried += 1
        seconds = _timed(target, data)
        if seconds > LIMIT:
            # The machine has other things to do: what counts is the best of a few.
            seconds = min(_timed(target, data) for _ in range(4))
        assert seconds <= LIMIT, f"{seconds:.3f} s for {len(data)} bytes: {data[:64].hex()}…"
    return tried


def _timed(target: Callable[[bytes], object], data: bytes) -> float:
    began = time.thread_time()
    message = ""
    try:
        target(data)
    except InvalidInput as problem:
        message = str(problem)
    seconds = time.thread_time() - began
    assert "\n" not in message
    return seconds


def _at(source: random.Random, data: bytearray) -> int:
    return source.randrange(len(data)) if data else 0


def _flip(source: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[_at(source, data)] ^= 1 << source.randrange(8)


def _byte(source: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[_at(source, data)] = source.randrange(256)


def _number(source: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    """A number that is at the edge of something, in either order of bytes."""
    size = source.choice((1, 2, 4, 8))
    value = source.choice(_NUMBERS) % (1 << 8 * size)
    at = _at(source, data)
    data[at : at + size] = value.to_bytes(size, source.choice(("little", "big")))


def _cut(source: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[_at(source, data) :]


def _remove(source: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _at(source, data)
    del data[at : at + source.randrange(1, 65)]


def _repeat(source: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _at(source, data)
    part = data[at : at + source.randrange(1, 257)]
    data[at:at] = part * source.choice((1, 1, 2, 40))


def _insert(source: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _at(source, data)
    data[at:at] = source.randbytes(source.randrange(1, 33))


def _splice(source: random.Random, data: bytearray, corpus: Sequence[bytes]) -> None:
    """The beginning of this and the end of another."""
    other = source.choice(corpus)
    data[_at(source, data) :] = other[source.randrange(len(other)) if other else 0 :]


def _swap(source: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    first, second, size = _at(source, data), _at(source, data), source.randrange(1, 33)
    one, two = data[first : first + size], data[second : second + size]
    if len(one) == len(two) and abs(first - second) >= size:
        data[first : first + size], data[second : second + size] = two, one


_CHANGES: Final = (_flip, _flip, _byte, _number, _number, _cut, _remove, _repeat, _insert, _splice, _swap)
