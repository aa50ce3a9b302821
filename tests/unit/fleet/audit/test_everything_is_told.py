"""Nothing that changes something goes unrecorded, and nothing changes for who has no right to it.

All public methods of the use cases are walked: each is either said to change nothing, or it is done here, by an
administrator, whose deed is an event, and by a viewer, whose try is one.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import ConfvmError, Forbidden
from confvm_gui.domain.event import Event, EventOutcome
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.operation import OperationKind
from confvm_gui.domain.policy import Assignment, Mode, Pack, Rule
from confvm_gui.domain.query import Query, QueryVerb
from confvm_gui.domain.release import Conditions
from confvm_gui.domain.roles import Role
from confvm_gui.domain.sealed_set import OwnerKeys, SealedSet, seal_set
from confvm_gui.domain.shared_data import Agreement, propose
from confvm_gui.fleet.approvals.service import Approvals
from confvm_gui.fleet.attest.service import Attestations
from confvm_gui.fleet.audit.actions import is_known
from confvm_gui.fleet.audit.forwarding import Forwarding
from confvm_gui.fleet.guard.rules import Rules
from confvm_gui.fleet.guard.service import Guardrails
from confvm_gui.fleet.hosts import Hosts
from confvm_gui.fleet.jobs import Jobs
from confvm_gui.fleet.keys import Keys
from confvm_gui.fleet.keys.places import KeyPlaces
from confvm_gui.fleet.recorded import RecordedConsole, RecordedLibrary
from confvm_gui.fleet.release.broker import SecretBroker
from confvm_gui.fleet.release.sharing import DataSharing
from confvm_gui.fleet.roles.assignments import Assignments
from confvm_gui.fleet.roles.changes import change_roles
from confvm_gui.fleet.session import FleetSession
from confvm_gui.fleet.settings import Settings
from confvm_gui.keys.ledger import KeyLedger
from confvm_gui.keys.local import LocalKeyStore
from confvm_gui.keys.router import KeyRouter
from confvm_gui.policy.pack_file import dump_pack
from tests.support.embedded_rig import launch_request
from tests.support.fake_hosts import with_hosts
from tests.support.fake_provider import make_instance
from tests.support.fake_session import MemoryStore, fake_session
from tests.support.keeping_provider import KeepingProvider
from tests.support.vouching_provider import VouchingProvider
from tests.unit.fleet.guard.test_guardrails import FixedSigner

WEB = make_instance("web", vtpm=True, host="host-1")
OFF = make_instance("off", state=InstanceState.STOPPED)
TPM = EvidenceFormat.TPM_QUOTE
KEY = "local:disks"


class House(VouchingProvider, KeepingProvider):
    """Everything that an instance can be asked for."""

    capabilities = VouchingProvider.capabilities | KeepingProvider.capabilities
    technologies = frozenset({Technology.SEV, Technology.SEV_SNP})


@dataclass
class World:
    session: FleetSession
    data_dir: Path
    keys: Keys
    broker: SecretBroker
    sharing: DataSharing

    @property
    def rules(self) -> Rules:
        return self.session.guard.rules

    @property
    def hosts(self) -> Hosts:
        assert self.session.hosts is not None
        return self.session.hosts

    def become(self, role: Role) -> None:
        access = self.session.access
        access.assignments = replace(access.assignments, users={access.user: frozenset({role})})

    def events(self) -> list[Event]:
        assert isinstance(self.session.store, MemoryStore)
        return [record.event for record in self.session.store.audit.records]


@asynccontextmanager
async def world(data_dir: Path) -> AsyncIterator[World]:
    session = await fake_session((WEB, OFF), provider=House((WEB, OFF)))
    session.access.assignments = Assignments({session.access.user: frozenset({Role.ADMINISTRATOR})}, by_file=True)
    local = LocalKeyStore(data_dir, KeyLedger(data_dir))
    stores = KeyRouter({"local": lambda: local})
    keys = Keys(stores, session.providers, session.events)
    kept = session.store.secrets
    parts = (kept, stores, session.providers, session.inventory, session.events, session.access)
    broker, sharing = SecretBroker(*parts), DataSharing(*parts)
    keys.approvals = session.approvals
    keys.places = KeyPlaces(session.settings, lambda *_: None)
    session.guard.rules.signer = FixedSigner()
    with_hosts(session)
    try:
        yield World(session, data_dir, keys, broker, sharing)
    finally:
        await session.aclose()


# What changes something --------------------------------------------------------------------------------------------

Prepare = Callable[[World], Awaitable[object]]
PACK = Pack("house", 1, "House rules", "", (Rule("rule-0", "Rule", "true", "technology"),))
AT_WORK: dict[int, str] = {}
"""By the world, what its preparation made."""
BEN = OwnerKeys(OwnerKeys.generate())
AGREED: dict[int, Agreement] = {}
"""By the world."""


async def nothing(_: World) -> None:
    pass


async def a_key(at: World) -> None:
    await at.keys.create(KEY)


async def bind_secret(at: World) -> None:
    await at.broker.bind("database", b"secret", KEY, Conditions((bytes(48),)))


async def an_owner(at: World) -> None:
    await a_key(at)
    await at.sharing.card("Ada", KEY)


async def seal_records(at: World) -> bytes:
    records = at.data_dir / "records.csv"
    records.write_text("id,age\na,1\nb,2\n")
    return await at.sharing.seal(records, [await at.sharing.card("Ada"), BEN.card("Ben")])


async def a_proposal(at: World) -> None:
    await an_owner(at)
    ours = SealedSet.decode(await seal_records(at))
    theirs = SealedSet.decode(seal_set(b"x", BEN, "Ben", ours.owners, rows=1, columns=("id",)))
    proposed = propose("study", [ours, theirs], Conditions((bytes(48),)))
    AGREED[id(at)] = proposed.approved_by(BEN)


async def an_agreement(at: World) -> None:
    await a_proposal(at)
    AGREED[id(at)] = await at.sharing.approve(AGREED[id(at)])


async def a_secret(at: World) -> None:
    await a_key(at)
    await bind_secret(at)


async def a_disabled_key(at: World) -> None:
    await a_key(at)
    await at.keys.disable(KEY)


async def a_doomed_key(at: World) -> None:
    await a_key(at)
    await at.keys.destroy(KEY, after_seconds=3600)


async def a_pack(at: World) -> None:
    at.rules.import_pack(dump_pack(PACK))


async def an_exception(at: World) -> None:
    await a_pack(at)
    AT_WORK[id(at)] = (await at.rules.grant("house", "rule-0", "web", "fire", 60)).id


async def a_snapshot(at: World) -> None:
    made = await at.session.jobs.snapshot(OperationKind.SNAPSHOT, WEB.id, "first")
    await at.session.jobs.wait(made.id)


async def a_failure(at: World) -> None:
    provider = at.session.providers[WEB.provider]
    assert isinstance(provider, House)
    provider.fail_next = ConfvmError("No")
    (failed,) = await at.session.jobs.act(OperationKind.STOP, [WEB.id])
    await at.session.jobs.wait(failed.id)
    AT_WORK[id(at)] = failed.id


async def a_long_operation(at: World) -> None:
    provider = at.session.providers[WEB.provider]
    assert isinstance(provider, House)
    provider.hold.clear()
    (stopping,) = await at.session.jobs.act(OperationKind.STOP, [WEB.id])
    AT_WORK[id(at)] = stopping.id


async def evidence(at: World) -> None:
    AT_WORK[id(at)] = (await at.session.attestations.refresh(WEB.id, TPM)).id


async def a_baseline(at: World) -> None:
    await evidence(at)
    await at.session.attestations.accept_baseline(AT_WORK[id(at)])


async def a_host(at: World) -> None:
    AT_WORK[id(at)] = (await at.hosts.add("qemu:///system")).name


async def a_request(at: World) -> None:
    approvals = at.session.approvals
    AT_WORK[id(at)] = (await approvals.ask("key.destroy", KEY, f"Destroying {KEY}", {})).id


async def cancel(at: World) -> None:
    at.session.jobs.cancel(AT_WORK[id(at)])


async def put_setting(at: World) -> None:
    at.session.settings.put("engine.workers", 3)


async def look_in(at: World) -> None:
    assert at.keys.places is not None
    at.keys.places.look_in("awskms", "eu-west-1")


async def choose_places(at: World) -> None:
    assert at.keys.places is not None
    at.keys.places.choose("awskms", ["us-east-1"])


async def choose_module(at: World) -> None:
    assert at.keys.places is not None
    at.keys.places.choose_module("/usr/lib/token.so")


async def copy_pack(at: World) -> None:
    at.rules.copy_pack("house", "ours")


async def remove_pack(at: World) -> None:
    at.rules.remove_pack("house", 1)


async def require_signed(at: World) -> None:
    at.rules.require_signed(True)


async def revoke(at: World) -> None:
    at.rules.revoke(AT_WORK[id(at)])


async def type_into(at: World) -> None:
    console = at.session.console(WEB.id)
    await console.write(b"x")
    await console.write(b"y")


async def grant_role(at: World) -> None:
    changed = at.session.access.assignments.with_role("bob", Role.AUDITOR, group=False)
    await change_roles(at.session.access, at.session.events, at.data_dir, changed, "bob audits")


@dataclass(frozen=True)
class Deed:
    of: type
    method: str
    action: str
    do: Prepare
    prepare: Prepare = nothing
    keeps: str = "before after"
    """Which of before and after the event has."""


ACT = "operation.succeeded"
STOP = OperationKind.STOP
DEEDS = [
    Deed(Jobs, "create", ACT, lambda at: at.session.jobs.create(launch_request("new")), keeps="after"),
    Deed(Jobs, "act", ACT, lambda at: at.session.jobs.act(STOP, [WEB.id])),
    Deed(Jobs, "act", ACT, lambda at: at.session.jobs.act(OperationKind.DELETE, [OFF.id]), keeps="before"),
    Deed(Jobs, "migrate", ACT, lambda at: at.session.jobs.migrate(WEB.id, "host-2")),
    Deed(Jobs, "snapshot", ACT, lambda at: at.session.jobs.snapshot(OperationKind.REVERT, WEB.id, "first"), a_snapshot),
    Deed(Jobs, "clone", ACT, lambda at: at.session.jobs.clone(OFF.id, "copy"), keeps="after"),
    Deed(Jobs, "retry", ACT, lambda at: at.session.jobs.retry(AT_WORK[id(at)]), a_failure),
    Deed(Jobs, "cancel", "operation.cancel-asked", cancel, a_long_operation, "before"),
    Deed(Keys, "create", "key.create", a_key, keeps="after"),
    Deed(Keys, "rotate", "key.rotate", lambda at: at.keys.rotate(KEY), a_key),
    Deed(Keys, "disable", "key.disable", lambda at: at.keys.disable(KEY), a_key),
    Deed(Keys, "enable", "key.enable", lambda at: at.keys.enable(KEY), a_disabled_key),
    Deed(Keys, "restore", "key.restore", lambda at: at.keys.restore(KEY), a_doomed_key),
    Deed(Keys, "destroy", "key.destroy", lambda at: at.keys.destroy(KEY, after_seconds=60), a_key),
    Deed(SecretBroker, "bind", "release.bound", bind_secret, a_key, "after"),
    Deed(SecretBroker, "challenge", "release.challenge", lambda at: at.broker.challenge("database"), a_secret, ""),
    Deed(SecretBroker, "revoke", "release.revoked", lambda at: at.broker.revoke("database"), a_secret, ""),
    Deed(DataSharing, "card", "release.owner", lambda at: at.sharing.card("Ada", KEY), a_key, ""),
    Deed(DataSharing, "seal", "release.sealed", seal_records, an_owner, ""),
    Deed(DataSharing, "approve", "release.approved", lambda at: at.sharing.approve(AGREED[id(at)]), a_proposal, ""),
    Deed(DataSharing, "nonce", "release.challenge", lambda at: at.sharing.nonce(AGREED[id(at)]), an_agreement, ""),
    Deed(KeyPlaces, "look_in", "setting.changed", look_in, keeps="after"),
    Deed(KeyPlaces, "choose", "setting.changed", choose_places, look_in),
    Deed(KeyPlaces, "choose_module", "setting.changed", choose_module, keeps="after"),
    Deed(Settings, "put", "setting.changed", put_setting, keeps="after"),
    Deed(Rules, "import_pack", "policy.pack-imported", a_pack, keeps="after"),
    Deed(Rules, "copy_pack", "policy.pack-copied", copy_pack, a_pack, "after"),
    Deed(Rules, "sign_pack", "policy.pack-signed", lambda at: at.rules.sign_pack("house"), a_pack),
    Deed(Rules, "remove_pack", "policy.pack-removed", remove_pack, a_pack, "before"),
    Deed(Rules, "assign", "policy.assigned", lambda at: at.rules.assign([Assignment("house", 1, Mode.WARN)]), a_pack),
    Deed(Rules, "require_signed", "setting.changed", require_signed, keeps="after"),
    Deed(
        Rules,
        "grant",
        "policy.exception-granted",
        lambda at: at.rules.grant("house", "rule-0", "web", "fire", 60),
        a_pack,
        "after",
    ),
    Deed(Rules, "revoke", "policy.exception-ended", revoke, an_exception),
    Deed(Hosts, "add", "host.added", lambda at: at.hosts.add("qemu:///system"), keeps="after"),
    Deed(Hosts, "remove", "host.removed", lambda at: at.hosts.remove(AT_WORK[id(at)]), a_host, "before"),
    Deed(
        Attestations,
        "accept_baseline",
        "attestation.baseline-accepted",
        lambda at: at.session.attestations.accept_baseline(AT_WORK[id(at)]),
        a_baseline,
    ),
    Deed(
        Attestations,
        "forget_baseline",
        "attestation.baseline-forgotten",
        lambda at: at.session.attestations.forget_baseline(WEB.id, TPM),
        a_baseline,
        "before",
    ),
    Deed(
        Approvals,
        "decide",
        "approval.rejected",
        lambda at: at.session.approvals.decide(AT_WORK[id(at)], approve=False),
        a_request,
    ),
    Deed(Forwarding, "choose", "audit.forward", lambda at: at.session.forwarding.choose("log.example"), keeps="after"),
    Deed(RecordedConsole, "write", "guest.typed", type_into, keeps=""),
    Deed(
        FleetSession,
        "query",
        "guest.query",
        lambda at: at.session.query(WEB.id, Query(QueryVerb.COUNT, "name", "x")),
        keeps="",
    ),
    Deed(type(change_roles), "change_roles", "role.changed", grant_role),
]
LIFE = {"start", "aclose", "load"}
READS = {
    Jobs: {"active", "recent", "get", "wait", "require_idle"},
    Keys: {"schemes", "listing", "info", "uses"},
    KeyPlaces: {"module", "of"},
    SecretBroker: {"listing", "conditions_of"},
    DataSharing: {"owner_among"},
    Settings: {"get"},
    Rules: {
        *("packs", "pack", "signature_of", "assignments", "signed_only", "exceptions", "renew", "ready", "current"),
        *("book_of", "prepare"),
    },
    Guardrails: {
        *("changes", "check", "check_with", "fix", "record", "records", "standing", "history", "test", "report"),
        *("judge_now", "note_attestation", "note_exposure", "note_report", "require_allowed"),
    },
    Hosts: {"missing", "entries", "get", "status", "facts", "learn", "check", "test", "retry"},
    Attestations: {
        *("formats", "reason", "freshness", "history", "record", "tcb_timeline", "chips", "baseline", "drift"),
        *("export",),
    },
    Approvals: {"permit", "needed", "recent", "get", "require_decidable", "reason_undecidable"},
    Forwarding: {"destination", "queue", "test"},
    RecordedConsole: {"writable", "scrollback", "stream"},
    RecordedLibrary: {"images", "subscribe", "files", "seed", "cancel"},
}
"""They change nothing, or only what is known in memory."""
ELSEWHERE = {
    Jobs: {"take_up_unfinished"},  # test_jobs_recovery: operation.resumed, operation.waiting
    Keys: {"record_use", "rewrap", "destroy_approved"},  # test_disk_keys; test_approvals
    SecretBroker: {"give"},  # test_broker: release.given, release.refused
    DataSharing: {"release", "request", "hand_over"},  # test_sharing
    Rules: {"grant_approved"},  # test_guard_rights
    Attestations: {"refresh", "take", "approve", "learn_baseline", "verify_file"},  # test_attestations; by the monitor
    Approvals: {
        *("on_approved", "ask", "require", "require_deletions", "take_in", "decide_from_anywhere"),  # test_approvals
    },
    Forwarding: {"stop"},  # test_forwarding
    RecordedLibrary: {"add_disk", "add_kernel", "download", "remove"},  # test_recorded_library
}
"""They change something, and are shown to be recorded in other tests."""


@pytest.mark.parametrize("of", list(READS), ids=lambda of: of.__name__)
def test_every_public_method_is_known_to_change_something_or_nothing(of: type) -> None:
    public = {name for name, _ in inspect.getmembers(of) if not name.startswith("_")}
    done = {deed.method for deed in DEEDS if deed.of is of}
    assert public - LIFE == READS[of] | ELSEWHERE.get(of, set()) | done


def named(deed: Deed) -> str:
    return f"{deed.of.__name__}.{deed.method}"


@pytest.mark.parametrize("deed", DEEDS, ids=named)
async def test_what_is_done_is_told(data_dir: Path, deed: Deed) -> None:
    async with world(data_dir) as at:
        await deed.prepare(at)
        earlier = len(at.events())
        await deed.do(at)
        if deed.action == ACT:
            for operation in at.session.jobs.active():
                await at.session.jobs.wait(operation.id)
        told = [event for event in at.events()[earlier:] if event.action == deed.action]
        assert len(told) == 1, [event.action for event in at.events()[earlier:]]
        kept = [name for name in ("before", "after") if getattr(told[0], name) is not None]
        assert " ".join(kept) == deed.keeps
        assert told[0].outcome in (EventOutcome.SUCCESS, EventOutcome.PENDING)
        assert is_known(deed.action)
        if deed.action == ACT:
            asked = [event for event in at.events()[earlier:] if event.outcome is EventOutcome.PENDING]
            assert [event.actor for event in asked] == [at.session.access.user], "who asked for it"


@pytest.mark.parametrize("deed", DEEDS, ids=named)
async def test_who_has_no_right_to_it_does_nothing_and_is_told(data_dir: Path, deed: Deed) -> None:
    async with world(data_dir) as at:
        await deed.prepare(at)
        if deed.of is Approvals:
            at.session.access.user = "somebody else"
        at.become(Role.VIEWER)
        earlier = len(at.events())
        with pytest.raises(Forbidden):
            await deed.do(at)
        told = [event for event in at.events()[earlier:] if event.outcome is not EventOutcome.SUCCESS]
        assert [event.outcome for event in told] == [EventOutcome.DENIED]
        assert told[0].action in ("access.denied", "approval.refused")
        at.become(Role.ADMINISTRATOR)
