"""What to search for: byte patterns from text or hexadecimal, and how often chance alone would show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, sqrt

from confvm_gui.domain.errors import InvalidInput

LONGEST = 1024
"""Bytes of a pattern."""
SIGNIFICANCE = 0.01
"""A count that random bytes reach at least this often proves nothing."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Bytes to look for."""

    data: bytes
    encoding: str
    """`UTF-8`, `UTF-16LE` or `bytes`."""


def text_patterns(text: str) -> tuple[Pattern, ...]:
    """`text` as programs keep it in memory: in UTF-8 and in UTF-16LE.

    Raises InvalidInput("search") if it is empty, too long, or not encodable.
    """
    try:
        patterns = (Pattern(text.encode(), "UTF-8"), Pattern(text.encode("utf-16-le"), "UTF-16LE"))
    except UnicodeEncodeError as error:
        raise InvalidInput("search", "The text has half of a character pair, which no program stores") from error
    return _checked(patterns)


def hex_patterns(text: str) -> tuple[Pattern, ...]:
    """Bytes typed in hexadecimal: `de ad be ef`, `0xdeadbeef`, `DE:AD:BE:EF`.

    Raises InvalidInput("search") with what is wrong.
    """
    digits = "".join(text.lower().replace("0x", " ").replace(":", " ").replace(",", " ").split())
    wrong = sorted(set(digits) - set("0123456789abcdef"))
    if wrong:
        raise InvalidInput("search", f"“{wrong[0]}” is not a hexadecimal digit; type bytes such as de ad be ef")
    if len(digits) % 2:
        raise InvalidInput("search", "Two hexadecimal digits make a byte; one digit is left over")
    return _checked((Pattern(bytes.fromhex(digits), "bytes"),))


def _checked(patterns: tuple[Pattern, ...]) -> tuple[Pattern, ...]:
    if not patterns[0].data:
        raise InvalidInput("search", "Type what to search for")
    if max(len(pattern.data) for pattern in patterns) > LONGEST:
        raise InvalidInput("search", f"At most {LONGEST} bytes can be searched for")
    return patterns


def expected_by_chance(patterns: Iterable[Pattern], run_lengths: Sequence[int]) -> float:
    """How many places random bytes in runs of these lengths would match, on average."""
    return sum(
        sum(max(0, length - len(pattern.data) + 1) for length in run_lengths) * 256.0 ** -len(pattern.data)
        for pattern in patterns
    )


def proves_nothing(count: int, expected: float) -> bool:
    """Whether random bytes would show `count` or more places with a probability above SIGNIFICANCE.

    Matches in random bytes are rare and independent: their number follows a Poisson law with mean `expected`.
    """
    if count == 0:
        return False
    if expected > 500:
        # Far from zero the law is a bell with this deviation; the exact sum would underflow.
        return count < expected + 2.33 * sqrt(expected)
    term = total = exp(-expected)
    for index in range(1, count):
        term *= expected / index
        total += term
        if index > expected and term < 1e-12:
            break
    return 1.0 - total > SIGNIFICANCE
