"""Secrets go to the guest that meets their conditions, and to nobody else: real reports of an emulated processor."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from confvm_gui.domain.attestation import Endorsements, Evidence
from confvm_gui.domain.errors import Forbidden, InvalidInput, KeyUnavailable, NameTaken, NotFound, ReadOnly, WrongState
from confvm_gui.domain.event import EventOutcome
from confvm_gui.domain.release import MAXIMUM_SECRET, RELEASE_INFO, Conditions
from confvm_gui.domain.roles import Role
from confvm_gui.fleet.keys import Keys
from confvm_gui.fleet.release.broker import NONCE_SECONDS, SecretBroker, nonce_digest
from confvm_gui.fleet.release.examination import Release
from confvm_gui.fleet.session import FleetSession
from confvm_gui.keys.ledger import KeyLedger
from confvm_gui.keys.local import LocalKeyStore
from confvm_gui.keys.router import KeyRouter
from confvm_gui.sev.sealed_box import unseal
from confvm_gui.store import open_store
from tests.support.embedded_rig import files_with, shared_root
from tests.support.fake_session import fake_session
from tests.support.snp_evidence import SnpEvidence, endorsed, met_conditions, snp_evidence

KEY = "local:secrets"
SECRET = b"the lighthouse keeper's key"
DEBUG = 1 << 19


class Guest:
    """Any SNP guest: an X25519 key of its own, and reports of the firmware."""

    def __init__(self) -> None:
        self.private = X25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes_raw()
        self.report_data = b""

    def report(self, name: str, nonce: bytes, *, policy: int = 0x30000) -> SnpEvidence:
        self.report_data = self.public + nonce_digest(name, nonce)
        return snp_evidence(shared_root(), policy=policy, report_data=self.report_data)

    def open(self, release: Release) -> bytes:
        assert release.sealed[:32] == self.report_data[32:]
        return unseal(release.sealed[32:], self.private, salt=self.report_data, info=RELEASE_INFO)


@dataclass
class World:
    session: FleetSession
    broker: SecretBroker
    data_dir: Path
    now: float = 1_000_000.0

    async def give(self, made: SnpEvidence, name: str = "database") -> Release:
        return await self.broker.give(name, Evidence(made.report), endorsed(made))

    async def told(self) -> tuple[str, EventOutcome]:
        event = (await self.session.store.audit.read(limit=1))[0].event
        return event.action, event.outcome


@asynccontextmanager
async def world(data_dir: Path, readonly_reason: str = "") -> AsyncIterator[World]:
    session = await fake_session(())
    local = LocalKeyStore(data_dir, KeyLedger(data_dir))
    await local.create(KEY)
    async with await open_store(data_dir) as store:
        broker = SecretBroker(
            store.secrets,
            KeyRouter({"local": lambda: local}),
            session.providers,
            session.inventory,
            session.events,
            session.access,
            readonly_reason=readonly_reason,
            clock=lambda: at.now,
        )
        at = World(session, broker, data_dir)
        try:
            yield at
        finally:
            await session.aclose()


async def test_the_guest_that_meets_the_conditions_gets_it_once(data_dir: Path) -> None:
    async with world(data_dir) as at:
        await at.broker.bind("database", SECRET, KEY, met_conditions())
        guest = Guest()
        made = guest.report("database", await at.broker.challenge("database"))
        release = await at.give(made)
        assert release.given, release
        assert guest.open(release) == SECRET
        assert await at.told() == ("release.given", EventOutcome.SUCCESS)
        assert [one.given for one in await at.broker.listing()] == [1]

        again = await at.give(made)
        assert (again.given, "answered before" in again.reason) == (False, True)
        assert await at.told() == ("release.refused", EventOutcome.DENIED)
        assert [one.given for one in await at.broker.listing()] == [1]


async def test_of_many_with_the_same_report_one_gets_it(data_dir: Path) -> None:
    async with world(data_dir) as at:
        await at.broker.bind("database", SECRET, KEY, met_conditions())
        made = Guest().report("database", await at.broker.challenge("database"))
        releases = await asyncio.gather(*(at.give(made) for _ in range(4)))
        assert sum(release.given for release in releases) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda met: replace(met, measurements=(bytes(48),)), "measurement"),
        (lambda met: replace(met, policies=("0xb0000",)), "policy"),
        (lambda met: replace(met, minimum={"reported_tcb.snp": 255}), "reported_tcb.snp"),
        (lambda met: replace(met, minimum={"guest_svn": 1}), "guest_svn"),
        (lambda met: replace(met, roots=()), "root"),
    ],
)
async def test_a_report_that_does_not_meet_a_condition_gets_nothing(
    data_dir: Path, change: Callable[[Conditions], Conditions], code: str
) -> None:
    async with world(data_dir) as at:
        await at.broker.bind("database", SECRET, KEY, change(met_conditions()))
        release = await at.give(Guest().report("database", await at.broker.challenge("database")))
        assert not release.given
        said = release.reason + " ".join(f"{each.code} {each.source} {each.expected}" for each in release.findings)
        assert code in said
        assert await at.told() == ("release.refused", EventOutcome.DENIED)


async def test_a_guest_that_the_host_may_debug_gets_nothing_whatever_its_policy_condition(data_dir: Path) -> None:
    async with world(data_dir) as at:
        for name, policies in (("any", ()), ("this", (f"{0x30000 | DEBUG:#x}",))):
            await at.broker.bind(name, SECRET, KEY, replace(met_conditions(), policies=policies))
            made = Guest().report(name, await at.broker.challenge(name), policy=0x30000 | DEBUG)
            release = await at.give(made, name)
            assert not release.given
            assert "debug" in release.reason


async def test_a_report_that_was_altered_in_any_way_gets_nothing(data_dir: Path) -> None:
    async with world(data_dir) as at:
        await at.broker.bind("database", SECRET, KEY, met_conditions())
        made = Guest().report("database", await at.broker.challenge("database"))
        for offset in (0x08, 0x50, 0x70, 0x90, 0x140, 0x180, 0x1A0, 0x2A0):
            altered = bytearray(made.report)
            altered[offset] ^= 1
            assert not (await at.give(made._replace(report=bytes(altered)))).given, hex(offset)
        mallory = bytearray(made.report)
        mallory[0x50:0x70] = Guest().public
        assert not (await at.give(made._replace(report=bytes(mallory)))).given
        assert (await at.give(made)).given, "what others tried does not use the nonce up"


async def test_a_nonce_that_is_old_or_of_another_secret_or_nobodys_gets_nothing(data_dir: Path) -> None:
    async with world(data_dir) as at:
        for name in ("database", "other"):
            await at.broker.bind(name, SECRET, KEY, met_conditions())
        made = Guest().report("database", await at.broker.challenge("database"))
        assert "answers no nonce" in (await at.give(made, "other")).reason
        assert "answers no nonce" in (await at.give(Guest().report("database", bytes(32)))).reason
        at.now += NONCE_SECONDS + 1
        assert "too old" in (await at.give(made)).reason


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", bytes(0x4A0), b"\xff" * 0x4A0, bytes(5000)])
async def test_what_is_no_report_is_refused(data_dir: Path, data: bytes) -> None:
    async with world(data_dir) as at:
        await at.broker.bind("database", SECRET, KEY, met_conditions())
        await at.broker.challenge("database")
        release = await at.broker.give("database", Evidence(data), Endorsements())
        assert not release.given
        assert release.reason


async def test_what_is_revoked_goes_to_nobody(data_dir: Path) -> None:
    async with world(data_dir) as at:
        await at.broker.bind("database", SECRET, KEY, met_conditions())
        made = Guest().report("database", await at.broker.challenge("database"))
        await at.broker.revoke("database")
        assert await at.told() == ("release.revoked", EventOutcome.SUCCESS)
        assert "revoked" in (await at.give(made)).reason
        with pytest.raises(WrongState, match="revoked"):
            await at.broker.challenge("database")


async def test_a_key_of_small_order_gets_nothing(data_dir: Path) -> None:
    async with world(data_dir) as at:
        await at.broker.bind("database", SECRET, KEY, met_conditions())
        guest = Guest()
        guest.public = bytes(32)
        release = await at.give(guest.report("database", await at.broker.challenge("database")))
        assert "nothing can be kept secret" in release.reason


async def test_it_is_nowhere_in_clear_and_conditions_cannot_be_loosened_by_hand(data_dir: Path) -> None:
    async with world(data_dir) as at:
        await at.broker.bind("database", SECRET, KEY, replace(met_conditions(), minimum={"reported_tcb.snp": 255}))
    assert files_with(data_dir, b"reported_tcb")
    assert not files_with(data_dir, SECRET)
    with contextlib.closing(sqlite3.connect(data_dir / "console.db")) as connection:
        connection.execute("UPDATE bound_secrets SET conditions = replace(conditions, '255', '0')")
        connection.commit()
    async with world(data_dir) as at:
        made = Guest().report("database", await at.broker.challenge("database"))
        with pytest.raises(KeyUnavailable, match="altered"):
            await at.give(made)
        assert await at.told() == ("release.refused", EventOutcome.DENIED)


async def test_what_cannot_be_bound_is_refused_at_its_field(data_dir: Path) -> None:
    async with world(data_dir) as at:
        for name, secret, bound_to, field in (
            ("", SECRET, met_conditions(), "name"),
            ("../up", SECRET, met_conditions(), "name"),
            ("a", b"", met_conditions(), "secret"),
            ("a", bytes(MAXIMUM_SECRET + 1), met_conditions(), "secret"),
            ("a", SECRET, Conditions(), "conditions"),
        ):
            with pytest.raises(InvalidInput) as refused:
                await at.broker.bind(name, secret, KEY, bound_to)
            assert refused.value.field == field
        with pytest.raises(KeyUnavailable):
            await at.broker.bind("a", SECRET, "local:absent", met_conditions())
        await at.broker.bind("a", bytes(MAXIMUM_SECRET), KEY, met_conditions())
        with pytest.raises(NameTaken):
            await at.broker.bind("a", SECRET, KEY, met_conditions())
        with pytest.raises(NotFound):
            await at.broker.challenge("b")


async def test_who_may_not_and_who_only_reads_does_nothing(data_dir: Path) -> None:
    async with world(data_dir) as at:
        await at.broker.bind("database", SECRET, KEY, met_conditions())
        nonce = await at.broker.challenge("database")
        made = Guest().report("database", nonce)
        access = at.session.access
        access.assignments = replace(access.assignments, users={access.user: frozenset({Role.OPERATOR})}, by_file=True)
        for refused in (at.broker.bind("b", SECRET, KEY, met_conditions()), at.broker.revoke("database")):
            with pytest.raises(Forbidden):
                await refused
        assert (await at.give(made)).given, "who runs instances may carry reports and releases"
        access.assignments = replace(access.assignments, users={access.user: frozenset({Role.VIEWER})})
        for asked in (at.broker.challenge("database"), at.give(made)):
            with pytest.raises(Forbidden):
                await asked
    async with world(data_dir, readonly_reason="Another console writes") as at:
        for changed in (at.broker.challenge("database"), at.broker.revoke("database"), at.give(made)):
            with pytest.raises(ReadOnly):
                await changed


async def test_a_key_that_wraps_a_secret_is_not_destroyed_unasked(data_dir: Path) -> None:
    async with world(data_dir) as at, await open_store(data_dir / "second") as store:
        local = LocalKeyStore(data_dir, KeyLedger(data_dir))
        stores = KeyRouter({"local": lambda: local})
        session = at.session
        broker = SecretBroker(store.secrets, stores, {}, session.inventory, session.events, session.access)
        keys = Keys(stores, {}, session.events)
        keys.secrets = store.secrets
        await broker.bind("database", SECRET, KEY, met_conditions())
        await broker.bind("old", SECRET, KEY, met_conditions())
        await broker.revoke("old")
        (held,) = await keys.uses(KEY)
        assert (held.instance_name, held.what) == ("database", "secret")
        with pytest.raises(WrongState, match=r"secrets \(database\), which would be lost for good"):
            await keys.destroy(KEY, after_seconds=0)
        await keys.destroy(KEY, after_seconds=0, lose=[held.instance_id])
        with pytest.raises(KeyUnavailable):
            await broker.bind("new", SECRET, KEY, met_conditions())
