"""The way to a cloud's service: one account, many calls.

Calls block in daemon threads, a few at once and never more a second than the account's rate, so one slow cloud delays
no other. What can be tried again is (429, 5xx, a lost connection), with pauses that grow and differ by chance, so that
many consoles do not come back at the same time: whoever changes something gives the service an id by which it does it
once.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, NoReturn, TypeVar

from confvm_gui.domain.daemon_thread import in_daemon_thread
from confvm_gui.domain.errors import ConfvmError, Transient

C = TypeVar("C")
T = TypeVar("T")

_jitter: Final = random.SystemRandom()
_AT_ONCE: Final = 6
"""Calls of an account that are under way at the same time."""
_MOST_ASKED: Final = 60.0


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds, and how often."""

    answer: float = 30
    """Until an answer, and between two parts of it."""
    attempts: int = 5
    backoff: float = 0.5
    """Before the second attempt; doubles."""
    backoff_most: float = 16
    per_second: float = 10
    """Calls of an account; Google's own limit for reading is 25 (1,500 a minute and region), others' are higher."""
    burst: int = 20
    inventory: float = 10
    """Between two looks at the instances."""
    unseen: float = 60
    """The same while nobody looks at the window: often enough for alerts."""
    operation: float = 1.5
    """Between two looks at an operation."""
    console: float = 2
    """Between two looks at a serial port."""


class RateLimit:
    """A bucket of tokens: `burst` calls at once, `per_second` in the long run. On the event loop."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._every = 1 / per_second
        self._ahead = self._every * burst
        self._next = 0.0

    async def take(self) -> None:
        """Wait for a turn; turns are given in the order in which they were asked for."""
        now = time.monotonic()
        self._next = max(self._next, now - self._ahead) + self._every
        if self._next > now:
            await asyncio.sleep(self._next - now)


class Held(Generic[C]):
    """The SDK's clients while calls use them. In threads.

    Whoever waited for a call may be gone before its thread: closed while calls are under way, the last one of them
    hangs up, or a connection that it opened afterwards would stay open.
    """

    def __init__(self, clients: C, hang_up: Callable[[C], None]) -> None:
        self._clients = clients
        self._hang_up = hang_up
        self._counting = threading.Lock()
        self._users = 0
        self._closed = False

    def use(self, work: Callable[[C], T]) -> T:
        """What `work` returns."""
        with self._counting:
            self._users += 1
        try:
            return work(self._clients)
        finally:
            with self._counting:
                self._users -= 1
                last = self._closed and not self._users
            if last:
                self._hang_up(self._clients)

    def close(self) -> None:
        """Hang up, now or when the last call that is under way has ended."""
        with self._counting:
            self._closed = True
            last = not self._users
        if last:
            self._hang_up(self._clients)


class CloudConnection(Generic[C]):
    """See the module."""

    def __init__(
        self,
        service: str,
        make: Callable[[], C],
        hang_up: Callable[[C], None],
        of_error: Callable[[Exception], ConfvmError | None],
        *,
        asked: Callable[[BaseException], object] = lambda _error: "",
        patience: Patience | None = None,
    ) -> None:
        """`make`: called in a thread when the first call is made. `of_error`: what the SDK's exception means; None for
        what is none of the SDK's. `asked`: how long the service asks to wait (Retry-After), of the SDK's exception.
        """
        self.service = service
        self.patience = patience or Patience()
        self._make = make
        self._hang_up = hang_up
        self._of_error = of_error
        self._asked = asked
        self._held: Held[C] | None = None
        self._making = asyncio.Lock()
        self._rate = RateLimit(self.patience.per_second, self.patience.burst)
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._closed = False

    async def call(self, work: Callable[[C], T]) -> T:
        """What `work` returns. Raises what `of_error` says, once it is no use to go on."""
        pause = self.patience.backoff
        for attempt in range(1, self.patience.attempts + 1):
            try:
                return await self._once(work)
            except Transient as error:
                if attempt == self.patience.attempts or self._closed:
                    raise
                wait = _seconds(self._asked(error.__cause__)) if error.__cause__ is not None else 0.0
            await asyncio.sleep(max(wait, pause * _jitter.uniform(0.5, 1)))
            pause = min(pause * 2, self.patience.backoff_most)
        raise AssertionError("unreachable")

    async def aclose(self) -> None:
        """No further call is made. Safe to call twice."""
        self._closed = True
        held, self._held = self._held, None
        if held is not None:
            await in_daemon_thread(f"{self.service} end", lambda _stop: held.close())

    async def _once(self, work: Callable[[C], T]) -> T:
        await self._rate.take()
        async with self._slots:
            if self._closed:
                raise Transient(f"The connection to {self.service} was closed")
            held = await self._opened()
            return await in_daemon_thread(self.service, lambda _stop: self._told(lambda: held.use(work)))

    async def _opened(self) -> Held[C]:
        async with self._making:
            if self._held is None:
                clients = await in_daemon_thread(f"{self.service} start", lambda _stop: self._told(self._make))
                self._held = Held(clients, self._hang_up)
            return self._held

    def _told(self, work: Callable[[], T]) -> T:
        """`work`, what it fails of in the console's words."""
        try:
            return work()
        except ConfvmError:
            raise
        except Exception as error:
            # The SDKs have no common root; what is none of theirs is a bug of ours.
            meaning = self._of_error(error)
            if meaning is None:
                raise
            raise meaning from error

    def __repr__(self) -> str:
        return f"<connection to {self.service}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a connection is never pickled or copied")


def _seconds(asked: Any) -> float:
    """Retry-After in seconds, at most a minute; 0 for anything else."""
    value = str(asked or "")
    return min(float(value), _MOST_ASKED) if value.isascii() and value.isdigit() else 0.0
