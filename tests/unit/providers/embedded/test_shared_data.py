"""Data of two owners: the guest that both approved works on both sets, and nobody else opens either of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat, TrustedRoot
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import ConfvmError, EvidenceRefused
from confvm_gui.domain.event import Severity
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.query import Query, QueryVerb
from confvm_gui.domain.records import parse_records
from confvm_gui.domain.records_encoding import encode_table
from confvm_gui.domain.records_file import read_records_file
from confvm_gui.domain.release import Conditions
from confvm_gui.domain.sealed_set import OwnerCard, OwnerKeys, SealedSet, seal_set
from confvm_gui.domain.shared_data import Agreement, build_shared_disk, meeting_nonce, propose, seal_release
from confvm_gui.fleet.attest.judgement import judge_guest
from confvm_gui.providers.embedded.evidence import ROOT_NAME
from confvm_gui.providers.embedded.provider import EmbeddedProvider
from tests.support.embedded_rig import embedded, files_with, launch_request, ram, ready, shared_root
from tests.support.operations import OperationRecord
from tests.support.snp_evidence import POLICY, snp_evidence

NAMES = ("Ada", "Ben")
TEXTS = ("the heron counts at Marlow weir", "the kiln was cold at Thornaby")
DEBUG = 1 << 19


@dataclass(frozen=True)
class Owners:
    """Two of them, each with a sealed set of five records. Ada asks."""

    keys: tuple[OwnerKeys, ...]
    cards: tuple[OwnerCard, ...]
    sets: tuple[SealedSet, ...]

    @classmethod
    def seal(cls, folder: Path) -> Owners:
        keys = tuple(OwnerKeys(OwnerKeys.generate()) for _ in NAMES)
        cards = tuple(each.card(name) for each, name in zip(keys, NAMES, strict=True))
        sets = []
        for own, name, text in zip(keys, NAMES, TEXTS, strict=True):
            path = folder / f"{name}.csv"
            path.write_text("id,owner,note\n" + "".join(f"{name}-{at},{name},{text} {at}\n" for at in range(5)))
            table = parse_records(read_records_file(path))
            sealed = seal_set(encode_table(table), own, name, cards, rows=5, columns=table.columns)
            sets.append(SealedSet.decode(sealed))
            path.unlink()
        return cls(keys, cards, tuple(sets))

    def agree(self, conditions: Conditions) -> Agreement:
        agreement = propose("study", self.sets, conditions)
        for own in self.keys:
            agreement = agreement.approved_by(own)
        agreement.require_approved()
        return agreement

    def release(self, number: int, agreement: Agreement, report_data: bytes, mailbox_key: bytes = b"") -> bytes:
        shares = [self.keys[number].share_of(each) for each in agreement.ordered(self.sets)]
        return seal_release(agreement, number, shares, report_data=report_data, mailbox_key=mailbox_key)


@dataclass(frozen=True)
class Meeting:
    """A running guest with both sets on its disk, the agreement on it, and its report for both owners."""

    provider: EmbeddedProvider
    instance: str
    owners: Owners
    agreement: Agreement
    guest: GuestEvidence
    report_data: bytes
    mailbox_key: bytes

    def releases(self) -> Sequence[bytes]:
        ada, ben = self.owners.release, self.owners.release
        return (
            ada(0, self.agreement, self.report_data, self.mailbox_key),
            ben(1, self.agreement, self.report_data),
        )

    async def in_ram(self, viewer: Viewer) -> list[bool]:
        """Of each owner's text, whether it is in the guest's RAM."""
        content = await ram(self.provider, self.instance, viewer)
        return [text.encode() in content for text in TEXTS]


@asynccontextmanager
async def met(data_dir: Path, folder: Path) -> AsyncIterator[Meeting]:
    owners = Owners.seal(folder)
    disk = folder / "shared.disk"
    # The disk is of the sets; what they are released to is agreed on with a trial launch at hand.
    disk.write_bytes(build_shared_disk(owners.agree(Conditions((bytes(48),))), owners.sets))
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(technology=Technology.SEV_SNP, records=disk), OperationRecord())
        trial = (await provider.evidence(made.id, EvidenceFormat.SNP_REPORT, os.urandom(32))).reference
        agreement = owners.agree(Conditions(trial.measurements, roots=trial.trusted_roots))
        nonce = meeting_nonce(agreement.digest, [os.urandom(32) for _ in NAMES])
        guest = await provider.evidence(made.id, EvidenceFormat.SNP_REPORT, nonce)
        report_data = guest.evidence.data[0x50:0x90]
        assert report_data[32:] == nonce
        yield Meeting(provider, made.id, owners, agreement, guest, report_data, os.urandom(32))


async def test_the_guest_that_both_approved_answers_who_may_ask_about_both_sets(data_dir: Path, tmp_path: Path) -> None:
    async with met(data_dir, tmp_path) as at:
        reference = at.agreement.conditions.reference(at.report_data)
        judgement = await judge_guest(replace(at.guest, reference=reference), None)
        assert judgement.verdict.trusted, judgement.verdict.findings
        assert await at.in_ram(Viewer.GUEST) == [False, False]

        await at.provider.hand_over(at.instance, at.releases(), at.mailbox_key)
        await ready(at.provider, at.instance)
        for name in NAMES:
            answer = await at.provider.query(at.instance, Query(QueryVerb.COUNT, "owner", name))
            assert answer.count == 5
        found = await at.provider.query(at.instance, Query(QueryVerb.FIND, "id", "Ben-3"))
        assert f"{TEXTS[1]} 3" in found.rows[0]

        assert await at.in_ram(Viewer.GUEST) == [True, True]
        assert await at.in_ram(Viewer.HYPERVISOR) == [False, False]
        assert files_with(data_dir, *(text.encode() for text in TEXTS)) == []
        assert files_with(tmp_path, *(text.encode() for text in TEXTS)) == []


async def test_nothing_less_than_what_both_released_to_this_guest_opens_a_set(data_dir: Path, tmp_path: Path) -> None:
    async with met(data_dir, tmp_path) as at:
        ada, ben = at.releases()
        other_terms = at.owners.release(1, replace(at.agreement, max_age=1), at.report_data)
        other_launch = at.owners.release(1, at.agreement, at.owners.cards[0].sealing_key + at.report_data[32:])
        false = seal_release(at.agreement, 1, [os.urandom(32) for _ in NAMES], report_data=at.report_data)
        altered = ben[:-1] + bytes([ben[-1] ^ 1])

        await at.provider.hand_over(at.instance, [ada, ada], b"")
        for release, reason in (
            (other_terms, "not for the agreement"),
            (other_launch, "not sealed to this guest"),
            (altered, "not sealed to this guest"),
            (false, "do not open"),
        ):
            with pytest.raises(EvidenceRefused, match=reason):
                await at.provider.hand_over(at.instance, [release], b"")
            assert await at.in_ram(Viewer.GUEST) == [False, False]

        # The one who may not ask carries the true ones: the guest opens the sets, and answers him nothing.
        await at.provider.hand_over(at.instance, [ada, ben], b"")
        with pytest.raises(ConfvmError, match="another of them is who may ask"):
            await at.provider.query(at.instance, Query(QueryVerb.COUNT, "owner", "Ada"))
        assert await at.in_ram(Viewer.HYPERVISOR) == [False, False]


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ("", set()),
        ("image", {"measurement-mismatch"}),
        ("debug policy", {"debug-allowed"}),
        ("meeting", {"report-data-mismatch"}),
    ],
)
async def test_no_owner_trusts_another_guest(other: str, found: set[str]) -> None:
    report_data = os.urandom(64)
    right = snp_evidence(shared_root(), report_data=report_data)
    given = snp_evidence(
        shared_root(),
        policy=POLICY | DEBUG if other == "debug policy" else POLICY,
        report_data=os.urandom(64) if other == "meeting" else report_data,
    )
    spki = shared_root().ark.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    root = TrustedRoot(ROOT_NAME, hashlib.sha256(spki).hexdigest(), emulated=True)
    conditions = Conditions((os.urandom(48) if other == "image" else right.launch_digest,), roots=(root,))
    evidence = Evidence(given.report, EvidenceFormat.SNP_REPORT)
    endorsed = Endorsements(certificates=(given.vcek, given.ask, given.ark))
    judgement = await judge_guest(GuestEvidence(evidence, endorsed, conditions.reference(report_data)), None)
    errors = {each.code for each in judgement.verdict.findings if each.severity is Severity.ERROR}
    assert errors == found
    assert judgement.verdict.trusted == (not found)
