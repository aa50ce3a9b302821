"""Before a key is released: launches are approved by the verifier, and what is not expected gets nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from confvm_gui.domain.attestation_record import Occasion
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import BugError, EvidenceRefused
from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest, Trust
from confvm_gui.domain.operation import Operation, OperationKind, OperationStatus
from confvm_gui.domain.ports.provider import OperationContext
from confvm_gui.fleet.session import FleetSession
from tests.support.embedded_rig import launch_request
from tests.support.jobs_rig import Troubled, rig
from tests.support.vouching_provider import DIFFERS, DIGEST, OTHER_DIGEST, VouchingProvider
from tests.unit.fleet.test_attestations import GUEST, events, session_of, vouching


async def run(session: FleetSession, operation: Operation) -> Operation:
    return await session.jobs.wait(operation.id)


async def create(session: FleetSession, request: LaunchRequest | None = None) -> Operation:
    return await run(session, await session.jobs.create(request or launch_request()))


async def act(session: FleetSession, kind: OperationKind, instance: Instance) -> Operation:
    return await run(session, (await session.jobs.act(kind, [instance.id]))[0])


async def test_a_launch_that_is_expected_is_approved_and_shows() -> None:
    async with session_of() as session:
        assert (await create(session)).status is OperationStatus.SUCCEEDED
        instance = session.inventory.find("probe")
        (line,) = await session.attestations.history(instance.id)
        assert (line.occasion, line.trusted, line.measurement) == (Occasion.LAUNCH, True, DIGEST.hex())
        assert (instance.trust, instance.trust_by) == (Trust.MEASURED, "SEV launch measurement")
        assert instance.trust_at == instance.attested_at == line.at
        assert vouching(session).approved == [instance.id]


async def test_a_launch_that_is_not_expected_is_refused_in_words() -> None:
    async with session_of() as session:
        provider = vouching(session)
        provider.digest = OTHER_DIGEST
        operation = await create(session)
        assert operation.status is OperationStatus.FAILED
        assert DIFFERS in operation.error
        assert "no key was released" in operation.error
        assert operation.attempts == 1
        assert provider.approved == []
        assert operation.instance_id not in provider.known
        # The verdict outlives the launch that came to nothing.
        (line,) = await session.attestations.history(operation.instance_id)
        record = await session.attestations.record(line.id)
        assert (record.differs, record.verdict.trusted, record.occasion) == (DIFFERS, False, Occasion.LAUNCH)
        ((_, severity, message),) = await events(session, "attestation.launch-refused")
        assert severity is Severity.ERROR
        assert DIFFERS in message


async def test_the_error_carries_both_measurements() -> None:
    async with session_of() as session:
        provider = VouchingProvider()
        provider.digest = OTHER_DIGEST
        with pytest.raises(EvidenceRefused) as refused:
            await session.attestations.approve("i", "probe", provider.launch_evidence())
        error = refused.value
        assert (error.expected, error.actual, error.differs) == (DIGEST.hex(), OTHER_DIGEST.hex(), DIFFERS)
        assert (await session.attestations.record(error.record_id)).instance_id == "i"

        unknown = replace(provider.launch_evidence(), candidates=())
        with pytest.raises(EvidenceRefused) as refused:
            await session.attestations.approve("i", "probe", unknown)
        error = refused.value
        record = await session.attestations.record(error.record_id)
        assert (error.expected, error.differs) == (DIGEST.hex(), "")
        assert error.actual == record.verdict.claim("launch_measure")
        assert "expected was" in error.message


async def test_what_cannot_be_read_or_verified_is_refused() -> None:
    async with session_of() as session:
        provider = VouchingProvider()
        provider.garbage = b"{}"
        with pytest.raises(EvidenceRefused, match="cannot be read") as refused:
            await session.attestations.approve("i", "probe", provider.launch_evidence())
        assert refused.value.record_id == ""
        provider.garbage = b""
        keyless = provider.launch_evidence()
        keyless = replace(keyless, reference=replace(keyless.reference, launch_key=None))
        with pytest.raises(EvidenceRefused, match="TIK"):
            await session.attestations.approve("i", "probe", keyless)


async def test_unasked_means_unasked() -> None:
    async with session_of() as session:
        vouching(session).digest = OTHER_DIGEST
        request = replace(launch_request(), attest=False)
        assert (await create(session, request)).status is OperationStatus.SUCCEEDED
        instance = session.inventory.find("probe")
        assert instance.trust is Trust.UNKNOWN
        assert await session.attestations.history(instance.id) == []


async def test_trust_lasts_until_the_power_on_ends() -> None:
    async with session_of() as session:
        await create(session, launch_request(technology=Technology.SEV))
        instance = session.inventory.find("probe")
        record = await session.attestations.refresh(instance.id)
        shown = session.inventory.get(instance.id)
        assert (shown.trust, shown.trust_by) == (Trust.TRUSTED, "SNP report, emulated root")
        assert shown.attested_at == record.at

        for kind in (OperationKind.PAUSE, OperationKind.RESUME):
            assert (await act(session, kind, instance)).status is OperationStatus.SUCCEEDED
            assert session.inventory.get(instance.id).trust is Trust.TRUSTED
        assert (await act(session, OperationKind.RESET, instance)).status is OperationStatus.SUCCEEDED
        shown = session.inventory.get(instance.id)
        assert (shown.trust, shown.trust_by) == (Trust.MEASURED, "SEV launch measurement")

        await session.attestations.refresh(instance.id)
        assert (await act(session, OperationKind.STOP, instance)).status is OperationStatus.SUCCEEDED
        shown = session.inventory.get(instance.id)
        assert (shown.trust, shown.attested_at) == (Trust.UNKNOWN, None)

        vouching(session).digest = OTHER_DIGEST
        assert (await act(session, OperationKind.START, instance)).status is OperationStatus.FAILED
        shown = session.inventory.get(instance.id)
        assert (shown.state, shown.trust) == (InstanceState.STOPPED, Trust.UNKNOWN)
        lines = await session.attestations.history(instance.id)
        assert (lines[0].occasion, lines[0].trusted) == (Occasion.LAUNCH, False)
        assert sum(line.occasion is Occasion.LAUNCH for line in lines) == 3


async def test_a_bad_quote_is_not_outweighed_and_a_good_one_is_no_proof() -> None:
    async with session_of() as session:
        provider = vouching(session)
        quote = await session.attestations.refresh(GUEST.id, session.attestations.formats(GUEST.id)[1])
        shown = session.inventory.get(GUEST.id)
        assert (shown.trust, shown.attested_at) == (Trust.UNKNOWN, quote.at)
        provider.replayed = bytes(32)
        await session.attestations.refresh(GUEST.id, session.attestations.formats(GUEST.id)[1])
        provider.replayed = None
        await session.attestations.refresh(GUEST.id)
        assert session.inventory.get(GUEST.id).trust is Trust.UNTRUSTED
        await session.attestations.refresh(GUEST.id, session.attestations.formats(GUEST.id)[1])
        assert session.inventory.get(GUEST.id).trust is Trust.TRUSTED


class Prying(Troubled):
    """Asks for approval where nothing is launched, and without a verifier."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Exception] = []

    async def create(self, request: LaunchRequest, operation: OperationContext) -> Instance:
        await self._try(operation)
        raise self.answers[-1]

    async def delete(self, instance_id: str, operation: OperationContext) -> None:
        await self._try(operation)

    async def _try(self, operation: OperationContext) -> None:
        try:
            await operation.approve(VouchingProvider().launch_evidence())
        except (EvidenceRefused, BugError) as error:
            self.answers.append(error)


async def test_without_a_verifier_everything_is_refused_and_undoing_never_asks() -> None:
    provider = Prying()
    async with rig(provider=provider) as jobs:
        operation = await jobs.done(await jobs.create())
    assert operation.status is OperationStatus.FAILED
    assert [type(answer) for answer in provider.answers] == [EvidenceRefused, BugError]
