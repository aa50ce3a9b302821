"""The way to a host: what goes wrong, in clear words and without hanging."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from confvm_gui.domain.errors import InvalidInput, NotFound, Transient
from confvm_gui.providers.libvirt.call_threads import CallThreads
from confvm_gui.providers.libvirt.connection import LibvirtConnection, Patience
from confvm_gui.providers.libvirt.uri import parse_uri
from tests.support.libvirt_rig import HURRY
from tests.support.libvirtd import Daemon
from tests.support.patience import until


async def refusal(uri: str, patience: Patience = HURRY) -> str:
    connection = LibvirtConnection(uri, patience=patience)
    try:
        with pytest.raises(Transient) as caught:
            await connection.open()
        assert not connection.connected
        assert connection.trouble == str(caught.value)
        return connection.trouble
    finally:
        await connection.aclose()


def fake_ssh(folder: Path, body: str) -> str:
    """URI whose ssh is a script: its words and its end are the real one's."""
    script = folder / "ssh"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    return f"qemu+ssh://admin@db1.example.com/system?command={script}"


async def test_a_daemon_that_does_not_run(tmp_path: Path) -> None:
    said = await refusal(f"qemu:///system?socket={tmp_path}/none")
    assert "does not run: start it" in said
    assert "Failed to connect socket" in said


async def test_a_socket_that_nobody_serves(tmp_path: Path) -> None:
    import socket

    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as unserved:
        unserved.bind(str(path))
        assert "Connection refused" in await refusal(f"qemu:///system?socket={path}")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! Host key verification failed.",
            "The host key of db1.example.com is not the known one",
        ),
        (
            "No ED25519 host key is known for db1.example.com. Host key verification failed.",
            "The host key of db1.example.com is not known yet",
        ),
        ("admin@db1: Permission denied (publickey).", "db1.example.com does not accept you"),
        ("ssh: Could not resolve hostname db1.example.com: Name or service not known", "There is no host named"),
        ("ssh: connect to host db1.example.com port 22: Connection refused", "db1.example.com refuses the connection"),
        ("ssh: connect to host db1.example.com port 22: No route to host", "db1.example.com cannot be reached"),
    ],
)
async def test_what_ssh_says_is_told_with_what_to_do(tmp_path: Path, words: str, expected: str) -> None:
    said = await refusal(fake_ssh(tmp_path, f"echo '{words}' >&2; exit 255"))
    assert said.startswith(expected)
    assert "libvirt: " in said


async def test_a_host_that_never_answers_is_given_up_and_not_asked_over_and_over(tmp_path: Path) -> None:
    uri = fake_ssh(tmp_path, f"echo once >>{tmp_path}/asked; while [ ! -e {tmp_path}/over ]; do sleep 0.05; done")
    connection = LibvirtConnection(uri, patience=Patience(opening=0.3, backoff=0.01))
    began = time.monotonic()
    try:
        for _ in range(4):
            with pytest.raises(Transient, match=r"has not answered within 0\.3 seconds"):
                await connection.open()
        assert time.monotonic() - began < 5
    finally:
        await connection.aclose()
        (tmp_path / "over").touch()
    assert (tmp_path / "asked").read_text().count("once") <= 2


async def test_calls_give_plain_values_and_clear_errors(libvirtd: Daemon) -> None:
    connection = LibvirtConnection(libvirtd.uri, patience=HURRY)
    try:
        with pytest.raises(Transient):
            await connection.call(lambda conn: conn.getHostname())
        await connection.open()
        await connection.open()
        assert await connection.call(lambda conn: conn.getType()) == "QEMU"
        with pytest.raises(NotFound, match="libvirt: Domain not found"):
            await connection.call(lambda conn: conn.lookupByName("nobody") is None)
    finally:
        await connection.aclose()
        await connection.aclose()
    with pytest.raises(Transient):
        await connection.open()


async def test_a_daemon_that_is_killed_is_noticed_at_once_and_found_again(own_libvirtd: Daemon) -> None:
    connection = LibvirtConnection(own_libvirtd.uri, patience=HURRY)
    lost: list[str] = []
    connection.on_lost = lambda reason: lost.append(str(reason))
    try:
        await connection.open()
        own_libvirtd.kill()
        await until(lambda: bool(lost))
        assert lost == [connection.trouble]
        assert "was stopped or restarted" in connection.trouble
        with pytest.raises(Transient, match="was stopped or restarted"):
            await connection.call(lambda conn: conn.getHostname())
        with pytest.raises(Transient, match="does not run"):
            await connection.open()
        own_libvirtd.start_libvirtd()
        await connection.open()
        assert connection.trouble == ""
        assert await connection.call(lambda conn: conn.getType()) == "QEMU"
    finally:
        await connection.aclose()


async def test_a_daemon_that_hangs_is_given_up(own_libvirtd: Daemon) -> None:
    connection = LibvirtConnection(own_libvirtd.uri, patience=HURRY)
    try:
        await connection.open()
        own_libvirtd.hang()
        with pytest.raises(Transient, match=r"has not answered within 0\.2 seconds"):
            await connection.call(lambda conn: conn.getHostname(), seconds=0.2)
        await until(lambda: not connection.connected)
        assert "does not answer any more" in connection.trouble
    finally:
        own_libvirtd.go_on()
        await connection.aclose()


async def test_closing_does_not_wait_for_a_daemon_that_hangs(own_libvirtd: Daemon) -> None:
    connection = LibvirtConnection(own_libvirtd.uri, patience=HURRY)
    await connection.open()
    own_libvirtd.hang()
    call = asyncio.ensure_future(connection.call(lambda conn: conn.getHostname()))
    await asyncio.sleep(0)
    call.cancel()
    began = time.monotonic()
    await connection.aclose()
    assert time.monotonic() - began < 3
    with pytest.raises(asyncio.CancelledError):
        await call
    own_libvirtd.go_on()


async def test_the_pause_between_attempts_grows(tmp_path: Path) -> None:
    patience = Patience(opening=5, backoff=0.1, backoff_most=0.4)
    connection = LibvirtConnection(f"qemu:///system?socket={tmp_path}/none", patience=patience)
    took: list[float] = []
    try:
        for _ in range(4):
            began = time.monotonic()
            with pytest.raises(Transient):
                await connection.open()
            took.append(time.monotonic() - began)
        began = time.monotonic()
        with pytest.raises(Transient):
            await connection.open(at_once=True)
        assert time.monotonic() - began < 0.15
    finally:
        await connection.aclose()
    assert took[1] >= 0.04
    assert took[3] >= 0.19


async def test_a_hung_call_blocks_no_other() -> None:
    import threading

    threads = CallThreads("probe", width=2)
    go_on = threading.Event()
    hung = [asyncio.ensure_future(threads.run(go_on.wait)) for _ in range(2)]
    third = asyncio.ensure_future(threads.run(lambda: 3))
    await asyncio.sleep(0.05)
    assert not third.done()
    for call in hung:
        call.cancel()
    assert await third == 3
    assert threads.hung == 2
    assert await threads.run(lambda: 4) == 4
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)
    go_on.set()
    await until(lambda: threads.hung == 0)
    threads.close()
    with pytest.raises(Transient):
        await threads.run(lambda: 5)


@pytest.mark.parametrize(
    ("text", "slug", "host", "local"),
    [
        ("qemu:///system", "local-system", "this computer", True),
        ("qemu:///session", "local-session", "this computer", True),
        ("qemu+ssh://root@db1.example.com/system", "db1-example-com-system", "db1.example.com", False),
        ("qemu+ssh://db1:2222/session", "db1-2222-session", "db1:2222", False),
        ("test:///default", "test-local-default", "this computer", True),
    ],
)
def test_addresses(text: str, slug: str, host: str, local: bool) -> None:
    address = parse_uri(text)
    assert (address.slug, address.host, address.local) == (slug, host, local)
    assert text in address.title
    assert ("no_tty=1" in address.uri) is ("ssh" in text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "qemu",
        "xen:///system",
        "qemu+carrier:///system",
        "qemu:///other",
        "qemu+ssh:///system",
        "qemu+ssh://-oProxyCommand=x/system",
        "qemu+ssh://root:secret@host/system",
        "qemu+ssh://host:port/system",
        "qemu:///system\n",
        "qemu:///sys tem",
        "qemu+ssh://[::1/system",
        "q" * 2000,
    ],
)
def test_what_is_no_address(text: str) -> None:
    if text.strip() == "qemu:///system":
        assert parse_uri(text).uri == "qemu:///system"
        return
    with pytest.raises(InvalidInput) as caught:
        parse_uri(text)
    assert caught.value.field == "uri"
    assert "secret" not in str(caught.value)
