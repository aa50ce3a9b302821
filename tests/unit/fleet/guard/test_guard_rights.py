"""Who may change the rules, what needs two, what copies are denied, and that ten thousand others delay no drift."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from confvm_gui.attestation.bundle import unpack
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import Forbidden, NeedsApproval, PolicyDenied
from confvm_gui.domain.event import Event, EventOutcome
from confvm_gui.domain.instance import Instance, InstanceState, Trust
from confvm_gui.domain.policy import Assignment, ComplianceRecord, Mode, Pack, Rule
from confvm_gui.domain.roles import Role
from confvm_gui.fleet.guard.evidence import attachments
from confvm_gui.fleet.roles.assignments import Assignments
from confvm_gui.fleet.session import FleetSession
from confvm_gui.policy.pack_file import dump_pack
from confvm_gui.policy.report import report_html, report_sections
from tests.support.embedded_rig import launch_request
from tests.support.fake_attestations import make_record
from tests.support.fake_provider import make_instance
from tests.support.fake_session import MemoryStore, fake_session
from tests.support.keeping_provider import KeepingProvider

OFF = make_instance("off", state=InstanceState.STOPPED)
PEOPLE = Assignments(
    {"ann": frozenset({Role.ADMINISTRATOR}), "bob": frozenset({Role.ADMINISTRATOR}), "eve": frozenset({Role.OPERATOR})},
    needed=frozenset({"policy.exception"}),
)


def pack(*expressions: str) -> Pack:
    rules = tuple(Rule(f"rule-{n}", f"Rule {n}", text, "technology") for n, text in enumerate(expressions))
    return Pack("house", 1, "House rules", "", rules)


@asynccontextmanager
async def opened(
    instances: Sequence[Instance] = (), *, people: Assignments | None = None, user: str = "ann"
) -> AsyncIterator[FleetSession]:
    session = await fake_session(instances, provider=KeepingProvider(instances))
    if people is not None:
        session.access.assignments, session.access.user = people, user
    try:
        yield session
    finally:
        await session.aclose()


async def switch_on(session: FleetSession, which: Pack) -> None:
    session.guard.rules.import_pack(dump_pack(which))
    await session.guard.rules.assign([Assignment(which.name, which.version, Mode.ENFORCE)])
    await session.guard.judge_now()


def events(session: FleetSession, action: str) -> list[Event]:
    assert isinstance(session.store, MemoryStore)
    return [record.event for record in session.store.audit.records if record.event.action == action]


async def test_an_operator_changes_no_rule_and_every_try_is_an_event() -> None:
    async with opened(people=PEOPLE) as session:
        rules = session.guard.rules
        await switch_on(session, pack("true"))
        before = (rules.packs(), rules.assignments())
        session.access.user = "eve"
        tries = 0
        for attempt in (
            lambda: rules.import_pack(dump_pack(replace(pack("false"), name="other"))),
            lambda: rules.copy_pack("hygiene", "ours"),
            lambda: rules.remove_pack("house", 1),
            lambda: rules.require_signed(True),
            lambda: rules.revoke("any"),
        ):
            with pytest.raises(Forbidden, match="eve is operator"):
                attempt()
            tries += 1
        for work in (rules.assign([]), rules.sign_pack("house"), rules.grant("house", "rule-0", "", "fire", 60)):
            with pytest.raises(Forbidden, match="change guardrails"):
                await work
            tries += 1
        assert (rules.packs(), rules.assignments()) == before
        denied = events(session, "access.denied")
        assert len(denied) == tries
        assert {event.outcome for event in denied} == {EventOutcome.DENIED}
        # Looking is for everybody.
        assert (await session.guard.test(rules.pack("hygiene"))).instances == 0


async def test_an_exception_needs_a_second_person_where_the_directory_asks_for_that() -> None:
    async with opened([make_instance("vm-1")], people=PEOPLE) as session:
        await switch_on(session, pack("false"))
        rules = session.guard.rules
        with pytest.raises(NeedsApproval) as asked:
            await rules.grant("house", "rule-0", "vm-1", "fire", 60)
        assert rules.exceptions() == ()
        with pytest.raises(Forbidden, match="somebody else"):
            await session.approvals.decide(asked.value.approval_id, approve=True)
        session.access.user = "bob"
        await session.approvals.decide(asked.value.approval_id, approve=True)
        (granted,) = rules.exceptions()
        assert (granted.pack, granted.rule, granted.subject) == ("house", "rule-0", "vm-1")
        assert (granted.reason, granted.granted_by) == ("fire", "ann, approved by bob")
        # Told to carry it out again, as after a crash between the decision and its end: it stays one exception.
        await rules.grant_approved(await session.approvals.get(asked.value.approval_id))
        assert [one.id for one in rules.exceptions()] == [granted.id]
        assert (await session.guard.check(launch_request("vm-1"))).denied is False


async def test_changes_of_what_is_on_are_told_with_before_and_after() -> None:
    async with opened() as session:
        await switch_on(session, pack("true"))
        await session.guard.rules.assign([Assignment("house", 1, Mode.WARN, {"env": "prod"}, "embedded")])
        told = events(session, "policy.assigned")[-1]
        assert told.before == ["house 1 (enforce)"]
        assert told.after == ["house 1 (warn), env=prod, provider embedded"]


async def test_a_copy_is_judged_by_the_rules_too() -> None:
    async with opened([OFF]) as session:
        await switch_on(session, pack("vm.name != 'copy'", "!vm.observed"))
        with pytest.raises(PolicyDenied, match="house/rule-0"):
            await session.jobs.clone(OFF.id, "copy")
        assert session.jobs.recent() == ()
        denied = events(session, "policy.denied")[-1]
        assert denied.detail["rules"] == ["house/rule-0", "house/rule-1"]  # how it was launched, nobody knows here
        await session.guard.rules.assign([])
        assert (await session.jobs.clone(OFF.id, "copy")).instance_name == "copy"


async def test_a_copy_of_what_this_console_launched_is_judged_as_its_launch() -> None:
    async with opened() as session:
        made = await session.jobs.wait((await session.jobs.create(launch_request("probe"))).id)
        session.inventory.observe(replace(session.inventory.get(made.instance_id), state=InstanceState.STOPPED))
        await switch_on(session, pack("!vm.observed", "vm.disk_key != ''"))
        assert (await session.jobs.clone(made.instance_id, "copy")).instance_name == "copy"


async def test_a_fix_stays_with_what_the_provider_runs() -> None:
    async with opened() as session:
        await session.guard.rules.assign([Assignment("hygiene", 1, Mode.ENFORCE)])
        found = await session.guard.fix(launch_request("probe"))  # the fake provider runs SEV alone
        assert found.request.technology is Technology.SEV
        left = {finding.rule for finding in found.record.findings}
        assert "integrity-floor" in left
        assert "secure-boot-on" not in left


async def test_drift_is_told_within_a_second_while_ten_thousand_are_judged() -> None:
    fleet = [make_instance(f"vm-{number}") for number in range(10_000)]
    async with opened(fleet) as session:
        rules = session.guard.rules
        await switch_on(session, pack("vm.trust != 'untrusted'"))
        told: asyncio.Queue[Event] = asyncio.Queue()
        session.events.changes.subscribe(told.put_nowait)
        # Other rules: all are judged anew, and one changes meanwhile.
        rules.import_pack(dump_pack(replace(pack("vm.trust != 'untrusted'"), version=2)))
        first: asyncio.Queue[Sequence[ComplianceRecord]] = asyncio.Queue()
        session.guard.changes.subscribe(first.put_nowait)
        await rules.assign([Assignment("house", 2, Mode.ENFORCE)])
        session.inventory.observe(replace(fleet[-1], trust=Trust.UNTRUSTED))
        async with asyncio.timeout(1):
            records = await first.get()
        assert [record.subject for record in records] == [fleet[-1].id]
        await session.guard.judge_now()
        assert len(session.guard.records()) == len(fleet)


async def test_what_left_the_rules_while_the_console_was_closed_is_drift() -> None:
    kept = replace(make_instance("vm-1"), trust=Trust.UNTRUSTED, compliance="compliant")
    async with opened([kept]) as session:
        session.guard.rules.import_pack(dump_pack(pack("vm.trust != 'untrusted'")))
        await session.guard.rules.assign([Assignment("house", 1, Mode.ENFORCE)])
        store = session.store
    again = await FleetSession.begin(session.catalog, session.providers, store, session.data_dir)
    again.guard.start()
    await again.guard.judge_now()
    (drift,) = events(again, "policy.drift")
    assert (drift.subject, drift.after) == (kept.id, "violating")
    await again.aclose()


async def test_a_report_attaches_evidence_that_can_be_verified_again() -> None:
    one = make_instance("vm-1")
    async with opened([one, make_instance("vm-2")]) as session:
        store = session.store
        assert isinstance(store, MemoryStore)
        record = replace(make_record(instance_id=one.id), at=1000.0)
        store.evidence.append(record)
        await switch_on(session, pack("false"))
        content = await session.guard.report("/data")
        (attached,) = content.attachments
        assert unpack(attached.bundle).evidence.data == record.evidence.data
        assert attached.digest == hashlib.sha256(record.evidence.data).hexdigest()
        embedded, beside = "".join(report_html(content)), str(report_sections(content))
        assert f'download="{attached.file}"' in embedded
        assert "base64" not in beside
        assert attached.file in beside
        assert attached.digest in beside
        none = await attachments(store.evidence, [one], most_bytes=10)
        assert none.left_out == 1
        assert none.of[one.id][0].bundle == b""
        shorter = replace(content, entries=[replace(content.entries[0], evidence=none.of[one.id])], left_out=1)
        assert "not attached" in "".join(report_html(shorter))
