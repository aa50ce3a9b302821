"""What libvirt asks of an event loop (libvirt-event: virEventRegisterImpl), over epoll or poll, in its own thread.

libvirt's own loop runs GLib's default context, and so does Qt on Linux: with both in one process, libvirt's callbacks
would run on the window's thread and Qt's on libvirt's.
"""

from __future__ import annotations

import itertools
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

_READABLE, _WRITABLE, _ERROR, _HANGUP = 1, 2, 4, 8
"""virEventHandleType."""
_POLLED: Final = ((_READABLE, select.POLLIN), (_WRITABLE, select.POLLOUT))
"""With poll's flag, which has the same value as epoll's."""
_LONGEST_SECONDS: Final = 3600.0


@dataclass(slots=True)
class _Handle:
    fd: int
    events: int
    call: Callable[[int, int, int, object], None]
    opaque: object


@dataclass(slots=True)
class _Timer:
    seconds: float
    """Between two calls; below 0 it is off."""
    due: float
    call: Callable[[int, object], None]
    opaque: object


class PollSet:
    """poll(2) with the calls of `select.epoll`, for systems without it, such as macOS.

    Whoever waits does not notice changes: the loop wakes it.
    """

    def __init__(self) -> None:
        self._poll = select.poll()
        self.register = self._poll.register
        self.modify = self._poll.modify

    def unregister(self, fd: int) -> None:
        with suppress(KeyError):  # it was closed, and forgotten by `poll`
            self._poll.unregister(fd)

    def poll(self, seconds: float) -> list[tuple[int, int]]:
        ready = self._poll.poll(seconds * 1000)
        for fd, found in ready:
            if found & select.POLLNVAL:  # it would be told at once, again and again
                self.unregister(fd)
        return ready

    def close(self) -> None:
        """It holds nothing."""


class EpollLoop:
    """Everything but `run_once` may be called by any thread, also by callbacks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._handles: dict[int, _Handle] = {}
        self._timers: dict[int, _Timer] = {}
        self._polled: dict[int, int] = {}
        """What epoll looks for, by file descriptor."""
        self._done: list[object] = []
        """Opaque values of what was removed, to be freed by the loop's own thread."""
        self._epoll: select.epoll | PollSet = select.epoll() if hasattr(select, "epoll") else PollSet()
        self._wake_reader, self._wake_writer = socket.socketpair()
        for end in (self._wake_reader, self._wake_writer):
            end.setblocking(False)
        self._epoll.register(self._wake_reader, select.POLLIN)

    def register(self) -> None:
        """Make it libvirt's event loop, once in a process and before any connection is opened."""
        import libvirt

        libvirt.virEventRegisterImpl(
            self.add_handle,
            self.update_handle,
            self.remove_handle,
            self.add_timeout,
            self.update_timeout,
            self.remove_timeout,
        )

    def close(self) -> None:
        """Give the descriptors back. Not for a loop that was registered: libvirt has it until the process ends."""
        for end in (self._epoll, self._wake_reader, self._wake_writer):
            end.close()

    # What libvirt asks for ------------------------------------------------------------------------------------------

    def add_handle(self, fd: int, events: int, call: Callable[[int, int, int, object], None], opaque: object) -> int:
        """Watch a file descriptor; returns the watch."""
        with self._lock:
            watch = next(self._ids)
            self._handles[watch] = _Handle(fd, events, call, opaque)
            self._poll(fd)
            return watch

    def update_handle(self, watch: int, events: int) -> None:
        with self._lock:
            handle = self._handles.get(watch)
            if handle is not None:
                handle.events = events
                self._poll(handle.fd)

    def remove_handle(self, watch: int) -> int:
        """0, or -1 where there is none."""
        with self._lock:
            handle = self._handles.pop(watch, None)
            if handle is None:
                return -1
            self._poll(handle.fd)
            self._done.append(handle.opaque)
        self.wake()
        return 0

    def add_timeout(self, milliseconds: int, call: Callable[[int, object], None], opaque: object) -> int:
        """Call again and again after so long; -1: not before `update_timeout`. Returns the timer."""
        with self._lock:
            timer = next(self._ids)
            self._timers[timer] = _Timer(milliseconds / 1000, time.monotonic() + milliseconds / 1000, call, opaque)
        self.wake()
        return timer

    def update_timeout(self, timer: int, milliseconds: int) -> None:
        with self._lock:
            known = self._timers.get(timer)
            if known is not None:
                known.seconds, known.due = milliseconds / 1000, time.monotonic() + milliseconds / 1000
        self.wake()

    def remove_timeout(self, timer: int) -> int:
        """0, or -1 where there is none."""
        with self._lock:
            known = self._timers.pop(timer, None)
            if known is None:
                return -1
            self._done.append(known.opaque)
        self.wake()
        return 0

    # What its thread does -------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Have `run_once` return soon."""
        with suppress(BlockingIOError):  # it has been woken often enough already
            self._wake_writer.send(b"\0")

    def run_once(self) -> None:
        """Wait for what comes next and call whoever waits for it. What a callback raises is passed on."""
        ready = self._epoll.poll(self._wait_seconds())
        for fd, found in ready:
            if fd == self._wake_reader.fileno():
                with suppress(BlockingIOError):
                    while self._wake_reader.recv(4096):
                        pass
                continue
            for watch, events, handle in self._awaiting(fd, found):
                handle.call(watch, fd, events, handle.opaque)
        for timer, due in self._due():
            due.call(timer, due.opaque)
        self._free()

    def _wait_seconds(self) -> float:
        with self._lock:
            next_due = min((timer.due for timer in self._timers.values() if timer.seconds >= 0), default=None)
            if self._done:
                return 0.0
        if next_due is None:
            return _LONGEST_SECONDS
        return min(max(next_due - time.monotonic(), 0.0), _LONGEST_SECONDS)

    def _awaiting(self, fd: int, found: int) -> list[tuple[int, int, _Handle]]:
        """Who waits for what has come; errors and the other end's leaving are told to all."""
        came = sum(bit for bit, flag in _POLLED if found & flag)
        came |= (_ERROR if found & select.POLLERR else 0) | (_HANGUP if found & select.POLLHUP else 0)
        with self._lock:
            return [
                (watch, told, handle)
                for watch, handle in self._handles.items()
                if handle.fd == fd and handle.events and (told := came & (handle.events | _ERROR | _HANGUP))
            ]

    def _due(self) -> list[tuple[int, _Timer]]:
        now = time.monotonic()
        with self._lock:
            found = [
                (number, timer) for number, timer in self._timers.items() if timer.seconds >= 0 and timer.due <= now
            ]
            for _, timer in found:
                timer.due = now + timer.seconds
        return found

    def _free(self) -> None:
        import libvirt

        with self._lock:
            done, self._done = self._done, []
        for opaque in done:
            libvirt.virEventInvokeFreeCallback(opaque)

    def _poll(self, fd: int) -> None:
        """Have epoll look for what the watches of `fd` want together; a thread that waits there notices at once."""
        events = 0
        for handle in self._handles.values():
            if handle.fd == fd:
                events |= handle.events
        # Without any wish it would still tell of errors, again and again.
        wanted = sum(flag for bit, flag in _POLLED if events & bit) | (select.POLLERR if events else 0)
        before = self._polled.pop(fd, 0)
        if wanted:
            self._polled[fd] = wanted
        if before == wanted:
            return
        with suppress(OSError):  # closed already: then epoll has forgotten it by itself
            if not wanted:
                self._epoll.unregister(fd)
            elif before:
                self._epoll.modify(fd, wanted)
            else:
                self._epoll.register(fd, wanted)
        if isinstance(self._epoll, PollSet):
            self.wake()
