"""QEMU's monitor (QMP): commands one at a time, events as they come, over a socket that the console made.

A client of our own rather than the library `qemu.qmp`: five commands of one process that we started need none of its
connection states, and it logs an error whenever a QEMU is killed, which here is how a guest ends when it is stopped.
Protocol: QEMU, docs/interop/qmp-spec.rst. What QEMU says is untrusted: a line has at most LARGEST_LINE bytes, and what
is no JSON object ends the connection.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Mapping
from typing import Final

from confvm_gui.domain.errors import GuestFault, WorkerLost

LARGEST_LINE: Final = 1 << 20
ANSWER_SECONDS: Final = 30.0
"""How long QEMU may take to answer; it starts within one on a busy computer."""


class QmpClient:
    """One connection. For the event loop only."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        on_event: Callable[[str, Mapping[str, object]], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._on_event = on_event
        self._answers: dict[int, asyncio.Future[object]] = {}
        self._last_id = 0
        self._greeting: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._receiving = asyncio.get_running_loop().create_task(self._receive(), name="QMP")

    @classmethod
    async def connect(
        cls, connection: socket.socket, on_event: Callable[[str, Mapping[str, object]], None]
    ) -> QmpClient:
        """Wait for QEMU's greeting and agree on the protocol; the socket is the client's from now on.

        `on_event`: called with the name and the data of every event. Raises WorkerLost, GuestFault.
        """
        reader, writer = await asyncio.open_unix_connection(sock=connection, limit=LARGEST_LINE)
        client = cls(reader, writer, on_event)
        try:
            await client._within(client._greeting, "its greeting")
            await client.execute("qmp_capabilities")
        except BaseException:  # whatever it was, nothing stays open
            await client.aclose()
            raise
        return client

    async def execute(self, command: str, **arguments: object) -> object:
        """What QEMU returns. Raises GuestFault with QEMU's words if it refuses, WorkerLost if it is gone."""
        if self._receiving.done():
            raise WorkerLost("QEMU has ended")
        self._last_id += 1
        number = self._last_id
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        line = json.dumps({"execute": command, "arguments": arguments, "id": number}) + "\n"
        try:
            self._writer.write(line.encode())
            return await self._within(answer, f"the command {command}")
        finally:
            self._answers.pop(number, None)

    async def ended(self) -> None:
        """Wait until QEMU has closed the connection; all events have been told then."""
        await asyncio.wait([self._receiving])

    async def aclose(self) -> None:
        """Safe to call twice."""
        self._receiving.cancel()
        await asyncio.gather(self._receiving, return_exceptions=True)
        self._writer.close()

    async def _within(self, answer: asyncio.Future[object], what: str) -> object:
        done, _ = await asyncio.wait([answer], timeout=ANSWER_SECONDS)
        if not done:
            answer.cancel()
            raise GuestFault(f"QEMU did not give {what} within {ANSWER_SECONDS:.0f} s; stop the instance")
        return answer.result()

    async def _receive(self) -> None:
        try:
            while line := await self._reader.readline():
                self._take(line)
        except (OSError, ValueError, RecursionError):
            pass  # QEMU was killed, or speaks what is not QMP: for us it is gone either way
        finally:
            self._writer.close()
            for waiting in (self._greeting, *self._answers.values()):
                if not waiting.done():
                    waiting.set_exception(WorkerLost("QEMU ended before it answered"))
                    waiting.exception()  # whoever waits gets it; nobody has to

    def _take(self, line: bytes) -> None:
        """Raises ValueError for what is not QMP."""
        message = json.loads(line)
        if not isinstance(message, dict):
            raise ValueError("not an object")
        if "QMP" in message:
            if not self._greeting.done():
                self._greeting.set_result(None)
        elif isinstance(event := message.get("event"), str):
            data = message.get("data")
            self._on_event(event, data if isinstance(data, dict) else {})
        elif isinstance(number := message.get("id"), int) and (answer := self._answers.get(number)):
            if answer.done():
                return
            if "return" in message:
                answer.set_result(message["return"])
            else:
                error = message.get("error")
                words = error.get("desc") if isinstance(error, dict) else None
                answer.set_exception(GuestFault(f"QEMU refused: {words or 'no reason given'}"))
