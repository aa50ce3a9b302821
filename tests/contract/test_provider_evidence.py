"""What every provider promises that can be asked who vouches for its instances, or that can move them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import EvidenceRefused, NotFound, Unsupported, WrongState
from confvm_gui.domain.guest_evidence import NONCE_SIZE, GuestEvidence
from confvm_gui.domain.instance import HostMaintenance, Instance, InstanceState, LaunchRequest
from confvm_gui.domain.ports.provider import CanMigrate, Capability, HasEvidence, Provider
from tests.support.embedded_rig import embedded, launch_request
from tests.support.operations import OperationRecord, verdict_of
from tests.support.vouching_provider import VouchingProvider

MIGRATABLE = Technology.SEV


class Vouching(Provider, HasEvidence, CanMigrate, Protocol):
    """A provider with both powers."""


@asynccontextmanager
async def opened(kind: str, data_dir: Path) -> AsyncIterator[Vouching]:
    if kind == "embedded":
        async with embedded(data_dir) as provider:
            yield provider
    else:
        stand_in = VouchingProvider()
        await stand_in.connect()
        yield stand_in
        await stand_in.aclose()


@pytest.fixture(params=["embedded", "fake"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def make(provider: Provider, technology: Technology, *, attest: bool = True) -> tuple[Instance, OperationRecord]:
    operation = OperationRecord()
    request = replace(launch_request(technology=technology), attest=attest)
    return await provider.create(request, operation), operation


async def state_of(provider: Provider, instance_id: str) -> Instance | None:
    found = [one async for page in provider.instances() for one in page if one.id == instance_id]
    return found[0] if found else None


def carries(guest: GuestEvidence, nonce: bytes) -> bool:
    """Whether the verified claim has the nonce, whole or as far as its format has room, itself or its hash."""
    said = bytes.fromhex(str(verdict_of(guest).claim("report_data")))
    return any(part in said for part in (nonce, nonce[:16], hashlib.sha256(nonce).digest()))


async def test_the_powers_are_those_that_it_names(kind: str, data_dir: Path) -> None:
    async with opened(kind, data_dir) as provider:
        plain: Provider = provider
        assert isinstance(plain, HasEvidence)
        assert isinstance(plain, CanMigrate)
        assert Capability.ATTESTATION in plain.capabilities
        assert Capability.MIGRATION in plain.capabilities


@pytest.mark.parametrize("technology", [Technology.SEV, Technology.SEV_SNP])
async def test_a_launch_is_approved_before_it_has_keys(kind: str, data_dir: Path, technology: Technology) -> None:
    async with opened(kind, data_dir) as provider:
        made, operation = await make(provider, technology)
        assert made.state is InstanceState.RUNNING
        (launch,) = operation.launches
        # Verified while it was asked (OperationRecord): the owner destroys the session key with the release.
        assert launch.reference.measurements
        for power_on in (provider.reset, provider.start):
            if power_on == provider.start:
                await provider.stop(made.id, OperationRecord(made.id))
            again = OperationRecord(made.id)
            assert (await power_on(made.id, again)).state is InstanceState.RUNNING
            assert len(again.launches) == 1


@pytest.mark.parametrize("technology", [Technology.SEV, Technology.SEV_SNP])
async def test_a_launch_that_is_refused_leaves_nothing(kind: str, data_dir: Path, technology: Technology) -> None:
    async def refuse(_launch: GuestEvidence) -> None:
        raise EvidenceRefused("No")

    async with opened(kind, data_dir) as provider:
        operation = OperationRecord(approve=refuse)
        with pytest.raises(EvidenceRefused):
            await provider.create(launch_request(technology=technology), operation)
        await provider.delete(operation.instance_id, OperationRecord(operation.instance_id))
        assert await state_of(provider, operation.instance_id) is None
        made, _ = await make(provider, technology)
        await provider.stop(made.id, OperationRecord(made.id))
        with pytest.raises(EvidenceRefused):
            await provider.start(made.id, OperationRecord(made.id, approve=refuse))
        left = await state_of(provider, made.id)
        assert left is not None
        assert not left.state.is_live
        assert (await provider.start(made.id, OperationRecord(made.id))).state is InstanceState.RUNNING


async def test_nobody_asks_where_that_was_not_wanted(kind: str, data_dir: Path) -> None:
    async with opened(kind, data_dir) as provider:
        for technology in (Technology.SEV, Technology.NONE):
            made, operation = await make(provider, technology, attest=technology is Technology.NONE)
            assert operation.launches == []
            await provider.delete(made.id, OperationRecord(made.id))


@pytest.mark.parametrize("technology", [Technology.SEV, Technology.SEV_SNP, Technology.NONE])
async def test_evidence_carries_the_nonce_and_verifies(kind: str, data_dir: Path, technology: Technology) -> None:
    async with opened(kind, data_dir) as provider:
        made, _ = await make(provider, technology)
        formats = provider.evidence_formats(made.id)
        assert EvidenceFormat.TPM_QUOTE in formats
        assert (len(formats) > 1) is (technology is not Technology.NONE)
        for form in formats:
            nonces = [secrets.token_bytes(NONCE_SIZE) for _ in range(2)]
            given = [await provider.evidence(made.id, form, nonce) for nonce in nonces]
            for guest, nonce in zip(given, nonces, strict=True):
                verdict = verdict_of(guest)
                assert verdict.format is form
                assert verdict.trusted, verdict.findings
                assert carries(guest, nonce)
                assert guest.chip
            # What one nonce was given does not pass for what the other was asked for.
            crossed = replace(given[0], reference=given[1].reference)
            assert not verdict_of(crossed).trusted


async def test_what_does_not_run_gives_no_evidence(kind: str, data_dir: Path) -> None:
    async with opened(kind, data_dir) as provider:
        made, _ = await make(provider, Technology.SEV)
        await provider.stop(made.id, OperationRecord(made.id))
        assert list(provider.evidence_formats(made.id)) == []
        with pytest.raises((WrongState, Unsupported)):
            await provider.evidence(made.id, EvidenceFormat.TPM_QUOTE, bytes(NONCE_SIZE))
        with pytest.raises(NotFound):
            provider.evidence_formats("0" * 32)
        with pytest.raises(NotFound):
            await provider.evidence("0" * 32, EvidenceFormat.TPM_QUOTE, bytes(NONCE_SIZE))


async def test_an_instance_moves_to_another_host_and_is_vouched_for_there(kind: str, data_dir: Path) -> None:
    async with opened(kind, data_dir) as provider:
        operation = OperationRecord()
        made = await provider.create(migratable(MIGRATABLE), operation)
        hosts = [host.name for host in provider.hosts()]
        assert made.host in hosts
        assert provider.migration_unfit(made.id) == ""
        (other,) = [name for name in hosts if name != made.host]
        moved = await provider.migrate(made.id, other, OperationRecord(made.id))
        assert (moved.host, moved.state) == (other, InstanceState.RUNNING)
        assert await state_of(provider, made.id) == moved
        nonce = secrets.token_bytes(NONCE_SIZE)
        for form in provider.evidence_formats(made.id):
            assert verdict_of(await provider.evidence(made.id, form, nonce)).trusted


def migratable(technology: Technology) -> LaunchRequest:
    return replace(launch_request(technology=technology), host_maintenance=HostMaintenance.MIGRATE)


async def test_what_cannot_move_says_why_and_runs_on(kind: str, data_dir: Path) -> None:
    async with opened(kind, data_dir) as provider:
        made, _ = await make(provider, Technology.SEV_SNP)
        assert provider.migration_unfit(made.id)
        with pytest.raises(NotFound):
            provider.migration_unfit("0" * 32)
        left = await state_of(provider, made.id)
        assert left is not None
        assert left.state is InstanceState.RUNNING
