"""Attestation through a whole session: embedded instances, the real verifier, the real store."""

from __future__ import annotations

from pathlib import Path

from confvm_gui.app.bootstrap import open_session
from confvm_gui.domain.attestation_record import Occasion
from confvm_gui.domain.instance import InstanceState, Trust
from confvm_gui.domain.operation import OperationKind, OperationStatus
from confvm_gui.fleet.attest.freshness import Freshness
from tests.support.embedded_rig import files_with, launch_request
from tests.support.patience import until


async def test_a_launch_a_refresh_and_a_restart_are_there_after_reopening(data_dir: Path) -> None:
    session = await open_session(data_dir, workers=1)
    heard: list[str] = []
    session.events.changes.subscribe(lambda event: heard.append(event.action))
    try:
        await session.connect()
        operation = await session.jobs.wait((await session.jobs.create(launch_request())).id)
        assert operation.status is OperationStatus.SUCCEEDED
        instance = session.inventory.find("probe")
        assert (instance.trust, instance.emulated) == (Trust.TRUSTED, True)
        assert instance.trust_by.endswith("emulated root")
        assert session.attestations.freshness(instance) is Freshness.FRESH
        await until(lambda: "integrity.learned" in heard)
        record = await session.attestations.refresh(instance.id)
        assert record.verdict.trusted, record.verdict.findings
        reset = (await session.jobs.act(OperationKind.RESET, [instance.id]))[0]
        assert (await session.jobs.wait(reset.id)).status is OperationStatus.SUCCEEDED
        assert session.inventory.get(instance.id).trust is Trust.TRUSTED
        await until(lambda: heard.count("attestation.trusted") == 5)
        assert "integrity.drift" not in heard
    finally:
        await session.aclose()

    later = await open_session(data_dir, readonly=True)
    try:
        assert later.inventory.get(instance.id).state is InstanceState.STOPPED
        assert later.inventory.get(instance.id).attested_at is None
        lines = await later.attestations.history(instance.id)
        assert sorted(line.occasion for line in lines) == sorted(
            (Occasion.LAUNCH, Occasion.LAUNCH, Occasion.INTEGRITY, Occasion.INTEGRITY, Occasion.REFRESH)
        )
        assert await later.attestations.record(record.id) == record
        await later.attestations.export(record.id, data_dir / "bundle.zip")
        assert len(files_with(data_dir, b"PK\x03\x04")) == 1
    finally:
        await later.aclose()


async def test_endorsements_have_a_place_that_is_made_when_it_is_asked_for(data_dir: Path) -> None:
    session = await open_session(data_dir, workers=1)
    try:
        cache = session.endorsements
        assert cache is not None
        assert session.endorsements is cache
        assert cache.entries() == []
        assert session.attestations.find_endorsements() is cache
    finally:
        await session.aclose()
