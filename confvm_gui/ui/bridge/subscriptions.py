"""Subscriptions of one widget to the fleet's observables, all given up together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

_Value = TypeVar("_Value")
_Value_co = TypeVar("_Value_co", covariant=True)


class Subscribable(Protocol[_Value_co]):
    """What `fleet.observable.Observable` offers to a listener."""

    def subscribe(self, callback: Callable[[_Value_co], None]) -> Callable[[], None]: ...


class Subscriptions:
    """Remembers how to unsubscribe."""

    def __init__(self) -> None:
        self._ends: list[Callable[[], None]] = []

    def add(self, source: Subscribable[_Value], callback: Callable[[_Value], None]) -> None:
        """Call `callback` with every value that `source` emits until `clear`."""
        self._ends.append(source.subscribe(callback))

    def clear(self) -> None:
        """Unsubscribe from all. Safe to call twice."""
        while self._ends:
            self._ends.pop()()
