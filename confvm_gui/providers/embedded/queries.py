"""Questions to a running guest through its mailbox, one at a time, sealed end to end."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from confvm_gui.domain.errors import GuestFault, InvalidInput
from confvm_gui.domain.query import Query, QueryAnswer, QueryVerb
from confvm_gui.engine.guests.guest_status import parse_status
from confvm_gui.engine.guests.mailbox import (
    HEADER_BYTES,
    MAXIMUM_PAYLOAD,
    REQUEST_GPA,
    RESPONSE_GPA,
    MailboxAnswer,
    MailboxKey,
    pack_header,
    unpack_header,
)
from confvm_gui.providers.embedded.placement import Placement

TIMEOUT_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.002
_SLOW_POLL_SECONDS: Final = 0.02


class Mailbox:
    """The console's end of one guest's mailbox, for one power-on: the key is as old as the launch."""

    def __init__(self, placement: Placement, key: MailboxKey) -> None:
        self._placement = placement
        self._key = key
        self._sequence = 0
        self._turn = asyncio.Lock()
        self._columns: tuple[str, ...] = ()
        self.answered = 0

    async def ask(self, query: Query) -> QueryAnswer:
        """Raises GuestFault, and InvalidInput("query") with the guest's reason when it refuses the question."""
        async with self._turn:
            started = time.monotonic()
            if not self._columns and query.verb is not QueryVerb.STATUS:
                self._columns = parse_status(await self._exchange(Query(QueryVerb.STATUS))).columns
            answer = await self._exchange(query)
            if query.verb is QueryVerb.STATUS:
                self._columns = parse_status(answer).columns
        if not answer.ok:
            raise InvalidInput("query", answer.note)
        self.answered += 1
        return QueryAnswer(answer.count, self._columns, answer.rows, answer.note, time.monotonic() - started)

    async def _exchange(self, query: Query) -> MailboxAnswer:
        await self._placement.arrival()
        self._require_running()
        self._sequence += 1
        payload = self._key.seal_request(self._sequence, query)
        machine, guest = self._placement.machine, self._placement.guest
        controller, memory = machine.controller, guest.memory
        controller.hypervisor_write(memory, REQUEST_GPA + 4, pack_header(self._sequence, len(payload))[4:] + payload)
        controller.hypervisor_write(memory, REQUEST_GPA, pack_header(self._sequence, len(payload))[:4])
        machine.vcpus.ring(guest.vcpu)
        return self._key.open_answer(self._sequence, await self._answer())

    async def _answer(self) -> bytes:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        pause = _POLL_SECONDS
        while time.monotonic() < deadline:
            await self._placement.arrival()
            self._require_running()
            controller, memory = self._placement.machine.controller, self._placement.guest.memory
            head = controller.hypervisor_read(memory, RESPONSE_GPA, HEADER_BYTES)
            sequence, length = unpack_header(head.tobytes())
            if sequence == self._sequence:
                if length > MAXIMUM_PAYLOAD:
                    raise GuestFault("The guest's answer has an impossible length")
                return controller.hypervisor_read(memory, RESPONSE_GPA + HEADER_BYTES, length).tobytes()
            await asyncio.sleep(pause)
            pause = min(pause * 1.2, _SLOW_POLL_SECONDS)
        raise GuestFault(f"The guest did not answer within {TIMEOUT_SECONDS:.0f} seconds")

    def _require_running(self) -> None:
        # The vCPU goes first, on this loop: while it is there, so is the memory.
        if not self._placement.guest.vcpu:
            raise GuestFault("The guest was stopped before it answered")
