"""An owner's share goes to the guest that all approved, and to no other: real reports of an emulated processor."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from confvm_gui.attestation.bundle import Bundle, pack
from confvm_gui.domain.attestation import Evidence, EvidenceFormat
from confvm_gui.domain.errors import InvalidInput, NotFound, ReadOnly
from confvm_gui.domain.event import EventOutcome
from confvm_gui.domain.ports.repositories import BoundSecretRepository
from confvm_gui.domain.release import Conditions, SecretKind
from confvm_gui.domain.sealed_set import OwnerKeys, SealedSet, open_ciphertext, seal_set, set_key
from confvm_gui.domain.shared_data import Agreement, ReleaseRequest, meeting_nonce, propose
from confvm_gui.fleet.release.examination import Release
from confvm_gui.fleet.release.sharing import DataSharing
from confvm_gui.fleet.session import FleetSession
from confvm_gui.keys.ledger import KeyLedger
from confvm_gui.keys.local import LocalKeyStore
from confvm_gui.keys.router import KeyRouter
from confvm_gui.sev.sealed_box import unseal
from confvm_gui.store import open_store
from tests.support.embedded_rig import files_with, shared_root
from tests.support.fake_session import fake_session
from tests.support.snp_evidence import endorsed, met_conditions, snp_evidence

KEY = "local:owner"
DEBUG = 1 << 19
BENS_NONCE = b"\x42" * 32
RECORDS = "id,age,note\na,31,a text that only Ada knows\nb,32,a text that only Ada knows\n"


@dataclass
class World:
    """Ada's console. Ben is elsewhere: here are his keys alone."""

    session: FleetSession
    sharing: DataSharing
    kept: BoundSecretRepository
    data_dir: Path
    ben: OwnerKeys
    guest: X25519PrivateKey
    now: float = 1_000_000.0
    sets: Sequence[SealedSet] = ()

    async def agree(self, conditions: Conditions | None = None, *, asker: int = 0) -> Agreement:
        records = self.data_dir / "records.csv"
        records.write_text(RECORDS)
        owners = [await self.sharing.card("Ada", KEY), self.ben.card("Ben")]
        ours = SealedSet.decode(await self.sharing.seal(records, owners))
        records.unlink()
        theirs = SealedSet.decode(seal_set(b"Ben's", self.ben, "Ben", owners, rows=1, columns=("id",)))
        self.sets = (ours, theirs)
        proposed = propose("study", self.sets, conditions or met_conditions(), asker=asker)
        return (await self.sharing.approve(proposed)).approved_by(self.ben)

    def ask(self, agreement: Agreement, nonces: Sequence[bytes], *, policy: int = 0x30000) -> ReleaseRequest:
        report_data = self.guest.public_key().public_bytes_raw() + meeting_nonce(agreement.digest, nonces)
        made = snp_evidence(shared_root(), policy=policy, report_data=report_data)
        evidence = Evidence(made.report, EvidenceFormat.SNP_REPORT)
        return ReleaseRequest(
            agreement.digest, tuple(nonces), pack(Bundle(evidence, endorsed(made), datetime.now(UTC)))
        )

    def open(self, release: Release) -> bytes:
        salt = self.guest.public_key().public_bytes_raw() + release.sealed[:32]
        return unseal(release.sealed[32:], self.guest, salt=salt, info=b"confvm-share-1")

    async def told(self) -> tuple[str, EventOutcome]:
        event = (await self.session.store.audit.read(limit=1))[0].event
        return event.action, event.outcome


Spoil = Callable[[World, Agreement, bytes], ReleaseRequest]


@asynccontextmanager
async def world(data_dir: Path, readonly_reason: str = "") -> AsyncIterator[World]:
    session = await fake_session(())
    local = LocalKeyStore(data_dir, KeyLedger(data_dir))
    await local.create(KEY)
    async with await open_store(data_dir) as store:
        sharing = DataSharing(
            store.secrets,
            KeyRouter({"local": lambda: local}),
            session.providers,
            session.inventory,
            session.events,
            session.access,
            readonly_reason=readonly_reason,
            clock=lambda: at.now,
        )
        at = World(
            session, sharing, store.secrets, data_dir, OwnerKeys(OwnerKeys.generate()), X25519PrivateKey.generate()
        )
        try:
            yield at
        finally:
            await session.aclose()


async def test_both_shares_open_the_set_in_the_guest(data_dir: Path) -> None:
    async with world(data_dir) as at:
        agreement = await at.agree()
        request = at.ask(agreement, [await at.sharing.nonce(agreement), BENS_NONCE])
        release = await at.sharing.release(agreement, at.sets, request)
        assert release.given
        assert await at.told() == ("release.given", EventOutcome.SUCCESS)
        opened = at.open(release)
        assert (opened[:8], opened[24:56]) == (b"CVSHARE1", agreement.digest)
        shares = [opened[88:120], at.ben.share_of(at.sets[0])]
        plain = open_ciphertext(at.sets[0].ciphertext, set_key(at.sets[0].set_id, shares))
        assert plain.count(b"a text that only Ada knows") == 2
        (kept,) = await at.kept.all(SecretKind.ASK)
        assert kept.name == release.sealed[:32].hex()
        assert opened[56:88] != bytes(32)
    assert not files_with(data_dir, opened[56:88], shares[0], b"only Ada knows")


async def test_who_may_not_ask_releases_no_key_for_it(data_dir: Path) -> None:
    async with world(data_dir) as at:
        agreement = await at.agree(asker=1)
        request = at.ask(agreement, [await at.sharing.nonce(agreement), BENS_NONCE])
        release = await at.sharing.release(agreement, at.sets, request)
        assert at.open(release)[56:88] == bytes(32)


async def test_a_nonce_is_answered_once_and_not_late(data_dir: Path) -> None:
    async with world(data_dir) as at:
        agreement = await at.agree()
        request = at.ask(agreement, [await at.sharing.nonce(agreement), BENS_NONCE])
        assert (await at.sharing.release(agreement, at.sets, request)).given
        again = await at.sharing.release(agreement, at.sets, request)
        assert (again.given, "no nonce of this console" in again.reason) == (False, True)
        late = at.ask(agreement, [await at.sharing.nonce(agreement), BENS_NONCE])
        at.now += agreement.max_age + 1
        assert "too old" in (await at.sharing.release(agreement, at.sets, late)).reason


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda at, agreed, n: replace(at.ask(agreed, [n, BENS_NONCE]), agreement=bytes(32)), "another agreement"),
        (lambda at, agreed, n: replace(at.ask(agreed, [n, BENS_NONCE]), nonces=(n, bytes(32))), "other nonces"),
        (lambda at, agreed, n: replace(at.ask(agreed, [n, BENS_NONCE]), nonces=(n,)), "one nonce for each owner"),
        (lambda at, agreed, n: at.ask(agreed, [BENS_NONCE, n]), "no nonce of this console"),
        (lambda at, agreed, n: replace(at.ask(agreed, [n, BENS_NONCE]), evidence=b"PK"), ""),
        (lambda at, agreed, n: at.ask(agreed, [n, BENS_NONCE], policy=0x30000 | DEBUG), "debug-allowed"),
    ],
)
async def test_another_guest_is_given_nothing(data_dir: Path, spoil: Spoil, told: str) -> None:
    async with world(data_dir) as at:
        agreement = await at.agree()
        request = spoil(at, agreement, await at.sharing.nonce(agreement))
        release = await at.sharing.release(agreement, at.sets, request)
        assert (release.given, release.sealed) == (False, b"")
        assert release.reason
        assert told in release.reason
        assert await at.told() == ("release.refused", EventOutcome.DENIED)


async def test_another_measurement_is_given_nothing(data_dir: Path) -> None:
    async with world(data_dir) as at:
        agreement = await at.agree(replace(met_conditions(), measurements=(b"\xab" * 48,)))
        request = at.ask(agreement, [await at.sharing.nonce(agreement), BENS_NONCE])
        assert "measurement-mismatch" in (await at.sharing.release(agreement, at.sets, request)).reason


async def test_what_is_not_agreed_is_refused_before_anything_is_looked_at(data_dir: Path) -> None:
    async with world(data_dir) as at:
        agreement = await at.agree()
        request = at.ask(agreement, [await at.sharing.nonce(agreement), BENS_NONCE])
        half = replace(agreement, signatures=(agreement.signatures[0], b""))
        with pytest.raises(InvalidInput, match="not approved by Ben"):
            await at.sharing.release(half, at.sets, request)
        with pytest.raises(InvalidInput, match="data set of Ben"):
            await at.sharing.release(agreement, at.sets[:1], request)
        with pytest.raises(InvalidInput, match="instance"):
            await at.sharing.approve(replace(agreement, conditions=replace(agreement.conditions, instance="x")))
        with pytest.raises(InvalidInput, match="any guest would do"):
            await at.sharing.approve(replace(agreement, conditions=replace(agreement.conditions, measurements=())))


async def test_a_stranger_and_a_reader_release_nothing(data_dir: Path, tmp_path: Path) -> None:
    async with world(data_dir) as at:
        agreement = await at.agree()
        request = at.ask(agreement, [await at.sharing.nonce(agreement), BENS_NONCE])
        async with world(tmp_path / "stranger") as stranger:
            with pytest.raises(NotFound, match="keys of none of the owners"):
                await stranger.sharing.release(agreement, at.sets, request)
            assert await stranger.sharing.owner_among(agreement.owners) is None
        assert await at.sharing.owner_among(agreement.owners) == 0
    async with world(data_dir, "It is open elsewhere") as reader:
        with pytest.raises(ReadOnly):
            await reader.sharing.release(agreement, at.sets, request)
