"""Asking a running SEV-SNP guest for its report, and handing it its keys: the owner's end of one shared page.

The host carries the page and can drop or garble it, no more: a report is signed by the firmware and names the guest's
public key and the owner's nonce, and keys are sealed to that public key.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import GuestFault
from confvm_gui.domain.guest_evidence import NONCE_SIZE
from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.finish import finish
from confvm_gui.engine.guests.attestation_page import (
    FIRST_SHARE,
    AttestationAnswer,
    PageWrite,
    ShareStatus,
    empty_page,
    parse_answer,
    parse_share_status,
    request_writes,
    sealed_writes,
)
from confvm_gui.engine.guests.memory_map import ATTESTATION_GPA
from confvm_gui.engine.guests.sealing import seal_secret

if TYPE_CHECKING:
    from confvm_gui.providers.embedded.placement import Placement

TIMEOUT_SECONDS: Final = 20.0
SHARE_SECONDS: Final = 120.0
"""The last share is answered when all data sets are opened."""
_POLL_SECONDS: Final = 0.02


class AttestationChannel:
    """One guest's, for one power-on. For the event loop."""

    def __init__(self, placement: Placement) -> None:
        self._placement = placement
        self._sequence = 0
        self._share = FIRST_SHARE - 1
        self._turn = asyncio.Lock()
        self._waiting: asyncio.Future[None] | None = None
        self._ended = ""
        self.public_key = b""
        """The guest's, as it was when its keys were released; a later report must name the same."""
        self._has_keys = False
        """Whether the guest is known to have taken them: shares lie where they lay."""

    def answered(self, sequence: int) -> None:
        """The guest says that an answer lies there."""
        if self._waiting is not None and not self._waiting.done() and sequence == self._sequence:
            self._waiting.set_result(None)

    def ended(self, reason: str) -> None:
        """The guest runs no more."""
        self._ended = reason
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(GuestFault(f"The guest ended before it gave its report: {reason}"))
            self._waiting.exception()  # whoever waits for it meets it; where nobody does, it is no news

    async def put_first_request(self, nonce: bytes) -> None:
        """Before the guest runs: it finds the request at its start."""
        writes = (PageWrite(ATTESTATION_GPA, empty_page()), *self._next_request(nonce))
        await finish(lambda: self._write(writes))

    async def first_answer(self) -> AttestationAnswer:
        """What it says to the first request. Raises GuestFault."""
        return await self._answer()

    async def ask(self, nonce: bytes) -> AttestationAnswer:
        """A fresh report with `nonce` (32 bytes). Raises GuestFault."""
        async with self._turn:
            await self._placement.arrival()
            writes = self._next_request(nonce)
            await finish(lambda: self._write(writes))
            self._ring()
            answer = await self._answer()
            self._has_keys = True  # it opens them before it answers anything else
            return answer

    async def release(self, secret: bytes, answer: AttestationAnswer, nonce: bytes) -> None:
        """Seal `secret` to the guest whose report was accepted, and let it go on."""
        self._require_alive()

        def seal_and_write() -> None:
            self._write(sealed_writes(seal_secret(secret, public_key=answer.public_key, nonce=nonce)))

        await finish(seal_and_write)
        self.public_key = answer.public_key
        self._ring()

    async def give_share(self, sealed: bytes) -> ShareStatus:
        """Hand over what an owner sealed to the guest's key; what became of it. Raises GuestFault, InvalidInput."""
        if not self._has_keys:
            await self.ask(os.urandom(NONCE_SIZE))
        async with self._turn:
            await self._placement.arrival()
            self._require_alive()
            self._share += 1
            writes = sealed_writes(sealed, self._share)
            await finish(lambda: self._write(writes))
            self._ring()
            try:
                async with asyncio.timeout(SHARE_SECONDS):
                    return await self._share_status()
            except TimeoutError:
                raise GuestFault(f"The guest did not answer the share within {SHARE_SECONDS:.0f} seconds") from None

    async def _share_status(self) -> ShareStatus:
        while True:
            self._require_alive()
            answered, status = parse_share_status(await self._page())
            if answered == self._share:
                return status
            await asyncio.sleep(_POLL_SECONDS)  # no port of the guest's tells of it

    async def _page(self) -> bytes:
        machine, guest = self._placement.machine, self._placement.guest
        page = await finish(lambda: machine.controller.hypervisor_read(guest.memory, ATTESTATION_GPA, PAGE_SIZE))
        return page.tobytes()

    def _next_request(self, nonce: bytes) -> Sequence[PageWrite]:
        self._require_alive()
        self._sequence += 1
        self._waiting = asyncio.get_running_loop().create_future()
        return request_writes(self._sequence, nonce)

    async def _answer(self) -> AttestationAnswer:
        waiting = self._waiting
        if waiting is None:
            raise GuestFault("Nothing was asked of the guest")
        try:
            await asyncio.wait_for(waiting, TIMEOUT_SECONDS)
        except TimeoutError:
            raise GuestFault(f"The guest gave no report within {TIMEOUT_SECONDS:.0f} seconds") from None
        finally:
            self._waiting = None
        answer = parse_answer(await self._page())
        if answer.sequence != self._sequence:
            raise GuestFault("The guest's report answers another request")
        if answer.status:
            raise GuestFault(f"The firmware refused the guest its report (status {answer.status:#x})")
        return answer

    def _require_alive(self) -> None:
        if self._ended:
            raise GuestFault(f"The guest has ended: {self._ended}")

    def _ring(self) -> None:
        self._placement.machine.vcpus.ring(self._placement.guest.vcpu)

    def _write(self, writes: Sequence[PageWrite]) -> None:
        machine, guest = self._placement.machine, self._placement.guest
        for gpa, data in writes:
            machine.controller.hypervisor_write(guest.memory, gpa, data)
