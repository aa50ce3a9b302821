"""Integrity monitoring: the first start is learned, a later one that differs is told by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.attestation_record import BaselineOrigin, Occasion
from confvm_gui.domain.errors import ConfvmError, FirmwareError, NotFound
from confvm_gui.domain.event import Severity
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.instance import Instance, Trust
from confvm_gui.domain.operation import OperationKind
from confvm_gui.fleet.session import FleetSession
from tests.support.embedded_rig import launch_request
from tests.support.patience import until
from tests.support.vouching_provider import VouchingProvider
from tests.unit.attestation.test_tpm_quotes import values
from tests.unit.fleet.test_attest_gate import act, create
from tests.unit.fleet.test_attestations import events, session_of, vouching

TPM = EvidenceFormat.TPM_QUOTE
CHANGED = {**values(range(8)), 4: b"\4" * 32, 7: b"\7" * 32}


async def actions(session: FleetSession) -> list[str]:
    return [action for action, _, _ in await events(session, "integrity.")]


def heard(session: FleetSession) -> list[str]:
    """Actions of events from now on."""
    told: list[str] = []
    session.events.changes.subscribe(lambda event: told.append(event.action))
    return told


async def start_again(session: FleetSession, instance: Instance) -> None:
    for kind in (OperationKind.STOP, OperationKind.START):
        await act(session, kind, instance)


async def test_the_first_start_is_learned_and_a_changed_one_told() -> None:
    async with session_of() as session:
        told = heard(session)
        await create(session)
        instance = session.inventory.find("probe")
        await until(lambda: "integrity.learned" in told)
        baseline = await session.attestations.baseline(instance.id, TPM)
        assert baseline is not None
        assert baseline.origin is BaselineOrigin.LEARNED

        taken = [line for line in await session.attestations.history(instance.id) if line.format is TPM]
        assert [line.occasion for line in taken] == [Occasion.INTEGRITY]
        vouching(session).booted = CHANGED
        await start_again(session, instance)
        await until(lambda: "integrity.drift" in told)
        ((_, severity, message),) = await events(session, "integrity.drift")
        assert severity is Severity.WARNING
        assert "PCR 4: boot loader and kernel" in message
        assert "PCR 7: Secure Boot" in message
        assert session.inventory.get(instance.id).trust is Trust.MEASURED
        assert await session.attestations.baseline(instance.id, TPM) == baseline


async def test_the_same_boot_is_no_news() -> None:
    async with session_of() as session:
        told = heard(session)
        await create(session)
        await until(lambda: "integrity.learned" in told)
        await start_again(session, session.inventory.find("probe"))
        await until(lambda: told.count("attestation.trusted") == 4)
        assert await actions(session) == ["integrity.learned"]


async def test_an_untrusted_quote_teaches_nothing() -> None:
    async with session_of() as session:
        told = heard(session)
        vouching(session).replayed = bytes(32)
        await create(session)
        await until(lambda: "attestation.untrusted" in told)
        assert await actions(session) == []
        assert await session.attestations.baseline(session.inventory.find("probe").id, TPM) is None


class Deaf(VouchingProvider):
    """Fails when it is asked."""

    def __init__(self, error: ConfvmError) -> None:
        super().__init__()
        self.error = error
        self.asked = 0

    async def evidence(self, instance_id: str, form: EvidenceFormat, nonce: bytes) -> GuestEvidence:
        self.asked += 1
        raise self.error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (FirmwareError("TPM2_Quote", 1, "TPM_RC_FAILURE", "The vTPM failed"), ["integrity.unchecked"]),
        (NotFound("This instance does not exist any more"), []),
    ],
)
async def test_a_check_that_cannot_be_made_is_told_unless_nothing_is_left_to_check(
    error: ConfvmError, expected: list[str]
) -> None:
    provider = Deaf(error)
    async with session_of(provider=provider) as session:
        await create(session)
        await until(lambda: provider.asked == 1)
        await session.integrity.aclose()
        assert await actions(session) == expected


async def test_only_those_that_ask_for_it_and_only_starts() -> None:
    async with session_of() as session:
        await create(session, replace(launch_request(), integrity_monitoring=False))
        await create(session, replace(launch_request("no-vtpm"), vtpm=False))
        instance = session.inventory.find("probe")
        for kind in (OperationKind.PAUSE, OperationKind.RESUME):
            await act(session, kind, instance)
        await session.integrity.aclose()
        assert vouching(session).nonces == []
        assert session.inventory.find("no-vtpm").integrity_monitoring
