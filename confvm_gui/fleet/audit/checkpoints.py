"""Signs the log while it grows: at the start of a session, after every 64 records, and at its end.

A checkpoint is a record of its own with an Ed25519 signature over sequence and hash of an earlier record, and so over
all before that. After each, the head is signed once more and kept as the anchor, outside of the data directory.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

from confvm_gui.domain.errors import ConfvmError, KeyUnavailable
from confvm_gui.domain.event import (
    CHECKPOINT_ACTION,
    AuditFilter,
    AuditHead,
    Checkpoint,
    Event,
    EventOutcome,
    Severity,
    checkpoint_message,
)
from confvm_gui.domain.ports.repositories import AuditLog
from confvm_gui.domain.ports.signer import Signer
from confvm_gui.fleet.audit.anchor import AnchorFile, checkpoint_to_mapping
from confvm_gui.fleet.background import Background
from confvm_gui.fleet.events import EventFeed

logger: Final = logging.getLogger(__name__)

EVERY: Final = 64
"""Records between two checkpoints: where a log is altered and its chain recomputed, the bad one is known to be among
that many."""


class Checkpointer:
    """Follows an EventFeed that writes, from construction until `aclose`; signs from `start` on."""

    def __init__(
        self, log: AuditLog, signer: Signer, anchor: AnchorFile, events: EventFeed, *, every: int = EVERY
    ) -> None:
        self._log = log
        self._signer = signer
        self._anchor = anchor
        self._events = events
        self._every = every
        self._unsigned = 0
        self._due = asyncio.Event()
        self._trusted_anchor = True
        """False while the anchor says that the log is not the one it was: it is not written over."""
        self._compared = False
        self._failed = False
        self._background = Background()
        self._unsubscribe = events.changes.subscribe(self._on_event)

    def start(self) -> None:
        """Sign what an earlier run left unsigned, and go on."""
        self._background.start(self._run(), "audit checkpoints")

    async def sign_now(self) -> None:
        """Sign up to here. What goes wrong is an event."""
        await self._try_to_sign()

    async def aclose(self) -> None:
        """Sign what is not signed yet, and end. Safe to call twice."""
        await self._background.aclose()
        if self._unsigned:
            await self._try_to_sign()
        self._unsubscribe()

    def _on_event(self, event: Event) -> None:
        if event.action != CHECKPOINT_ACTION:
            self._unsigned += 1
            if self._unsigned >= self._every:
                self._due.set()

    async def _run(self) -> None:
        await self._sign_what_was_left()
        while True:
            await self._due.wait()
            self._due.clear()
            await self._try_to_sign()

    async def _sign_what_was_left(self) -> None:
        try:
            last = await self._log.search(AuditFilter(), limit=1)
        except ConfvmError:
            return  # verification tells of it
        if last and last[0].event.action != CHECKPOINT_ACTION:
            await self._try_to_sign()

    async def _compare_anchor(self) -> None:
        if self._compared:
            return
        self._compared = True
        reason = ""
        try:
            anchor = await asyncio.to_thread(self._anchor.read)
            if anchor is not None and await self._key(anchor.key) != anchor.key:
                reason = "The signing key is not the one that signed this log before"
            elif anchor is not None and not await holds(self._log, anchor.head):
                reason = (
                    f"The log does not hold record {anchor.head.sequence} as it was seen before: it was cut off, "
                    "or replaced by an older copy"
                )
        except ConfvmError as error:  # the anchor is damaged, or the log cannot be read
            reason = error.message
        if reason:
            self._trusted_anchor = False
            self._events.record(
                "audit.anchor-mismatch",
                reason,
                severity=Severity.ERROR,
                actor="console",
                outcome=EventOutcome.FAILURE,
                detail={"anchor": str(self._anchor.path)},
            )

    async def _key(self, unknown: str) -> str:
        """The public key in hex; `unknown` where it cannot be had, which is told when something is to be signed."""
        try:
            return (await self._signer.public_key()).hex()
        except KeyUnavailable:
            return unknown

    async def _try_to_sign(self) -> None:
        await self._compare_anchor()
        unsigned = self._unsigned
        try:
            await self._sign()
        except ConfvmError as error:
            # The log goes on: verification tells how far it is signed. Said once, not at every checkpoint.
            if not self._failed:
                self._failed = True
                self._events.record(
                    "audit.signing-failed",
                    f"The log is not signed any further: {error.message}",
                    severity=Severity.ERROR,
                    actor="console",
                    outcome=EventOutcome.FAILURE,
                )
        else:
            self._failed = False
            self._unsigned -= unsigned

    async def _sign(self) -> None:
        checkpoint = await self._checkpoint(await self._log.head())
        self._events.record(
            CHECKPOINT_ACTION,
            f"The log was signed up to record {checkpoint.head.sequence}",
            actor="console",
            detail=checkpoint_to_mapping(checkpoint),
        )
        if self._trusted_anchor:
            anchor = await self._checkpoint(await self._log.head())
            await asyncio.to_thread(self._anchor.write, anchor)

    async def _checkpoint(self, head: AuditHead) -> Checkpoint:
        at = time.time()
        signature = await self._signer.sign(checkpoint_message(head, at))
        key = await self._signer.public_key()
        return Checkpoint(head, at, key.hex(), signature.hex())


async def holds(log: AuditLog, head: AuditHead) -> bool:
    """Whether the record at `head` is in the log, with that hash."""
    if head.sequence == 0:
        return True
    found = await log.search(AuditFilter(), limit=1, after=head.sequence - 1)
    return bool(found) and (found[0].sequence, found[0].hash) == (head.sequence, head.hash)
