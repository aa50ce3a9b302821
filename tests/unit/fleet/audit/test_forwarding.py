"""Forwarding while a console is open: what is kept over a restart, what is told, and who may choose."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from confvm_gui.domain.errors import Forbidden, InvalidInput, ReadOnly, Transient
from confvm_gui.domain.event import EventOutcome
from confvm_gui.domain.roles import Role
from confvm_gui.fleet.audit.forward import Delivered
from confvm_gui.fleet.audit.forwarding import FORWARD_SETTING, Forwarding
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.roles.access import Access
from confvm_gui.fleet.roles.assignments import Assignments
from confvm_gui.fleet.settings import Settings
from confvm_gui.store import open_store
from tests.support.patience import until
from tests.unit.fleet.audit.syslog_server import HOST, Mood, SyslogServer, make_certificate, syslog_server


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return make_certificate(tmp_path / "server.pem")


class Console:
    """One run of a console over a data directory, as far as forwarding goes."""

    def __init__(self, forwarding: Forwarding, events: EventFeed) -> None:
        self.forwarding = forwarding
        self.events = events

    def wrap(self, number: int) -> None:
        self.events.record("key.wrap", f"Wrapped {number}")


@asynccontextmanager
async def console(data_dir: Path, role: Role = Role.AUDITOR, readonly_reason: str = "") -> AsyncIterator[Console]:
    async with await open_store(data_dir) as store:
        events = EventFeed(store.audit, readonly=False)
        access = Access(Assignments({"ann": frozenset({role})}), events, "ann", frozenset())
        settings = Settings(store.settings, await store.settings.load(), readonly=False, access=access, events=events)
        forwarding = Forwarding(
            store.audit, settings, access, events, data_dir, readonly_reason=readonly_reason, first_pause=0.01
        )
        await forwarding.start()
        yield Console(forwarding, events)
        await forwarding.aclose()


def wrapped(server: SyslogServer) -> list[int]:
    found = (re.search(rb"Wrapped (\d+)", message) for message in server.messages)
    return [int(each[1]) for each in found if each is not None]


async def test_the_queue_is_kept_over_a_restart_while_the_server_is_down(data_dir: Path, certificate: Path) -> None:
    with syslog_server(certificate) as first:
        async with console(data_dir) as one:
            one.wrap(1)
            chosen = await one.forwarding.choose(HOST, str(first.port), str(certificate))
            await until(lambda: wrapped(first) == [1])
            # That it has been confirmed is noted a moment later; before that, it would be sent again.
            delivered = Delivered.of(data_dir, chosen)
            await until(lambda: delivered.read() == 2)
            port = first.port
    async with console(data_dir) as two:
        two.wrap(2)
        two.wrap(3)
        told: list[None] = []
        two.forwarding.changes.subscribe(told.append)
        await until(lambda: len(told) > 0)
        queue = await two.forwarding.queue()
        assert queue.waiting >= 2
        assert f"{HOST}:{port}" in queue.trouble
    with syslog_server(certificate, port=port) as second:
        async with console(data_dir) as three:
            await until(lambda: wrapped(second) == [2, 3])
            three.wrap(4)
            await until(lambda: wrapped(second) == [2, 3, 4])
            await three.forwarding.stop()
            assert three.forwarding.destination is None
            three.wrap(5)
            three.events.record("key.wrap", "the last")
    assert wrapped(second) == [2, 3, 4]


async def test_what_a_server_did_not_take_is_told_once_and_so_is_its_return(data_dir: Path, certificate: Path) -> None:
    with syslog_server(certificate, Mood.DROP, Mood.DROP, Mood.CRASH) as server:
        async with console(data_dir) as one:
            events: list[tuple[EventOutcome, str]] = []
            one.events.changes.subscribe(
                lambda event: events.append((event.outcome, event.message)) if event.action == "audit.forward" else None
            )
            one.wrap(1)
            await one.forwarding.choose(HOST, str(server.port), str(certificate))
            await until(lambda: len(events) == 3)
    assert [outcome for outcome, _ in events] == [EventOutcome.SUCCESS, EventOutcome.FAILURE, EventOutcome.SUCCESS]
    assert "is not forwarded: " in events[1][1]
    assert events[2][1].endswith(f"{HOST}:{server.port} again")
    assert 1 in wrapped(server)


async def test_a_wrong_certificate_is_refused_in_words(data_dir: Path, certificate: Path, tmp_path: Path) -> None:
    other = make_certificate(tmp_path / "other.pem")
    async with console(data_dir) as one:
        with syslog_server(other) as server:
            with pytest.raises(Transient, match=r"localhost:\d+ cannot prove who it is"):
                await one.forwarding.test(HOST, str(server.port), str(certificate))
            assert server.seen == []
            assert one.forwarding.destination is None, "a test keeps nothing"
        with syslog_server(certificate) as server:
            tested = await one.forwarding.test(HOST, str(server.port), str(certificate))
            assert tested.port == server.port
            await until(lambda: server.connections == 1)
            assert server.seen == []
        with pytest.raises(Transient, match="did not take"):
            await one.forwarding.test(HOST, str(server.port), str(certificate))


@pytest.mark.parametrize(
    ("host", "port", "ca", "field"),
    [
        ("", "", "", "host"),
        ("two words", "", "", "host"),
        ("https://log.example", "", "", "host"),
        (HOST, "0", "", "port"),
        (HOST, "65536", "", "port"),
        (HOST, "ten", "", "port"),
        (HOST, "٣", "", "port"),
        (HOST, "", "/nowhere.pem", "ca"),
        (HOST, "", "/etc/hostname", "ca"),
    ],
)
async def test_what_is_no_server_is_refused_at_its_field(
    data_dir: Path, host: str, port: str, ca: str, field: str
) -> None:
    async with console(data_dir) as one:
        for ask in (one.forwarding.choose, one.forwarding.test):
            with pytest.raises(InvalidInput) as refused:
                await ask(host, port, ca)
            assert refused.value.field == field
        assert one.forwarding.destination is None


async def test_only_who_may_forward_chooses(data_dir: Path) -> None:
    async with console(data_dir, Role.OPERATOR) as one:
        for ask in (one.forwarding.choose, one.forwarding.test):
            with pytest.raises(Forbidden, match="export or forward"):
                await ask("log.example")
        with pytest.raises(Forbidden):
            await one.forwarding.stop()
    async with console(data_dir, readonly_reason="Only for reading") as two:
        with pytest.raises(ReadOnly):
            await two.forwarding.choose("log.example")


async def test_an_entry_that_is_none_is_none(data_dir: Path) -> None:
    async with await open_store(data_dir) as store:
        store.settings.put(FORWARD_SETTING, {"to": "log:many", "ca": 3})
    async with console(data_dir) as one:
        assert one.forwarding.destination is None
    async with console(data_dir) as two:
        await two.forwarding.choose("::1", "", "")
        chosen = two.forwarding.destination
        assert chosen is not None
        assert (chosen.host, chosen.port, chosen.name) == ("::1", 6514, "[::1]:6514")
