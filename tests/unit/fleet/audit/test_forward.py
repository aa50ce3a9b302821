"""Forwarding over TLS: nothing is lost whatever the server does, and what comes twice can be told by its hash."""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from confvm_gui.domain.errors import InvalidInput, StoreError, Transient
from confvm_gui.domain.event import Event
from confvm_gui.fleet.audit import forward
from confvm_gui.fleet.audit.forward import Delivered, Destination, Forwarder, parse_destination
from confvm_gui.store import open_store
from confvm_gui.store.console_store import ConsoleStore
from tests.support.patience import until
from tests.unit.fleet.audit.syslog_server import HOST, Mood, SyslogServer, make_certificate, syslog_server


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return make_certificate(tmp_path / "server.pem")


async def filled(data_dir: Path, count: int) -> ConsoleStore:
    store = await open_store(data_dir)
    add(store, 1, count)
    await store.flush()
    return store


def add(store: ConsoleStore, first: int, last: int) -> None:
    for number in range(first, last + 1):
        store.audit.append(Event(float(number), "ann", "key.wrap", f"vm-{number}", f"Wrapped\n{number}"))


def forwarder(store: ConsoleStore, data_dir: Path, port: int, certificate: Path, **more: float) -> Forwarder:
    destination = Destination(HOST, port, certificate, timeout=more.get("timeout", 10.0))
    return Forwarder(store.audit, destination, Delivered(data_dir / "forwarded" / "x"), first_pause=0.01)


def sequences(messages: list[bytes]) -> list[int]:
    found = [re.search(rb'sequence="(\d+)"', message) for message in messages]
    return [int(each[1]) for each in found if each is not None]


async def test_all_that_waits_is_delivered_in_order_and_once(data_dir: Path, certificate: Path) -> None:
    store = await filled(data_dir, forward.BATCH + 5)
    with syslog_server(certificate) as server:
        sender = forwarder(store, data_dir, server.port, certificate)
        assert await sender.send_waiting() == forward.BATCH + 5
        assert await sender.send_waiting() == 0
        add(store, 506, 507)
        await store.flush()
        # As another process would go on.
        assert await forwarder(store, data_dir, server.port, certificate).send_waiting() == 2
    assert sequences(server.messages) == list(range(1, 508))
    await store.aclose()


@pytest.mark.parametrize("mood", [Mood.DROP, Mood.CRASH, Mood.HANG])
async def test_what_a_server_did_not_confirm_is_sent_again(data_dir: Path, certificate: Path, mood: Mood) -> None:
    store = await filled(data_dir, 200)
    with syslog_server(certificate, mood) as server:
        sender = forwarder(store, data_dir, server.port, certificate, timeout=0.3 if mood is Mood.HANG else 10.0)
        with pytest.raises(Transient):
            await sender.send_waiting()
        assert Delivered(data_dir / "forwarded" / "x").read() == 0
    with syslog_server(certificate) as server:
        assert await forwarder(store, data_dir, server.port, certificate).send_waiting() == 200
    assert sequences(server.messages) == list(range(1, 201))
    await store.aclose()


async def test_a_server_that_restarts_gets_everything_while_the_log_grows(data_dir: Path, certificate: Path) -> None:
    store = await filled(data_dir, 30)
    told: list[str] = []
    first = SyslogServer(certificate, [Mood.TAKE, Mood.CRASH])
    sender = Forwarder(
        store.audit,
        Destination(HOST, first.port, certificate, timeout=5.0),
        Delivered(data_dir / "forwarded" / "x"),
        first_pause=0.01,
        on_trouble=told.append,
    )
    task = asyncio.create_task(sender.run())
    await until(lambda: len(first.messages) == 30)
    add(store, 31, 40)
    await until(lambda: len(first.seen) >= 40)
    first.close()
    add(store, 41, 50)
    await until(lambda: told != [] and told[-1] != "")
    with syslog_server(certificate, port=first.port) as second:
        await until(lambda: told[-1] == "" and 50 in sequences(second.messages))
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    taken = sequences(first.messages) + sequences(second.messages)
    assert sorted(set(taken)) == list(range(1, 51)), "nothing is lost"
    assert len(taken) == len(set(taken)), "and nothing that a server took comes twice"
    await store.aclose()


async def test_a_server_that_cannot_prove_who_it_is_gets_nothing(
    data_dir: Path, certificate: Path, tmp_path: Path
) -> None:
    store = await filled(data_dir, 3)
    other = make_certificate(tmp_path / "other.pem")
    wrong_name = make_certificate(tmp_path / "name.pem", "elsewhere.example")
    for shown, trusted in ((other, certificate), (wrong_name, wrong_name)):
        with syslog_server(shown) as server:
            with pytest.raises(Transient, match="prove who it is"):
                await forwarder(store, data_dir, server.port, trusted).send_waiting()
            assert server.seen == []
    await store.aclose()


async def test_what_cannot_be_used_is_told(data_dir: Path, tmp_path: Path) -> None:
    store = await filled(data_dir, 1)
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    with pytest.raises(InvalidInput, match="cannot be used") as refused:
        await forwarder(store, data_dir, 1, bad).send_waiting()
    assert refused.value.field == "ca"
    delivered = Delivered(data_dir / "forwarded" / "x")
    delivered.write(5)
    assert delivered.read() == 5
    delivered.path.write_text("many")
    with pytest.raises(StoreError, match="how far"):
        delivered.read()
    await store.aclose()


async def test_who_stops_does_not_wait_for_a_server_that_says_nothing(data_dir: Path, certificate: Path) -> None:
    """The thread that talks to it ends long before its patience would: the program waits for it at its end."""
    store = await filled(data_dir, 1)
    with socket.create_server((HOST, 0)) as silent:
        port = int(silent.getsockname()[1])
        sending = asyncio.create_task(forwarder(store, data_dir, port, certificate, timeout=600.0).send_waiting())
        connection, _ = await asyncio.to_thread(silent.accept)
        with connection:
            assert await asyncio.to_thread(connection.recv, 1)  # it has begun the handshake
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
            await asyncio.get_running_loop().shutdown_default_executor()
    await store.aclose()


def test_servers_are_named_by_host_and_port() -> None:
    assert parse_destination("log.example").name == "log.example:6514"
    assert parse_destination("log.example:7000").name == "log.example:7000"
    assert parse_destination("[::1]:7000").name == "[::1]:7000"
    assert parse_destination("::1").name == "[::1]:6514"
    for bad in ("", ":1", "log:0", "log:70000", "log:x"):
        with pytest.raises(InvalidInput):
            parse_destination(bad)
