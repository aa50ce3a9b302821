"""libvirt's event loop beside the window's: who waits for what is told, on the loop's own thread, and nobody else."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Iterator

import pytest

from confvm_gui.providers.libvirt.event_loop import EpollLoop, PollSet

READABLE, WRITABLE, HANGUP = 1, 2, 8


@pytest.fixture(params=["epoll", "poll"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[EpollLoop]:
    if request.param == "poll":  # as on macOS
        monkeypatch.delattr(select, "epoll")
    made = EpollLoop()
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair()
    with left, right:
        yield left, right


def test_a_watch_is_told_what_it_waits_for_as_long_as_it_waits(
    loop: EpollLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    left, right = pair
    told: list[tuple[int, int]] = []
    watch = loop.add_handle(left.fileno(), READABLE, lambda _watch, fd, events, _: told.append((fd, events)), ("c", 1))
    right.send(b"x")
    loop.run_once()
    assert told == [(left.fileno(), READABLE)]
    loop.update_handle(watch, WRITABLE)
    loop.run_once()
    assert told[-1] == (left.fileno(), WRITABLE)
    loop.update_handle(watch, 0)
    loop.wake()
    loop.run_once()
    assert len(told) == 2, "what waits for nothing is told nothing, though there is something to read"
    right.close()
    loop.update_handle(watch, READABLE)
    loop.run_once()
    assert told[-1][1] & (READABLE | HANGUP)


def test_two_watches_of_one_descriptor_are_told_apart(
    loop: EpollLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    left, right = pair
    told: list[str] = []
    loop.add_handle(left.fileno(), READABLE, lambda *_: told.append("reader"), ("c", 1))
    writer = loop.add_handle(left.fileno(), WRITABLE, lambda *_: told.append("writer"), ("c", 1))
    loop.run_once()
    assert told == ["writer"]
    loop.update_handle(writer, 0)
    right.send(b"x")
    loop.run_once()
    assert told == ["writer", "reader"]


def test_a_timer_calls_again_and_again_until_it_is_switched_off(loop: EpollLoop) -> None:
    called: list[int] = []
    timer = loop.add_timeout(0, lambda number, _: called.append(number), ("c", 1))
    loop.run_once()
    loop.run_once()
    loop.update_timeout(timer, -1)
    loop.run_once()  # the wake of the update
    assert called[:2] == [timer, timer]
    seen = len(called)
    loop.wake()
    loop.run_once()
    assert len(called) == seen


def test_what_is_removed_or_closed_is_told_nothing_more(
    loop: EpollLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    left, right = pair
    told: list[object] = []
    watch = loop.add_handle(left.fileno(), WRITABLE, lambda *_: told.append(1), ("c", 1))
    gone = os.dup(right.fileno())
    closed = loop.add_handle(gone, WRITABLE, lambda *_: told.append(2), ("c", 1))
    os.close(gone)
    loop.update_handle(closed, READABLE)
    loop.update_handle(watch, 0)
    loop.wake()
    loop.run_once()
    assert told == []
    assert loop.remove_handle(99) == -1
    assert loop.remove_timeout(99) == -1


def test_a_descriptor_that_is_closed_does_not_keep_poll_busy() -> None:
    left, right = socket.socketpair()
    polled = PollSet()
    polled.register(left.fileno(), select.POLLIN)
    number = left.fileno()
    left.close()
    right.close()
    assert polled.poll(0.0) == [(number, select.POLLNVAL)]
    assert polled.poll(0.0) == []
    polled.unregister(number)
