"""Logs of a boot that nobody signs: compared all the same, and never taken for more than they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat, ReferenceValues
from confvm_gui.domain.attestation_record import BaselineOrigin
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import ConfvmError, InvalidInput, Transient, Unsupported
from confvm_gui.domain.event import Severity
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.instance import Trust
from confvm_gui.engine.vtpm.event_log import EventLogWriter, EventType, MeasuredEvent
from confvm_gui.fleet.attest.monitor import IntegrityMonitor
from confvm_gui.fleet.session import FleetSession
from tests.support.embedded_rig import launch_request
from tests.support.patience import until
from tests.support.vouching_provider import VouchingProvider
from tests.unit.fleet.test_attest_gate import create
from tests.unit.fleet.test_attestations import events, session_of
from tests.unit.fleet.test_integrity_monitor import heard, start_again

LOG, QUOTE = EvidenceFormat.TCG_EVENT_LOG, EvidenceFormat.TPM_QUOTE
REQUEST = replace(launch_request(), technology=Technology.NONE, attest=False)


class Logging(VouchingProvider):
    """Reads logs out of memory, and has a quote only where `failure` is None."""

    def __init__(self, failure: ConfvmError | None) -> None:
        super().__init__()
        self.failure = failure
        self.command_line = "quiet"
        self.quotes_asked = 0

    def evidence_formats(self, instance_id: str) -> Sequence[EvidenceFormat]:
        found = super().evidence_formats(instance_id)
        return (*found, LOG) if QUOTE in found else found

    async def evidence(self, instance_id: str, form: EvidenceFormat, nonce: bytes) -> GuestEvidence:
        if form is LOG:
            return GuestEvidence(Evidence(self._log(), LOG), Endorsements(), ReferenceValues(), chip="host")
        self.quotes_asked += 1
        if self.failure is not None:
            raise self.failure
        return await super().evidence(instance_id, form, nonce)

    def _log(self) -> bytes:
        log = EventLogWriter()
        command = self.command_line.encode()
        measured = [MeasuredEvent(pcr, EventType.EV_SEPARATOR, bytes(4)) for pcr in range(8)]
        measured.append(MeasuredEvent(8, EventType.EV_IPL, b"kernel_cmdline: " + command, command))
        for event in measured:
            log.add(event, event.digests())
        return log.to_bytes()


def hurry(session: FleetSession, boot_seconds: float = 0.0) -> IntegrityMonitor:
    """A monitor beside the session's own, which waits for the usual times."""
    return IntegrityMonitor(
        session.attestations, session.inventory, session.events, boot_seconds=boot_seconds, pause_seconds=0.0
    )


@pytest.mark.parametrize("failure", [Unsupported("The guest has no tools"), Transient("No agent answers")])
async def test_without_a_quote_the_log_alone_is_watched(failure: ConfvmError) -> None:
    provider = Logging(failure)
    async with session_of(provider=provider) as session:
        await session.integrity.aclose()
        monitor = hurry(session)
        told = heard(session)
        await create(session, REQUEST)
        await until(lambda: "integrity.learned" in told)
        instance = session.inventory.find("probe")
        baseline = await session.attestations.baseline(instance.id, LOG)
        assert baseline is not None
        assert baseline.origin is BaselineOrigin.LEARNED
        assert instance.trust is not Trust.UNTRUSTED

        provider.command_line = "quiet init=/bin/sh"
        await start_again(session, instance)
        await until(lambda: "integrity.drift" in told)
        ((_, severity, message),) = await events(session, "integrity.drift")
        assert severity is Severity.WARNING
        assert "kernel command line" in message
        read = await events(session, "attestation.read")
        assert {severity for _, severity, _ in read} == {Severity.INFO}
        assert all("nobody signs it" in message for _, _, message in read)
        await monitor.aclose()


async def test_a_quote_is_waited_for_while_the_system_starts() -> None:
    provider = Logging(Transient("No agent answers yet"))
    async with session_of(provider=provider) as session:
        await session.integrity.aclose()
        monitor = hurry(session, boot_seconds=60.0)
        told = heard(session)
        await create(session, REQUEST)
        await until(lambda: provider.quotes_asked > 3)
        assert "integrity.learned" not in told
        provider.failure = None
        await until(lambda: "integrity.learned" in told)
        instance = session.inventory.find("probe")
        assert await session.attestations.baseline(instance.id, QUOTE) is not None
        assert await session.attestations.baseline(instance.id, LOG) is None
        await monitor.aclose()


async def test_a_check_of_a_power_on_that_is_over_ends() -> None:
    provider = Logging(Transient("No agent answers yet"))
    async with session_of(provider=provider) as session:
        await session.integrity.aclose()
        monitor = hurry(session, boot_seconds=60.0)
        told = heard(session)
        await create(session, REQUEST)
        await until(lambda: provider.quotes_asked > 1)
        await start_again(session, session.inventory.find("probe"))
        provider.failure = None
        await until(lambda: "integrity.learned" in told)
        await monitor.aclose()
        assert told.count("integrity.learned") == 1


async def test_an_accepted_log_is_the_baseline_and_a_broken_one_is_not() -> None:
    provider = Logging(None)
    async with session_of(provider=provider) as session:
        await create(session, replace(REQUEST, integrity_monitoring=False))
        instance = session.inventory.find("probe")
        record = await session.attestations.refresh(instance.id, LOG)
        assert not record.verdict.trusted
        assert session.inventory.get(instance.id).trust is Trust.NOT_APPLICABLE
        assert (await session.attestations.accept_baseline(record.id)).origin is BaselineOrigin.GIVEN

        provider.command_line = "quiet single"
        changed = await session.attestations.refresh(instance.id, LOG)
        drift = await session.attestations.drift(changed.id)
        assert [one.component for one in drift] == ["PCR 8: kernel command line"]

        provider.replayed = bytes(32)
        forged = await session.attestations.refresh(instance.id, QUOTE)
        with pytest.raises(InvalidInput, match="not trusted"):
            await session.attestations.accept_baseline(forged.id)
        assert session.inventory.get(instance.id).trust is Trust.UNTRUSTED
