"""Asking who vouches for an instance: fresh nonces, verdicts that are kept, baselines, files and bundles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.attestation_record import AttestationRecord, BaselineOrigin, Occasion
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import GuestFault, InvalidInput, NotFound, ReadOnly, Unsupported
from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import Instance, InstanceState, Trust
from confvm_gui.fleet.attest.freshness import MAX_AGE_SETTING, Freshness
from confvm_gui.fleet.session import FleetSession
from tests.support.fake_provider import FakeProvider, make_instance
from tests.support.fake_session import fake_session
from tests.support.patience import until
from tests.support.vouching_provider import CHIP, SNP_MEASUREMENT, VouchingProvider
from tests.unit.attestation.test_tpm_quotes import values

SNP, TPM = EvidenceFormat.SNP_REPORT, EvidenceFormat.TPM_QUOTE
GUEST = make_instance("guest", technology=Technology.SEV_SNP, vtpm=True, trust=Trust.UNKNOWN)
PLAIN = make_instance("plain", technology=Technology.NONE, trust=Trust.NOT_APPLICABLE)


@asynccontextmanager
async def session_of(
    *instances: Instance, provider: FakeProvider | None = None, readonly_reason: str = ""
) -> AsyncIterator[FleetSession]:
    session = await fake_session(
        instances or (GUEST, PLAIN),
        provider=provider or VouchingProvider(instances or (GUEST, PLAIN)),
        readonly_reason=readonly_reason,
    )
    try:
        yield session
    finally:
        await session.aclose()


def vouching(session: FleetSession) -> VouchingProvider:
    provider = session.providers["embedded"]
    assert isinstance(provider, VouchingProvider)
    return provider


async def events(session: FleetSession, text: str) -> list[tuple[str, Severity, str]]:
    records = await session.events.read(limit=50, text=text)
    return [(one.event.action, one.event.severity, one.event.message) for one in records]


async def test_the_strongest_evidence_with_a_fresh_nonce(data_dir: Path) -> None:
    async with session_of() as session:
        told: list[AttestationRecord] = []
        session.attestations.changes.subscribe(told.append)
        assert session.attestations.formats(GUEST.id) == (SNP, TPM)
        assert session.attestations.reason(GUEST.id) == ""
        first = await session.attestations.refresh(GUEST.id)
        second = await session.attestations.refresh(GUEST.id, TPM)

        assert told == [first, second]
        assert first.verdict.trusted
        assert first.verdict.emulated
        assert (first.occasion, first.by, first.instance_id) == (Occasion.REFRESH, CHIP, GUEST.id)
        assert first.verdict.claim("measurement") == SNP_MEASUREMENT.hex()
        assert first.verdict.claim("report_data") == first.nonce.hex().ljust(128, "0")
        assert (first.evidence.format, second.evidence.format) == (SNP, TPM)
        assert first.nonce != second.nonce
        assert vouching(session).nonces == [first.nonce, second.nonce]
        assert [line.id for line in await session.attestations.history(GUEST.id)] == [second.id, first.id]
        assert await session.attestations.record(first.id) == first
        assert [action for action, _, _ in await events(session, "attestation.")] == ["attestation.trusted"] * 2


async def test_a_replayed_report_is_a_record_that_is_not_trusted() -> None:
    async with session_of() as session:
        vouching(session).replayed = bytes(32)
        record = await session.attestations.refresh(GUEST.id)
        assert not record.verdict.trusted
        assert "report-data-mismatch" in {finding.code for finding in record.verdict.findings}
        ((_, severity, message),) = await events(session, "attestation.untrusted")
        assert severity is Severity.WARNING
        assert "may be old" in message
        (line,) = await session.attestations.history(GUEST.id)
        assert not line.trusted
        assert line.errors == 1
        assert session.inventory.get(GUEST.id).trust is Trust.UNTRUSTED


async def test_what_is_no_evidence_is_the_guests_fault_and_no_record() -> None:
    async with session_of() as session:
        vouching(session).garbage = b"\0" * 7
        with pytest.raises(GuestFault, match="guest"):
            await session.attestations.refresh(GUEST.id)
        assert await session.attestations.history(GUEST.id) == []


async def test_why_nothing_can_be_asked_for() -> None:
    stopped = make_instance("stopped", state=InstanceState.STOPPED)
    async with session_of(PLAIN, stopped, GUEST) as session:
        assert "has no vTPM" in session.attestations.reason(PLAIN.id)
        assert "stopped is stopped" in session.attestations.reason(stopped.id)
        assert "does not exist" in session.attestations.reason("nobody")
        for one in (PLAIN.id, stopped.id, "nobody"):
            assert session.attestations.formats(one) == ()
        with pytest.raises(Unsupported, match="vTPM"):
            await session.attestations.refresh(PLAIN.id)
        with pytest.raises(Unsupported, match="cannot give a TDX quote; it can give: SNP report, TPM quote"):
            await session.attestations.refresh(GUEST.id, EvidenceFormat.TDX_QUOTE)
        with pytest.raises(NotFound):
            await session.attestations.refresh("nobody")
    async with session_of(GUEST, provider=FakeProvider((GUEST,))) as session:
        assert session.attestations.reason(GUEST.id) == "The fake provider cannot do this"


async def test_a_console_that_only_reads_asks_nobody_and_forgets_nothing(tmp_path: Path) -> None:
    async with session_of(readonly_reason="Another console has it open") as session:
        assert "Another console has it open" in session.attestations.reason(GUEST.id)
        with pytest.raises(Unsupported):
            await session.attestations.refresh(GUEST.id)
        with pytest.raises(ReadOnly):
            await session.attestations.forget_baseline(GUEST.id, TPM)
        assert not vouching(session).nonces


async def test_freshness_follows_the_verdicts_and_the_setting() -> None:
    async with session_of() as session:
        asked = session.attestations.freshness
        assert asked(session.inventory.get(GUEST.id)) is Freshness.NEVER
        assert asked(session.inventory.get(PLAIN.id)) is Freshness.NOT_APPLICABLE
        record = await session.attestations.refresh(GUEST.id)
        guest = session.inventory.get(GUEST.id)
        assert guest.attested_at == record.at
        assert asked(guest) is Freshness.FRESH
        assert asked(guest, record.at + 24 * 3600 + 1) is Freshness.STALE
        session.settings.put(MAX_AGE_SETTING, 60)
        assert [asked(guest, record.at + age) for age in (60, 61)] == [Freshness.FRESH, Freshness.STALE]
        for nonsense in (-1, True, "soon", 0.0):
            session.settings.put(MAX_AGE_SETTING, nonsense)
            assert asked(guest, record.at + 3600) is Freshness.FRESH
        assert asked(replace(guest, state=InstanceState.STOPPED)) is Freshness.NOT_APPLICABLE


async def test_a_baseline_is_accepted_compared_with_and_forgotten() -> None:
    async with session_of() as session:
        attestations = session.attestations
        good = await attestations.refresh(GUEST.id, TPM)
        assert await attestations.baseline(GUEST.id, TPM) is None
        assert await attestations.drift(good.id) == ()
        baseline = await attestations.accept_baseline(good.id)
        assert baseline.origin is BaselineOrigin.GIVEN
        assert await attestations.baseline(GUEST.id, TPM) == baseline

        vouching(session).booted = {**values(range(8)), 4: b"\4" * 32}
        other = await attestations.refresh(GUEST.id, TPM)
        (drift,) = await attestations.drift(other.id)
        assert (drift.component, drift.actual) == ("PCR 4: boot loader and kernel", "04" * 32)
        assert await attestations.drift(good.id) == ()

        vouching(session).replayed = bytes(32)
        untrusted = await attestations.refresh(GUEST.id, TPM)
        with pytest.raises(InvalidInput, match="not trusted"):
            await attestations.accept_baseline(untrusted.id)
        await attestations.forget_baseline(GUEST.id, TPM)
        assert await attestations.baseline(GUEST.id, TPM) is None
        assert await attestations.drift(other.id) == ()


async def test_what_is_known_goes_with_the_instance() -> None:
    async with session_of() as session:
        record = await session.attestations.refresh(GUEST.id, TPM)
        await session.attestations.accept_baseline(record.id)
        session.inventory.forget(GUEST.id)

        async def known() -> bool:
            return bool(await session.attestations.history(GUEST.id))

        removed: list[object] = []
        session.inventory.changes.subscribe(removed.append)
        await until(lambda: bool(removed))
        assert not await known()
        with pytest.raises(NotFound):
            await session.attestations.record(record.id)


async def test_chips_and_what_they_reported() -> None:
    async with session_of() as session:
        record = await session.attestations.refresh(GUEST.id)
        (chip,) = await session.attestations.chips()
        assert chip == record.verdict.claim("chip_id")
        (point,) = await session.attestations.tcb_timeline(chip)
        assert point.reported["snp"] == 24
