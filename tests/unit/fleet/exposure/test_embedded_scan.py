"""An exposure scan over embedded instances: what the emulated host reads of a guest's records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.event import Severity
from confvm_gui.domain.exposure import ExposureResult, Readability, TermExposure
from confvm_gui.domain.memory import PageKind, Viewer
from confvm_gui.domain.operation import OperationStatus
from confvm_gui.fleet.exposure.canary import in_records, make_canary
from confvm_gui.fleet.exposure.scan import ExposureProgress
from confvm_gui.fleet.exposure.terms import canary_term, numbered, text_term
from confvm_gui.fleet.session import FleetSession
from confvm_gui.providers.embedded.provider import EmbeddedProvider
from tests.support.embedded_rig import SECRET_FIELD, SpyKeyStore, catalog, host_keys, ready, small_site, write_records
from tests.support.embedded_window import window_request
from tests.support.fake_session import MemoryStore

TERMS = numbered([text_term(SECRET_FIELD, "note"), text_term("nobody ever wrote this sentence", "nothing")])
BOTH = (Viewer.HYPERVISOR, Viewer.GUEST)


@asynccontextmanager
async def running(data_dir: Path, technology: Technology, records: Path) -> AsyncIterator[tuple[FleetSession, str]]:
    """A session with one embedded instance that has read its records; and its id."""
    provider = EmbeddedProvider(data_dir, catalog(), SpyKeyStore(), make_site=small_site, make_keys=host_keys)
    session = await FleetSession.begin(catalog(), {provider.name: provider}, MemoryStore(), data_dir)
    try:
        await session.connect()
        await session.inventory.connected(provider.name)
        operation = await session.jobs.create(window_request(technology, records))
        operation = await session.jobs.wait(operation.id)
        assert operation.status is OperationStatus.SUCCEEDED, operation.error
        await ready(provider, operation.instance_id)
        yield session, operation.instance_id
    finally:
        await session.aclose()


def of(result: ExposureResult, label: str, viewer: Viewer) -> TermExposure:
    (found,) = [each for each in result.exposures if each.term.label == label and each.viewer is viewer]
    return found


@pytest.mark.parametrize("technology", [Technology.SEV, Technology.SEV_SNP])
async def test_host_of_a_confidential_guest_reads_no_record(
    data_dir: Path, tmp_path: Path, technology: Technology
) -> None:
    async with running(data_dir, technology, write_records(tmp_path)) as (session, instance_id):
        result = await session.exposures.scan(instance_id, TERMS, BOTH)
        assert result.complete
        assert of(result, "note", Viewer.HYPERVISOR).readability is Readability.NOT_FOUND
        assert result.readable_by_host == ()
        inside = of(result, "note", Viewer.GUEST)
        assert inside.readability is Readability.READABLE
        assert [kind for kind, _ in inside.counts] == [PageKind.PLAINTEXT]
        assert inside.count >= 12  # one for each row
        assert of(result, "nothing", Viewer.GUEST).readability is Readability.NOT_FOUND
        assert session.exposures.last(instance_id) is result
        (event,) = [one.event for one in await session.events.read(limit=5) if one.event.action == "exposure.scan"]
        assert event.severity is Severity.INFO
        assert "None of 2" in event.message


async def test_host_of_a_plain_guest_reads_the_records_at_their_places(data_dir: Path, tmp_path: Path) -> None:
    canary = make_canary()
    planted = tmp_path / "planted.csv"
    in_records(write_records(tmp_path), planted, canary)
    async with running(data_dir, Technology.NONE, planted) as (session, instance_id):
        terms = numbered([*TERMS, replace(canary_term(canary.token), label="canary")])
        result = await session.exposures.scan(instance_id, terms)
        found = of(result, "note", Viewer.HYPERVISOR)
        assert found.readability is Readability.READABLE
        assert {each.term.label for each in result.readable_by_host} == {"note", "canary"}
        memory = session.memory(instance_id, Viewer.HYPERVISOR)
        for place in found.places[:12]:
            page = place.gpa // memory.granularity * memory.granularity
            data = (await memory.read(page, 2 * memory.granularity)).data[place.gpa - page :]
            assert data.startswith(SECRET_FIELD.encode())
        assert SECRET_FIELD not in repr(result)
        assert result.scans[0].skipped > result.scans[0].searched  # RAM that nobody ever wrote is not read


async def test_cancelled_scan_is_kept_as_unfinished_and_another_can_follow(data_dir: Path, tmp_path: Path) -> None:
    async with running(data_dir, Technology.SEV, write_records(tmp_path)) as (session, instance_id):

        def cancel(_: ExposureProgress) -> None:
            scan.cancel()

        scan = asyncio.create_task(session.exposures.scan(instance_id, TERMS, BOTH, cancel))
        with pytest.raises(asyncio.CancelledError):
            await scan
        last = session.exposures.last(instance_id)
        assert last is not None
        assert not last.complete
        assert (await session.exposures.scan(instance_id, TERMS)).complete
