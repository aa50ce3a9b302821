"""Guardrails of a session: denials, drift, exceptions, packs, signatures, hostile rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from html.parser import HTMLParser
from types import MappingProxyType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, NotFound, PolicyDenied, ReadOnly
from confvm_gui.domain.event import Event
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest, Trust
from confvm_gui.domain.policy import Assignment, Compliance, ComplianceRecord, Mode, Outcome, Pack, Rule
from confvm_gui.fleet.guard.rules import LONGEST_EXCEPTION, REQUIRE_SIGNED
from confvm_gui.fleet.session import FleetSession
from confvm_gui.policy.pack_file import dump_pack, parse_pack
from confvm_gui.policy.report import report_html
from tests.support.embedded_rig import launch_request
from tests.support.fake_session import MemoryStore, fake_session


def pack(*expressions: str, name: str = "house", version: int = 1) -> Pack:
    rules = tuple(Rule(f"rule-{n}", f"Rule {n}", text, "technology") for n, text in enumerate(expressions))
    return Pack(name, version, "House rules", "", rules)


def instance(number: int, technology: Technology = Technology.SEV, env: str = "prod") -> Instance:
    return Instance(
        id=f"{number:032x}", name=f"vm-{number}", provider="embedded", cloud="gce", region="us-central1",
        zone="us-central1-a", machine_type="n2d-standard-2", image="debian-12", technology=technology,
        state=InstanceState.RUNNING, vcpus=2, memory_mib=8192, created_at=1.0, labels=MappingProxyType({"env": env}),
    )  # fmt: skip


class FixedSigner:
    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    async def public_key(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    async def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


@asynccontextmanager
async def opened(instances: Sequence[Instance] = (), readonly_reason: str = "") -> AsyncIterator[FleetSession]:
    session = await fake_session(instances, readonly_reason=readonly_reason)
    try:
        yield session
    finally:
        await session.aclose()


async def switch_on(session: FleetSession, which: Pack, mode: Mode = Mode.ENFORCE, env: str = "") -> None:
    session.guard.rules.import_pack(dump_pack(which))
    labels = MappingProxyType({"env": env} if env else {})
    await session.guard.rules.assign([Assignment(which.name, which.version, mode, labels)])
    await session.guard.judge_now()


def events(session: FleetSession) -> list[Event]:
    store = session.store
    assert isinstance(store, MemoryStore)
    return [record.event for record in store.audit.records if record.event.action.startswith("policy.")]


async def test_nothing_on_denies_nothing_and_says_so() -> None:
    async with opened([instance(1)]) as session:
        record = await session.guard.check(launch_request("probe"))
        assert (record.compliance, record.rules, record.denied) == (Compliance.UNGUARDED, 0, False)
        await session.guard.judge_now()
        assert session.inventory.get(instance(1).id).compliance == ""


async def test_a_denied_launch_is_not_accepted_and_recorded() -> None:
    async with opened() as session:
        await switch_on(session, pack("vm.technology_rank >= 3", "vm.name != 'probe'"))
        with pytest.raises(PolicyDenied) as caught:
            await session.jobs.create(launch_request("probe"))
        assert caught.value.field == "technology"
        assert caught.value.message.startswith("Denied by house/rule-0, for its technology: Rule 0")
        assert "1 more" in caught.value.message
        assert [finding.rule for finding in caught.value.record.findings] == ["rule-0", "rule-1"]
        assert caught.value.record.findings[0].actual == "vm.technology_rank = 1"
        assert session.jobs.recent() == ()
        assert list(await session.store.operations.recent(10)) == []
        denial = events(session)[-1]
        assert denial.action == "policy.denied"
        assert denial.detail["rules"] == ["house/rule-0", "house/rule-1"]


@pytest.mark.parametrize("mode", [Mode.WARN, Mode.OFF])
async def test_only_enforcing_denies(mode: Mode) -> None:
    async with opened() as session:
        await switch_on(session, pack("false"), mode)
        operation = await session.jobs.create(launch_request("probe"))
        assert operation.instance_name == "probe"


async def test_holds_for_a_label_alone() -> None:
    async with opened([instance(1), instance(2, env="test")]) as session:
        await switch_on(session, pack("false"), env="prod")
        assert session.inventory.get(instance(1).id).compliance == "violating"
        assert session.inventory.get(instance(2).id).compliance == "unguarded"
        assert not (await session.guard.check(launch_request("probe"))).denied  # its label is env=test


async def test_drift_is_told_within_a_second_and_so_is_the_way_back() -> None:
    async with opened([instance(1)]) as session:
        await switch_on(session, pack("vm.trust != 'untrusted'"))
        assert session.inventory.get(instance(1).id).compliance == "compliant"
        told: asyncio.Queue[Sequence[ComplianceRecord]] = asyncio.Queue()
        session.guard.changes.subscribe(told.put_nowait)
        session.inventory.observe(replace(instance(1), trust=Trust.UNTRUSTED))
        async with asyncio.timeout(1):
            (record,) = await told.get()
        assert record.compliance is Compliance.VIOLATING
        assert session.inventory.get(instance(1).id).compliance == "violating"
        drift = events(session)[-1]
        assert (drift.action, drift.subject) == ("policy.drift", instance(1).id)
        assert drift.detail["actual"] == ["vm.trust = untrusted"]
        session.inventory.observe(replace(instance(1), trust=Trust.TRUSTED))
        async with asyncio.timeout(1):
            (record,) = await told.get()
        assert record.compliance is Compliance.COMPLIANT
        assert events(session)[-1].action == "policy.restored"


async def test_a_provider_does_not_overwrite_what_the_rules_say() -> None:
    async with opened([instance(1)]) as session:
        await switch_on(session, pack("false"))
        session.inventory.observe(replace(instance(1), load=0.5))
        assert session.inventory.get(instance(1).id).compliance == "violating"
        await session.guard.rules.assign([])
        await session.guard.judge_now()
        assert session.inventory.get(instance(1).id).compliance == ""
        assert session.guard.record(instance(1).id) is None


async def test_hostile_rules_are_findings_and_stop_nothing_else() -> None:
    store_pack = replace(
        pack(
            "vm.labels['no'] == ''",
            "vm.vcpus / 0 == 1",
            "vm.labels.all(a, vm.labels.all(b, vm.labels.all(c, a + b + c != '')))",
            "vm.regoin == 'x'",
            "vm.region",
            "vm.confidential",
        )
    )
    async with opened([instance(1), instance(2, Technology.NONE)]) as session:
        for text in (rule.expression for rule in store_pack.rules[2:5]):
            with pytest.raises(InvalidInput, match="rule-0"):
                session.guard.rules.import_pack(dump_pack(pack(text)))
        # As an older console, or somebody else, may have put it there.
        record = await session.guard.check_with(launch_request("probe"), [store_pack])
        assert [finding.outcome for finding in record.findings] == [Outcome.BROKEN] * 5
        assert record.denied
        found = await session.guard.test(store_pack)
        assert found.by_rule["rule-5"] == (instance(2).id,)
        assert [rule for rule, _ in found.faults] == ["rule-2", "rule-3", "rule-4"]


async def test_exceptions_end_and_are_audited() -> None:
    async with opened([instance(1)]) as session:
        await switch_on(session, pack("false"))
        rules = session.guard.rules
        with pytest.raises(InvalidInput, match="Say why"):
            await rules.grant("house", "rule-0", "probe", " ", 60)
        with pytest.raises(InvalidInput, match="30 days"):
            await rules.grant("house", "rule-0", "probe", "fire", LONGEST_EXCEPTION + 1)
        with pytest.raises(NotFound):
            await rules.grant("house", "rule-9", "probe", "fire", 60)
        granted = await rules.grant("house", "rule-0", "probe", "fire", 60)
        assert events(session)[-1].action == "policy.exception-granted"
        operation = await session.jobs.create(launch_request("probe"))
        await session.jobs.wait(operation.id)
        assert "policy.exception-used" in [event.action for event in events(session)]
        with pytest.raises(PolicyDenied):
            await session.jobs.create(launch_request("other"))
        rules.revoke(granted.id)
        with pytest.raises(NotFound):
            rules.revoke(granted.id)
        assert (await session.guard.check(launch_request("probe"))).denied


async def test_an_exception_ends_by_itself() -> None:
    async with opened([instance(1)]) as session:
        await switch_on(session, pack("false"))
        told: asyncio.Queue[Sequence[ComplianceRecord]] = asyncio.Queue()
        await session.guard.rules.grant("house", "rule-0", "vm-1", "fire", 0.5)
        await session.guard.judge_now()
        session.guard.changes.subscribe(told.put_nowait)
        async with asyncio.timeout(10):
            while (record := (await told.get())[0]).compliance is not Compliance.VIOLATING:
                pass
        assert record.subject == instance(1).id


async def test_shipped_packs_stay_and_copies_can_be_changed() -> None:
    async with opened() as session:
        rules = session.guard.rules
        copy = rules.copy_pack("hygiene", "ours")
        assert (copy.name, copy.version, copy.shipped) == ("ours", 1, False)
        with pytest.raises(InvalidInput, match="came with the console"):
            rules.import_pack(dump_pack(rules.pack("hygiene")))
        with pytest.raises(InvalidInput, match="raise its number"):
            rules.import_pack(dump_pack(replace(copy, title="Changed")))
        second = rules.import_pack(dump_pack(replace(copy, version=2, title="Changed")))
        assert rules.pack("ours") == second
        await rules.assign([Assignment("ours", 2, Mode.WARN)])
        with pytest.raises(InvalidInput, match="take it off first"):
            rules.remove_pack("ours", 2)
        rules.remove_pack("ours", 1)
        with pytest.raises(NotFound):
            rules.pack("ours", 1)


async def test_signatures() -> None:
    async with opened() as session:
        rules = session.guard.rules
        rules.import_pack(dump_pack(pack("true")))
        assert await rules.signature_of(rules.pack("house")) == "unsigned"
        session.settings.put(REQUIRE_SIGNED, True)
        with pytest.raises(InvalidInput, match="only signed packs"):
            await rules.assign([Assignment("house", 1, Mode.ENFORCE)])
        with pytest.raises(InvalidInput, match="no key to sign with"):
            await rules.sign_pack("house")
        rules.signer = FixedSigner()
        signed = await rules.sign_pack("house")
        assert await rules.signature_of(signed) == "signed"
        await rules.assign([Assignment("house", 1, Mode.ENFORCE)])
        assert not (await session.guard.check(launch_request("probe"))).denied
        # Another console's key, or a changed pack: fails closed.
        rules.signer = FixedSigner()
        rules.renew()
        record = await session.guard.check(launch_request("probe"))
        assert record.denied
        assert "signature" in record.findings[0].message


async def test_what_is_kept_is_there_again_and_a_pack_that_is_gone_fails_closed() -> None:
    async with opened([instance(1)]) as session:
        await switch_on(session, pack("vm.confidential"))
        store = session.store
        assert isinstance(store, MemoryStore)
        again = await FleetSession.begin(session.catalog, session.providers, store, session.data_dir)
        assert [one.pack for one in again.guard.rules.assignments()] == ["house"]
        assert again.guard.rules.pack("house") == parse_pack(dump_pack(pack("vm.confidential")))
        store.policies.texts.clear()
        third = await FleetSession.begin(session.catalog, session.providers, store, session.data_dir)
        record = await third.guard.check(launch_request("probe"))
        assert record.denied
        assert "not there any more" in record.findings[0].message


async def test_only_looks_where_it_may_not_write() -> None:
    async with opened([replace(instance(1), compliance="warning")], readonly_reason="Only for reading") as session:
        with pytest.raises(ReadOnly):
            session.guard.rules.import_pack(dump_pack(pack("true")))
        with pytest.raises(ReadOnly):
            await session.guard.rules.assign([])
        found = await session.guard.test(session.guard.rules.pack("government"))
        assert found.instances == 1
        assert session.inventory.get(instance(1).id).compliance == "warning"


async def test_fixes_by_the_rules_that_are_on() -> None:
    async with opened() as session:
        await session.guard.rules.assign([Assignment("government", 1, Mode.ENFORCE)])
        request: LaunchRequest = launch_request("probe")
        fixed = await session.guard.fix(request, disk_keys=["pkcs11:token=hsm"])
        assert not fixed.record.denied
        assert {change.field for change in fixed.changes} >= {"region", "secure_boot", "disk_key"}
        assert not (await session.guard.check(fixed.request)).denied


async def test_a_denial_names_rule_field_and_the_nearest_change() -> None:
    async with opened() as session:
        await session.guard.rules.assign([Assignment("google-launch", 1, Mode.ENFORCE)])
        request = replace(launch_request("probe"), vtpm=False, integrity_monitoring=False)
        with pytest.raises(PolicyDenied) as caught:
            await session.jobs.create(request)
        assert caught.value.message.startswith("Denied by google-launch/vtpm-on, for its vtpm: The vTPM is off")
        assert caught.value.message.endswith(
            "(1 more rule denies it). With vtpm true, integrity_monitoring true it would be allowed"
        )


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not {name for name, _ in attrs} & {"src", "onerror", "onclick"}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


async def test_the_report_is_self_contained_and_escaped() -> None:
    evil = replace(instance(1), name="<script>alert(1)</script>", labels=MappingProxyType({"a": "<img src=x>"}))
    async with opened([evil, instance(2)]) as session:
        await switch_on(session, pack("vm.name == ''"))
        await session.guard.rules.grant("house", "rule-0", "vm-2", "because <b>", 60)
        await session.guard.judge_now()
        page = Tags()
        page.feed("".join(report_html(await session.guard.report("/data & more"))))
        assert not page.tags & {"script", "img", "b>"}
        for text in ("<script>alert(1)</script>", "/data & more", "because <b>", "vm.name == ''", "house/rule-0"):
            assert text in page.text
        assert "excepted (enforce)" in page.text
        assert page.links == []


async def test_history_is_kept() -> None:
    async with opened([instance(1), instance(2, Technology.NONE)]) as session:
        await switch_on(session, pack("vm.confidential"))
        (fleet,) = await session.guard.history()
        assert (fleet.compliant, fleet.violating) == (1, 1)
        (rule,) = await session.guard.history("rule", "house/rule-0")
        assert rule.violating == 1
        (label,) = await session.guard.history("label", "env=prod")
        assert label.compliant + label.violating == 2
