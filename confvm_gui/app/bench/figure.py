"""What a figure is: something measured, its reference, and the target for one of them or for their ratio.

An absolute time says more about the computer than about the program. So each figure does the same work in the plainest
way that is known, in turns with the program's way (A B A B), and both are medians over the rounds: what else the
computer does then meets both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from statistics import median
from types import MappingProxyType

from confvm_gui.domain.errors import BugError


class Judged(Enum):
    """What the target is for."""

    RATIO = "ratio"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class Target:
    """`at_least` or `at_most` what."""

    judged: Judged
    bound: float
    at_least: bool

    def met(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound


@dataclass(frozen=True, slots=True)
class Rounds:
    """Seconds of each round, in order; one reference for each measurement."""

    measured: tuple[float, ...]
    reference: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.measured or len(self.measured) != len(self.reference):
            raise BugError("Every round has one measurement and one reference")
        if min(*self.measured, *self.reference) <= 0:
            raise BugError("A measurement took no time at all")

    @property
    def seconds(self) -> float:
        return median(self.measured)

    @property
    def reference_seconds(self) -> float:
        return median(self.reference)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. Values of both sides are in `unit`."""

    name: str
    title: str
    """What was measured, with its size."""
    reference_title: str
    unit: str
    measured: float
    reference: float
    ratio: float
    """In the direction that the target names: see `throughput` and `duration`."""
    ratio_spread: tuple[float, float]
    """Least and greatest ratio of a single round."""
    rounds: int
    target: Target
    detail: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """More numbers of the same run, named with their units."""

    @property
    def met(self) -> bool:
        return self.target.met(self.ratio if self.target.judged is Judged.RATIO else self.measured)


def throughput(
    name: str,
    title: str,
    reference_title: str,
    rounds: Rounds,
    *,
    work: float,
    unit: str,
    target: Target,
    detail: Mapping[str, float] | None = None,
) -> Figure:
    """A figure in work per second, `work` being what one round does in `unit` x seconds.

    Its ratio is the program's speed over the reference's: more is better.
    """
    each = [slow / fast for fast, slow in zip(rounds.measured, rounds.reference, strict=True)]
    return Figure(
        name,
        title,
        reference_title,
        unit,
        work / rounds.seconds,
        work / rounds.reference_seconds,
        rounds.reference_seconds / rounds.seconds,
        (min(each), max(each)),
        len(each),
        target,
        MappingProxyType(dict(detail or {})),
    )


def duration(
    name: str,
    title: str,
    reference_title: str,
    rounds: Rounds,
    *,
    target: Target,
    detail: Mapping[str, float] | None = None,
) -> Figure:
    """A figure in milliseconds. Its ratio is the program's time over the reference's: less is better."""
    each = [ours / theirs for ours, theirs in zip(rounds.measured, rounds.reference, strict=True)]
    return Figure(
        name,
        title,
        reference_title,
        "ms",
        rounds.seconds * 1e3,
        rounds.reference_seconds * 1e3,
        rounds.seconds / rounds.reference_seconds,
        (min(each), max(each)),
        len(each),
        target,
        MappingProxyType(dict(detail or {})),
    )


def seconds_of(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turns(rounds: int, measured: Callable[[], float], reference: Callable[[], float]) -> Rounds:
    """Run both in turns, `rounds` times each; both return the seconds that count."""
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        ours.append(measured())
        theirs.append(reference())
    return Rounds(tuple(ours), tuple(theirs))


def medians(rows: Sequence[Sequence[float]]) -> list[float]:
    """The median of each column of `rows`."""
    return [median(column) for column in zip(*rows, strict=True)]
