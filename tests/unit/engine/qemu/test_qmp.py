"""The monitor's client against a QEMU that answers, refuses, says nonsense or goes away."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from confvm_gui.domain.errors import GuestFault, WorkerLost
from confvm_gui.engine.qemu import qmp
from confvm_gui.engine.qemu.qmp import LARGEST_LINE, QmpClient

GREETING = b'{"QMP": {"version": {}, "capabilities": []}}\r\n'


class Monitor:
    """QEMU's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def asked(self) -> Mapping[str, object]:
        line: Mapping[str, object] = json.loads(await self._reader.readline())
        return line

    async def answer(self, **fields: object) -> Mapping[str, object]:
        asked = await self.asked()
        self.writer.write(json.dumps({"id": asked["id"], **fields}).encode() + b"\r\n")
        return asked


@asynccontextmanager
async def connected(events: list[tuple[str, object]] | None = None) -> AsyncIterator[tuple[QmpClient, Monitor]]:
    ours, theirs = socket.socketpair()
    monitor = Monitor(*await asyncio.open_unix_connection(sock=theirs))
    seen = [] if events is None else events
    monitor.writer.write(GREETING)
    connecting = asyncio.ensure_future(QmpClient.connect(ours, lambda name, data: seen.append((name, data))))
    assert (await monitor.answer(**{"return": {}}))["execute"] == "qmp_capabilities"
    client = await connecting
    try:
        yield client, monitor
    finally:
        await client.aclose()
        monitor.writer.close()


async def test_answers_find_their_commands_and_events_come_in_between() -> None:
    events: list[tuple[str, object]] = []
    async with connected(events) as (client, monitor):
        first, second = (asyncio.ensure_future(client.execute("query-status", number=at)) for at in (1, 2))
        asked = [await monitor.asked(), await monitor.asked()]
        assert [line["arguments"] for line in asked] == [{"number": 1}, {"number": 2}]
        monitor.writer.write(b'{"event": "SHUTDOWN", "data": {"reason": "guest-reset"}}\r\n')
        for line in reversed(asked):
            monitor.writer.write(json.dumps({"return": line["arguments"], "id": line["id"]}).encode() + b"\n")
        assert [await first, await second] == [{"number": 1}, {"number": 2}]
        assert events == [("SHUTDOWN", {"reason": "guest-reset"})]


async def test_a_refusal_is_told_in_qemus_words() -> None:
    async with connected() as (client, monitor):
        asking = asyncio.ensure_future(client.execute("cont"))
        await monitor.answer(error={"class": "GenericError", "desc": "Resetting the VM is required"})
        with pytest.raises(GuestFault, match="Resetting the VM is required"):
            await asking


@pytest.mark.parametrize(
    "nonsense", [b"", b"hello\n", b"[]\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n", b"x" * (LARGEST_LINE + 1)]
)
async def test_who_speaks_no_qmp_is_gone(nonsense: bytes) -> None:
    async with connected() as (client, monitor):
        asking = asyncio.ensure_future(client.execute("stop"))
        await monitor.asked()
        monitor.writer.write(nonsense)
        if not nonsense:
            monitor.writer.close()
        with pytest.raises(WorkerLost):
            await asking
        await client.ended()
        with pytest.raises(WorkerLost, match="has ended"):
            await client.execute("cont")


@pytest.mark.parametrize(
    "line", [b'{"id": 77, "return": {}}\n', b'{"id": [], "return": {}}\n', b'{"event": 3}\n', b"{}\n"]
)
async def test_what_nobody_asked_for_is_ignored(line: bytes) -> None:
    async with connected() as (client, monitor):
        monitor.writer.write(line)
        asking = asyncio.ensure_future(client.execute("query-status"))
        await monitor.answer(**{"return": "fine"})
        assert await asking == "fine"


async def test_a_qemu_that_does_not_answer_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected() as (client, _):
        monkeypatch.setattr(qmp, "ANSWER_SECONDS", 0.01)
        with pytest.raises(GuestFault, match="command stop"):
            await client.execute("stop")
