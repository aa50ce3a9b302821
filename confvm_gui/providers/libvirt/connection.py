"""The way to one libvirt host: opened with patience, watched, opened again when it broke off.

Calls of libvirt block, and those of a host that hangs block for long. They run on the connection's own daemon threads
(`call_threads`); the event loop waits for them with a limit, and closing the console waits for none of them.
What may end the connection: the daemon stops (libvirt sees the end of the socket at once), or the host falls silent
(libvirt's keep-alive gives it up after KEEPALIVE_SECONDS times KEEPALIVE_COUNT).
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from confvm_gui.domain.errors import ConfvmError, Transient, Unsupported
from confvm_gui.providers.libvirt.call_threads import CallThreads
from confvm_gui.providers.libvirt.errors import INSTALL, call_error, opening_error
from confvm_gui.providers.libvirt.events import EVENT_THREAD, DomainEvent, post, subscribe, unsubscribe
from confvm_gui.providers.libvirt.uri import parse_uri

if TYPE_CHECKING:
    import libvirt

T = TypeVar("T")

OPEN_SECONDS: Final = 20.0
CALL_SECONDS: Final = 30.0
LONG_SECONDS: Final = 60.0
KEEPALIVE_SECONDS: Final = 5
KEEPALIVE_COUNT: Final = 2
_DICE: Final = random.SystemRandom()
_MOST_HUNG_OPENINGS: Final = 2
"""Attempts that may hang at once: libvirt cannot break one off, and each holds a thread and an ssh."""
_CLOSE_SECONDS: Final = 2.0
"""How long a closing console waits for the host to say good-bye."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the connection waits for what, in seconds."""

    opening: float = OPEN_SECONDS
    call: float = CALL_SECONDS
    keepalive: int = KEEPALIVE_SECONDS
    backoff: float = 0.5
    """Before the second attempt; doubled for each further one, up to `backoff_most`."""
    backoff_most: float = 30.0


@dataclass(eq=False, slots=True)
class _Opened:
    """One opened connection. Its objects of libvirt's are touched in threads only."""

    conn: libvirt.virConnect
    subscriptions: list[int]
    lock: threading.Condition = field(default_factory=threading.Condition)
    turn: threading.Lock = field(default_factory=threading.Lock)
    """Held by the call that is in libvirt: see `LibvirtConnection.call`."""
    users: int = 0
    """Calls that are in libvirt with it: it is freed only after the last has come back."""
    closers: set[Callable[[], None]] = field(default_factory=set)
    """Of streams that are open on it: libvirt wants them closed before it, and one after the other."""
    ending: bool = False


class LibvirtConnection:
    """One host. `open`, `call` and `aclose` are called on the event loop.

    `on_event` and `on_lost` are called on the event loop as well: for each domain event, and once with the reason
    when an open connection has broken off.
    """

    def __init__(self, uri: str, *, patience: Patience | None = None) -> None:
        """Raises InvalidInput("uri")."""
        self.address = parse_uri(uri)
        self.on_event: Callable[[DomainEvent], None] = lambda _event: None
        self.on_lost: Callable[[ConfvmError], None] = lambda _reason: None
        self._patience = patience or Patience()
        self._threads = CallThreads(f"libvirt-{self.address.slug}")
        self._opened: _Opened | None = None
        self._opening = asyncio.Lock()
        self._attempts = 0
        self._not_before = 0.0
        self._closed = False
        self._closing: list[Future[None]] = []
        self._trouble = ""
        self._hung_openings = 0
        """Attempts that are still in their threads, counted there under the interpreter's lock."""

    @property
    def host(self) -> str:
        """The host's name for people."""
        return self.address.host

    @property
    def connected(self) -> bool:
        return self._opened is not None

    @property
    def trouble(self) -> str:
        """Why it is not connected, in one sentence; "" while it is or before the first attempt."""
        return self._trouble

    async def open(self, *, at_once: bool = False) -> None:
        """Connect if it is not connected: one attempt, after what is left of the pause since the last failed one.

        The pause doubles with each failure, with a random part, so that many consoles do not all come back to a host
        at one moment. `at_once` leaves it out, for what a person has asked for.

        Raises Transient with what went wrong and libvirt's wording; Unsupported without libvirt-python.
        """
        if self._opened is None and not at_once:
            await asyncio.sleep(self._not_before - time.monotonic())
        async with self._opening:
            if self._opened is not None:
                return
            if self._closed:
                raise Transient(f"The connection to {self.host} is closed")
            try:
                self._opened = await self._attempt()
            except ConfvmError as error:
                self._postpone()
                self._trouble = error.message
                raise
            self._attempts = 0
            self._not_before = 0.0
            self._trouble = ""

    async def call(self, work: Callable[[libvirt.virConnect], T], *, seconds: float | None = None) -> T:
        """What `work`, given libvirt's connection, returns, from a thread of this connection.

        `work` returns plain values, never objects of libvirt's: their release may block, and would on the loop.
        libvirtError is mapped by `errors.call_error`; other errors pass.

        Calls go one after the other: libvirt's client up to 9.9 crashes when a connection falls silent while several
        threads wait on it. One with more than LONG_SECONDS gets a connection of its own, so that it holds up no other.

        Raises Transient when there is no connection, it breaks off, or no answer came in `seconds` (by default
        Patience.call). A call that is not waited for any more, for that or because the caller was cancelled, may still
        be carried out by the host: look before doing again.
        """
        opened = self._opened
        if opened is None:
            raise Transient(self._trouble or f"There is no connection to {self.host}")
        limit = self._patience.call if seconds is None else seconds
        try:
            async with asyncio.timeout(limit):
                if limit > LONG_SECONDS:
                    return await self._threads.run(lambda: self._translated_aside(work))
                return await self._threads.run(lambda: self._translated(opened, work))
        except TimeoutError:
            raise Transient(
                f"{self.host} has not answered within {limit:g} seconds: it hangs or is very busy"
            ) from None

    async def call_with(
        self,
        other: LibvirtConnection,
        work: Callable[[libvirt.virConnect, libvirt.virConnect], T],
        *,
        seconds: float,
    ) -> T:
        """`call` for work that needs the connection to another host as well."""
        if not other.connected:
            raise Transient(other.trouble or f"There is no connection to {other.host}")

        def with_both(first: libvirt.virConnect) -> T:
            with other._aside() as second:
                return work(first, second)

        return await self.call(with_both, seconds=max(seconds, LONG_SECONDS + 1))

    def hold(self, conn: libvirt.virConnect, closer: Callable[[], None]) -> bool:
        """Have `closer` called, in a thread, before `conn` is closed; False when it is being closed already.

        Called in a thread of the connection, for a stream that has just been opened.
        """
        opened = self._opened
        if opened is None or opened.conn is not conn:
            return False
        with opened.lock:
            if opened.ending:
                return False
            opened.closers.add(closer)
            return True

    def drop(self, closer: Callable[[], None]) -> None:
        """The stream has been closed. Called in a thread."""
        opened = self._opened
        if opened is not None:
            with opened.lock:
                opened.closers.discard(closer)

    async def aclose(self) -> None:
        """Close; waits no longer than a moment for a host that hangs. Safe to call twice."""
        self._closed = True
        self._let_go()
        self._threads.close()
        if self._closing:
            await asyncio.wait([asyncio.wrap_future(closing) for closing in self._closing], timeout=_CLOSE_SECONDS)
        self._closing.clear()

    # Inside ---------------------------------------------------------------------------------------------------------

    def _translated(self, opened: _Opened, work: Callable[[libvirt.virConnect], T]) -> T:
        import libvirt

        try:
            with _using(opened, self.host), opened.turn:
                return work(opened.conn)
        except libvirt.libvirtError as error:
            failure = call_error(error, self.host)
        # Raised outside of the handler, as a context would keep libvirt's objects alive.
        raise failure

    def _translated_aside(self, work: Callable[[libvirt.virConnect], T]) -> T:
        import libvirt

        try:
            with self._aside() as conn:
                return work(conn)
        except libvirt.libvirtError as error:
            failure = call_error(error, self.host)
        raise failure

    @contextmanager
    def _aside(self) -> Iterator[libvirt.virConnect]:
        """In a thread: another connection to the same host."""
        import libvirt

        EVENT_THREAD.acquire()
        try:
            conn = libvirt.open(self.address.uri)
            try:
                with suppress(libvirt.libvirtError):
                    conn.setKeepAlive(self._patience.keepalive, KEEPALIVE_COUNT)
                yield conn
            finally:
                conn.close()
        finally:
            EVENT_THREAD.release()

    async def _attempt(self) -> _Opened:
        loop = asyncio.get_running_loop()
        if self._hung_openings >= _MOST_HUNG_OPENINGS:
            raise self._silent()
        handover = _Handover()

        def work() -> ConfvmError | None:
            self._hung_openings += 1
            try:
                made = self._open_blocking(loop)
            finally:
                self._hung_openings -= 1
            if isinstance(made, ConfvmError):
                return made
            if not handover.give(made):
                _close_blocking(made)  # too late
            return None

        try:
            async with asyncio.timeout(self._patience.opening):
                failure = await self._threads.run(work)
            if failure is not None:
                raise failure
            return handover.take()
        except TimeoutError:
            raise self._silent() from None
        finally:
            late = handover.close()
            if late is not None:
                self._close_aside(late)

    def _silent(self) -> Transient:
        return Transient(
            f"{self.host} has not answered within {self._patience.opening:g} seconds: it hangs, or something on the "
            "way drops the packets"
        )

    def _open_blocking(self, loop: asyncio.AbstractEventLoop) -> _Opened | ConfvmError:
        try:
            import libvirt
        except ImportError:
            return Unsupported(INSTALL)
        EVENT_THREAD.acquire()
        try:
            conn = libvirt.open(self.address.uri)
        except libvirt.libvirtError as error:
            EVENT_THREAD.release()
            return opening_error(error, self.host)
        opened = _Opened(conn, [])
        try:
            # Drivers without a daemon have neither keep-alive nor a connection that could close.
            with suppress(libvirt.libvirtError):
                conn.setKeepAlive(self._patience.keepalive, KEEPALIVE_COUNT)
            with suppress(libvirt.libvirtError):
                conn.registerCloseCallback(
                    lambda _conn, reason, _opaque: post(loop, lambda: self._lost(opened, reason)), None
                )
            opened.subscriptions += subscribe(
                conn, loop, lambda event: self.on_event(event) if self._opened is opened else None
            )
        except libvirt.libvirtError as error:
            failure = opening_error(error, self.host)
        else:
            return opened
        _close_blocking(opened)
        return failure

    def _lost(self, opened: _Opened, reason: int) -> None:
        """libvirt has seen the connection end (virConnectCloseReason)."""
        if self._opened is not opened:
            return
        import libvirt

        if reason == libvirt.VIR_CONNECT_CLOSE_REASON_KEEPALIVE:
            said = f"{self.host} does not answer any more: it hangs, or the way to it is cut"
        else:
            said = f"The libvirt daemon of {self.host} has ended the connection: it was stopped or restarted"
        self._let_go()
        self._postpone()
        self._trouble = said
        self.on_lost(Transient(said))

    def _postpone(self) -> None:
        pause = min(self._patience.backoff * 2.0**self._attempts, self._patience.backoff_most)
        self._attempts += 1
        self._not_before = time.monotonic() + pause * _DICE.uniform(0.5, 1.0)

    def _let_go(self) -> None:
        opened, self._opened = self._opened, None
        if opened is None:
            return
        self._close_aside(opened)

    def _close_aside(self, opened: _Opened) -> None:
        # Closing asks the host as well, and so may hang until keep-alive gives the host up.
        self._closing = [closing for closing in self._closing if not closing.done()]
        done: Future[None] = Future()
        self._closing.append(done)

        def close() -> None:
            _close_blocking(opened)
            done.set_result(None)

        threading.Thread(target=close, name="libvirt-close", daemon=True).start()


class _Handover:
    """Passes what a thread has opened to the loop, unless nobody is there any more to take it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given: _Opened | None = None
        self._closed = False

    def give(self, opened: _Opened) -> bool:
        """False when it is too late: the giver closes it."""
        with self._lock:
            if self._closed:
                return False
            self._given = opened
            return True

    def take(self) -> _Opened:
        with self._lock:
            given, self._given = self._given, None
        assert given is not None, "taken once, after it was given"
        return given

    def close(self) -> _Opened | None:
        """Take no more; returns what was given and not taken."""
        with self._lock:
            self._closed = True
            given, self._given = self._given, None
        return given


@contextmanager
def _using(opened: _Opened, host: str) -> Iterator[None]:
    """For one call: libvirt frees a connection that is closed, even under the feet of a call in another thread."""
    with opened.lock:
        if opened.ending:
            raise Transient(f"The connection to {host} is closed")
        opened.users += 1
    try:
        yield
    finally:
        with opened.lock:
            opened.users -= 1
            opened.lock.notify_all()


def _close_blocking(opened: _Opened) -> None:
    """Waits for calls that still hang: keep-alive breaks them off."""
    import libvirt

    with opened.lock:
        opened.ending = True
        opened.lock.wait_for(lambda: not opened.users)
        closers = tuple(opened.closers)
        opened.closers.clear()
    for close in closers:
        close()
    unsubscribe(opened.conn, opened.subscriptions)
    with suppress(libvirt.libvirtError):
        opened.conn.unregisterCloseCallback()
    with suppress(libvirt.libvirtError):
        opened.conn.close()
    EVENT_THREAD.release()
