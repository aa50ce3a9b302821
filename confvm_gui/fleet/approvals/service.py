"""Two-person approval: a request is stored, a second person decides, and only then it is carried out.

The one who asked cannot decide, nor anybody without the right to it; a request that nobody decides expires. Asking,
deciding, refusing a decision, expiry and outcome are events.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from confvm_gui.domain.approval import Approval, ApprovalStatus
from confvm_gui.domain.errors import ConfvmError, Forbidden, NeedsApproval, ReadOnly, WrongState
from confvm_gui.domain.event import EventOutcome, Severity
from confvm_gui.domain.operation import Operation
from confvm_gui.domain.ports.repositories import ApprovalRepository
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.approvals.decisions import (
    FOLDER,
    Decision,
    digest_of,
    found_decisions,
    leave_decision,
    take_away,
)
from confvm_gui.fleet.background import Background
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.identity import user_name
from confvm_gui.fleet.observable import Observable
from confvm_gui.fleet.roles.access import Access

LOOK_SECONDS: Final = 2.0
"""Between two looks for decisions of other consoles and requests that have expired."""

CarryOut = Callable[[Approval], Awaitable[None]]
"""Does what was approved. Raises ConfvmError."""


class Approvals:
    """Requests of one data directory. Reading works in a read-only session as well."""

    def __init__(
        self,
        repository: ApprovalRepository,
        access: Access,
        events: EventFeed,
        data_dir: Path,
        *,
        readonly_reason: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.changes: Observable[Approval] = Observable()
        self._repository = repository
        self._access = access
        self._events = events
        self._data_dir = data_dir
        self._readonly_reason = readonly_reason
        self._clock = clock
        self._doers: dict[str, CarryOut] = {}
        self._background = Background()
        self._deciding = asyncio.Lock()

    def permit(self, permission: Permission, *, subject: str = "") -> None:
        """Raises Forbidden, which is an event as well, where the present user's roles do not allow it."""
        self._access.require(permission, subject=subject)

    def on_approved(self, kind: str, carry_out: CarryOut) -> None:
        """Who does what is approved of this kind."""
        self._doers[kind] = carry_out

    def needed(self, kind: str) -> bool:
        """Whether this kind needs a second person here."""
        return kind in self._access.assignments.needed

    async def recent(self, limit: int = 200) -> Sequence[Approval]:
        """Newest first."""
        return await self._repository.recent(limit)

    async def get(self, approval_id: str) -> Approval:
        """By its id, or the beginning of it if only one has it. Raises NotFound."""
        found = [
            each for each in await self._repository.recent(1000) if approval_id and each.id.startswith(approval_id)
        ]
        return found[0] if len(found) == 1 else await self._repository.get(approval_id)

    # Asking and deciding --------------------------------------------------------------------------------------------

    async def ask(self, kind: str, subject: str, title: str, intent: Mapping[str, object]) -> Approval:
        """Store a request; one that waits already for the same is not stored twice. Raises ReadOnly, StoreError."""
        self._require_writable()
        for waiting in await self._repository.unfinished():
            if (waiting.kind, waiting.subject, dict(waiting.intent)) == (kind, subject, dict(intent)):
                return waiting
        now = self._clock()
        approval = Approval(
            id=uuid.uuid4().hex,
            kind=kind,
            subject=subject,
            title=title,
            intent=intent,
            asked_by=self._access.user,
            asked_at=now,
            expires_at=now + self._access.assignments.hours * 3600,
        )
        await self._repository.put(approval)
        self._tell(approval, "asked", f"{title} waits for a second person", outcome=EventOutcome.PENDING)
        self.changes.emit(approval)
        return approval

    async def require(self, kind: str, subject: str, title: str, intent: Mapping[str, object]) -> None:
        """Return where this kind needs nobody else; otherwise store a request and raise NeedsApproval."""
        if not self.needed(kind):
            return
        approval = await self.ask(kind, subject, title, intent)
        raise NeedsApproval(
            f"{title} needs a second person: the request {approval.id[:8]} was stored, and is carried out once another "
            "administrator approves it",
            approval_id=approval.id,
        )

    async def require_deletions(self, deletions: Sequence[Operation]) -> None:
        """The same for deletions of instances: a request for each, all stored before the first one is told."""
        needing: NeedsApproval | None = None
        for deletion in deletions:
            title = f"Deleting {deletion.instance_name}"
            try:
                await self.require("instance.delete", deletion.instance_id, title, {"name": deletion.instance_name})
            except NeedsApproval as error:
                needing = needing or error
        if needing is not None:
            raise needing

    async def decide(self, approval_id: str, *, approve: bool, note: str = "") -> Approval:
        """The present user's decision; what is approved is carried out before this returns.

        Raises NotFound, Forbidden for the one who asked and for who has not the right, WrongState for what is decided
        or expired, ReadOnly, StoreError.
        """
        self._require_writable()
        approval = await self.get(approval_id)
        may = self._access.permits(Permission.APPROVE)
        return await self._decide(approval, self._access.user, may=may, approve=approve, note=note)

    async def decide_from_anywhere(self, approval_id: str, *, approve: bool, note: str = "") -> Approval:
        """`decide`; in a console that only reads, leave the decision for the one that has the data directory open.

        Raises as `decide` does but ReadOnly, StoreError where it cannot be left, Unsupported.
        """
        if not self._readonly_reason:
            return await self.decide(approval_id, approve=approve, note=note)
        approval = await self.get(approval_id)
        self.require_decidable(approval, approve=approve)
        await asyncio.to_thread(leave_decision, self._data_dir, approval, approve=approve, note=note)
        return approval

    def reason_undecidable(self, approval: Approval, *, approve: bool) -> str:
        """Why the present user cannot approve it, or not refuse it, in one sentence; "" where they can."""
        may = self._access.permits(Permission.APPROVE)
        return _reason(approval, self._access.user, may=may, approve=approve)

    def require_decidable(self, approval: Approval, *, approve: bool) -> None:
        """What the present user's decision would be refused for is refused at once. Raises Forbidden, WrongState."""
        self._check(approval, self._access.user, may=self._access.permits(Permission.APPROVE), approve=approve)

    async def take_in(self) -> None:
        """Decisions that people in other consoles left, and requests that have expired. Does nothing read-only."""
        if self._readonly_reason:
            return
        for decision in await asyncio.to_thread(lambda: list(found_decisions(self._data_dir))):
            await self._take_in(decision)
        for approval in await self._repository.unfinished():
            if approval.status is ApprovalStatus.APPROVED:
                await self._carry_out(approval)  # a crash came between the decision and the deed
            elif self._clock() >= approval.expires_at:
                await self._expire(approval)

    def start(self) -> None:
        """Look for decisions from now on."""
        self._background.start(self._watch(), "approvals")

    async def aclose(self) -> None:
        await self._background.aclose()

    # Inside ---------------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        await asyncio.to_thread(self._make_folder)
        while True:
            try:
                await self.take_in()
            except ConfvmError as error:
                logging.getLogger(__name__).info("Decisions could not be taken in: %s", error.message)
            await asyncio.sleep(LOOK_SECONDS)

    def _make_folder(self) -> None:
        # Not to be had is no failure: decisions are then made in this console.
        try:
            (self._data_dir / FOLDER).mkdir(mode=0o770, exist_ok=True)
        except OSError:
            return

    async def _take_in(self, decision: Decision) -> None:
        user = await asyncio.to_thread(user_name, decision.uid)
        may = await asyncio.to_thread(self._access.user_permits, user, decision.uid, Permission.APPROVE)
        try:
            approval = await self._repository.get(decision.approval_id)
            if decision.digest != digest_of(approval):
                self._refuse(approval, user, "What was decided is not what is asked: read the request again")
            await self._decide(approval, user, may=may, approve=decision.approve, note=decision.note)
        except ConfvmError as error:
            # Told by an event already; here nobody waits for it.
            logging.getLogger(__name__).info("A decision of %s was not accepted: %s", user, error.message)
        await asyncio.to_thread(take_away, decision)

    async def _decide(self, approval: Approval, user: str, *, may: bool, approve: bool, note: str) -> Approval:
        async with self._deciding:
            approval = await self._repository.get(approval.id)
            if approval.status is ApprovalStatus.WAITING and self._clock() >= approval.expires_at:
                approval = await self._expire(approval)
            self._check(approval, user, may=may, approve=approve)
            status = ApprovalStatus.APPROVED if approve else ApprovalStatus.REJECTED
            decided = replace(approval, status=status, decided_by=user, decided_at=self._clock(), note=note[:1000])
            await self._repository.put(decided)
            said = f"{approval.title}, asked for by {approval.asked_by}, was {status.value} by {user}"
            self._tell(decided, status.value, f"{said}: {note}" if note else said, actor=user, before=approval)
            self.changes.emit(decided)
            return await self._carry_out(decided) if approve else decided

    def _check(self, approval: Approval, user: str, *, may: bool, approve: bool) -> None:
        if reason := _reason(approval, user, may=may, approve=approve):
            self._refuse(approval, user, reason)
        if approval.status is not ApprovalStatus.WAITING:
            raise WrongState(f"{approval.title} is {approval.status.value} already")

    async def _carry_out(self, approval: Approval) -> Approval:
        doer = self._doers.get(approval.kind)
        if doer is None:
            return approval  # not in this session: its store of keys, its provider … may come
        try:
            await doer(approval)
        except ConfvmError as error:
            ended = replace(approval, status=ApprovalStatus.FAILED, note=error.message)
            said = f"{approval.title} was approved and could not be carried out: {error.message}"
            outcome = EventOutcome.FAILURE
        else:
            ended = replace(approval, status=ApprovalStatus.DONE)
            said, outcome = (
                f"{approval.title} was carried out as approved by {approval.decided_by}",
                EventOutcome.SUCCESS,
            )
        await self._repository.put(ended)
        self._tell(ended, ended.status.value, said, actor="console", outcome=outcome, before=approval)
        self.changes.emit(ended)
        return ended

    async def _expire(self, approval: Approval) -> Approval:
        expired = replace(approval, status=ApprovalStatus.EXPIRED)
        await self._repository.put(expired)
        said = f"{approval.title}: nobody decided in time"
        self._tell(expired, "expired", said, actor="console", outcome=EventOutcome.FAILURE, before=approval)
        self.changes.emit(expired)
        return expired

    def _refuse(self, approval: Approval, user: str, reason: str) -> None:
        self._tell(approval, "refused", f"{approval.title}: {reason}", actor=user, outcome=EventOutcome.DENIED)
        raise Forbidden(reason)

    def _tell(
        self,
        approval: Approval,
        what: str,
        message: str,
        *,
        actor: str | None = None,
        outcome: EventOutcome = EventOutcome.SUCCESS,
        before: Approval | None = None,
    ) -> None:
        self._events.record(
            f"approval.{what}",
            message,
            subject=approval.subject,
            severity=Severity.INFO if outcome in (EventOutcome.SUCCESS, EventOutcome.PENDING) else Severity.WARNING,
            actor=actor,
            outcome=outcome,
            detail={"request": approval.id, "kind": approval.kind, "asked_by": approval.asked_by},
            before=None if before is None else before.status.value,
            after=None if before is None else approval.status.value,
        )

    def _require_writable(self) -> None:
        if self._readonly_reason:
            raise ReadOnly(self._readonly_reason)


def _reason(approval: Approval, user: str, *, may: bool, approve: bool) -> str:
    if user == approval.asked_by and approve:
        return f"{user} asked for it, so somebody else has to approve it"
    if not may and user != approval.asked_by:
        return f"{user} has no role that may approve"
    return ""
