"""Two-person approval: asked by one, decided by another, carried out once, and all of it told."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from confvm_gui.domain.approval import Approval, ApprovalStatus
from confvm_gui.domain.errors import (
    Forbidden,
    KeyUnavailable,
    NeedsApproval,
    NotFound,
    ReadOnly,
    StoreError,
    WrongState,
)
from confvm_gui.domain.event import EventOutcome
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.operation import OperationKind
from confvm_gui.domain.roles import Role
from confvm_gui.fleet.approvals.decisions import FOLDER, found_decisions, leave_decision
from confvm_gui.fleet.approvals.service import Approvals
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.identity import user_name
from confvm_gui.fleet.roles.access import Access
from confvm_gui.fleet.roles.assignments import Assignments
from confvm_gui.store import open_store
from tests.support.fake_provider import make_instance
from tests.support.fake_session import MemoryApprovals, MemoryAudit, fake_session

ADMINISTRATORS = Assignments(
    {"ann": frozenset({Role.ADMINISTRATOR}), "bob": frozenset({Role.ADMINISTRATOR}), "eve": frozenset({Role.OPERATOR})},
    needed=frozenset({"key.destroy", "instance.delete"}),
    hours=1,
)


@dataclass
class Office:
    """People over one store, and a clock that somebody turns."""

    data_dir: Path
    assignments: Assignments = ADMINISTRATORS
    log: MemoryAudit = field(default_factory=MemoryAudit)
    kept: MemoryApprovals = field(default_factory=MemoryApprovals)
    now: float = 1000.0
    done: list[str] = field(default_factory=list)
    failure: Exception | None = None

    def of(self, user: str, readonly_reason: str = "") -> Approvals:
        events = EventFeed(self.log, readonly=bool(readonly_reason))
        access = Access(self.assignments, events, user, frozenset())
        approvals = Approvals(
            self.kept, access, events, self.data_dir, readonly_reason=readonly_reason, clock=lambda: self.now
        )
        approvals.on_approved("key.destroy", self._destroy)
        return approvals

    async def ask(self, user: str = "ann") -> Approval:
        return await self.of(user).ask("key.destroy", "local:k", "Destroying local:k", {"key": "local:k"})

    def told(self) -> list[str]:
        return [record.event.action for record in self.log.records]

    async def _destroy(self, approval: Approval) -> None:
        if self.failure is not None:
            raise self.failure
        self.done.append(approval.subject)


@pytest.fixture
def office(data_dir: Path) -> Office:
    return Office(data_dir)


async def test_what_a_second_person_approves_is_carried_out_once(office: Office) -> None:
    asked = await office.ask()
    assert office.done == []
    ended = await office.of("bob").decide(asked.id[:6], approve=True, note="fine")
    assert (ended.status, ended.decided_by, office.done) == (ApprovalStatus.DONE, "bob", ["local:k"])
    with pytest.raises(WrongState, match="done already"):
        await office.of("bob").decide(asked.id, approve=True)
    assert office.done == ["local:k"]
    assert office.told() == ["approval.asked", "approval.approved", "approval.done"]
    approved = office.log.records[1].event
    assert (approved.actor, approved.before, approved.after) == ("bob", "waiting", "approved")
    assert approved.detail["asked_by"] == "ann"


async def test_nobody_approves_what_they_asked_for(office: Office) -> None:
    asked = await office.ask()
    with pytest.raises(Forbidden, match="somebody else"):
        await office.of("ann").decide(asked.id, approve=True)
    assert office.done == []
    assert office.told()[-1] == "approval.refused"
    assert office.log.records[-1].event.outcome is EventOutcome.DENIED
    taken_back = await office.of("ann").decide(asked.id, approve=False)
    assert taken_back.status is ApprovalStatus.REJECTED, "but they may take it back"


async def test_nobody_decides_without_the_right_to_it(office: Office) -> None:
    asked = await office.ask()
    for approve in (True, False):
        with pytest.raises(Forbidden, match="no role"):
            await office.of("eve").decide(asked.id, approve=approve)
    assert (await office.kept.get(asked.id)).status is ApprovalStatus.WAITING


async def test_a_request_expires(office: Office) -> None:
    asked = await office.ask()
    office.now += 3599
    await office.of("bob").take_in()
    assert (await office.kept.get(asked.id)).status is ApprovalStatus.WAITING
    office.now += 1
    with pytest.raises(WrongState, match="expired"):
        await office.of("bob").decide(asked.id, approve=True)
    again = await office.ask()
    assert again.id != asked.id
    office.now += 3600
    await office.of("bob").take_in()
    assert (await office.kept.get(again.id)).status is ApprovalStatus.EXPIRED
    assert office.done == []
    assert office.told().count("approval.expired") == 2


async def test_what_is_rejected_is_not_carried_out(office: Office) -> None:
    asked = await office.ask()
    rejected = await office.of("bob").decide(asked.id, approve=False, note="no")
    assert (rejected.status, rejected.note, office.done) == (ApprovalStatus.REJECTED, "no", [])
    with pytest.raises(WrongState):
        await office.of("bob").decide(asked.id, approve=True)


async def test_what_cannot_be_carried_out_is_told(office: Office) -> None:
    asked = await office.ask()
    office.failure = KeyUnavailable("The token is not there")
    failed = await office.of("bob").decide(asked.id, approve=True)
    assert (failed.status, failed.note) == (ApprovalStatus.FAILED, "The token is not there")
    assert office.log.records[-1].event.outcome is EventOutcome.FAILURE


async def test_the_same_is_asked_once(office: Office) -> None:
    assert (await office.ask()).id == (await office.ask("bob")).id
    with pytest.raises(NeedsApproval) as needs:
        await office.of("ann").require("key.destroy", "local:k", "Destroying local:k", {"key": "local:k"})
    assert needs.value.approval_id in office.kept.kept
    await office.of("ann").require("policy.exception", "x", "An exception", {})
    assert len(office.kept.kept) == 1


async def test_a_crash_between_decision_and_deed_is_made_good(office: Office) -> None:
    asked = await office.ask()
    await office.kept.put(replace(asked, status=ApprovalStatus.APPROVED, decided_by="bob"))
    await office.of("ann").take_in()
    assert office.done == ["local:k"]


# Decisions of people in other consoles --------------------------------------------------------------------------------


def people(office: Office, role: Role) -> None:
    """Whoever runs the tests is a person with this role."""
    office.assignments = replace(
        office.assignments, users={**office.assignments.users, user_name(os.getuid()): frozenset({role})}
    )
    (office.data_dir / FOLDER).mkdir()


async def test_a_decision_that_was_left_is_taken_in_as_its_owners(office: Office) -> None:
    people(office, Role.ADMINISTRATOR)
    asked = await office.ask()
    leave_decision(office.data_dir, asked, approve=True, note="yes")
    await office.of("ann").take_in()
    kept = await office.kept.get(asked.id)
    assert (kept.status, kept.decided_by, kept.note) == (ApprovalStatus.DONE, user_name(os.getuid()), "yes")
    assert list(found_decisions(office.data_dir)) == []


async def test_a_decision_is_refused_as_it_would_be_in_the_console(office: Office) -> None:
    people(office, Role.OPERATOR)
    asked = await office.ask()
    leave_decision(office.data_dir, asked, approve=True, note="")
    await office.of("ann").take_in()
    mine = await office.of(user_name(os.getuid())).ask("key.destroy", "local:m", "Destroying local:m", {})
    leave_decision(office.data_dir, mine, approve=True, note="")
    await office.of("ann").take_in()
    assert office.done == []
    assert office.told().count("approval.refused") == 2
    assert list(found_decisions(office.data_dir)) == [], "once is enough"


async def test_a_decision_is_about_what_was_read(office: Office) -> None:
    people(office, Role.ADMINISTRATOR)
    asked = await office.ask()
    leave_decision(office.data_dir, replace(asked, intent={"key": "local:other"}), approve=True, note="")
    await office.of("ann").take_in()
    assert office.done == []
    assert (await office.kept.get(asked.id)).status is ApprovalStatus.WAITING


Spoil = Callable[[Path], object]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_text("{"),
        lambda path: path.write_text(json.dumps({"id": 3, "approve": True, "digest": "", "note": ""})),
        lambda path: path.write_text(json.dumps({"id": "x", "approve": "yes", "digest": "", "note": ""})),
        lambda path: path.symlink_to("/etc/hostname"),
        lambda path: path.mkdir(),
        os.mkfifo,
    ],
    ids=["cut off", "no text", "no yes or no", "link", "folder", "pipe"],
)
def test_what_is_no_decision_is_passed_over(data_dir: Path, spoil: Spoil) -> None:
    (data_dir / FOLDER).mkdir()
    spoil(data_dir / FOLDER / "x-0.decision")
    assert list(found_decisions(data_dir)) == []


async def test_a_decision_that_cannot_be_left_is_told(office: Office) -> None:
    with pytest.raises(StoreError, match="ask the owner"):
        leave_decision(office.data_dir, await office.ask(), approve=True, note="")


async def test_a_console_that_only_reads_decides_nothing(office: Office) -> None:
    asked = await office.ask()
    with pytest.raises(ReadOnly):
        await office.of("bob", "Only for reading").decide(asked.id, approve=True)
    office.of("bob", "Only for reading").require_decidable(asked, approve=True)
    with pytest.raises(Forbidden):
        office.of("ann", "Only for reading").require_decidable(asked, approve=True)


# In the store and in the jobs -----------------------------------------------------------------------------------------


async def test_requests_are_kept_on_disk(data_dir: Path) -> None:
    first = Approval("a" * 32, "key.destroy", "local:k", "Destroying", {"n": [1]}, "ann", 5.0, 9.0)
    async with await open_store(data_dir) as store:
        await store.approvals.put(first)
        await store.approvals.put(replace(first, id="b" * 32, asked_at=6.0))
        await store.approvals.put(replace(first, status=ApprovalStatus.DONE, decided_by="bob", decided_at=7.0))
    async with await open_store(data_dir, readonly=True) as store:
        assert [each.id[0] for each in await store.approvals.recent(10)] == ["b", "a"]
        assert [each.id[0] for each in await store.approvals.unfinished()] == ["b"]
        kept = await store.approvals.get("a" * 32)
        assert (kept.status, kept.decided_by, kept.intent) == (ApprovalStatus.DONE, "bob", {"n": [1]})
        with pytest.raises(NotFound):
            await store.approvals.get("c" * 32)


async def test_deleting_an_instance_waits_for_a_second_person() -> None:
    instance = make_instance("web-1", state=InstanceState.STOPPED)
    session = await fake_session([instance])
    session.access.assignments = replace(session.access.assignments, needed=frozenset({"instance.delete"}))
    with pytest.raises(NeedsApproval, match="Deleting web-1 needs a second person") as needs:
        await session.jobs.act(OperationKind.DELETE, [instance.id])
    assert session.inventory.get(instance.id) == instance
    # A second person at another console.
    approval = await session.store.approvals.get(needs.value.approval_id)
    await session.store.approvals.put(replace(approval, status=ApprovalStatus.APPROVED, decided_by="bob"))
    await session.approvals.take_in()
    assert (await session.store.approvals.get(approval.id)).status is ApprovalStatus.DONE
    with pytest.raises(NotFound):
        session.inventory.get(instance.id)
    await session.aclose()
