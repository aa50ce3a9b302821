"""A Linux with UEFI and a vTPM on a real libvirtd: what it booted is read, replayed, quoted and watched.

OVMF measures into swtpm; QEMU's guest agent and tpm2-tools run in the guest as they do in a fleet.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.log import parse_event_log
from confvm_gui.attestation.eventlog.replay import replay_pcrs
from confvm_gui.attestation.verify import evaluate
from confvm_gui.catalog import load_catalog
from confvm_gui.domain.attestation import EvidenceFormat, EvidencePart, ReferenceValues
from confvm_gui.domain.attestation_record import AttestationRecord
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.event import Event, Severity
from confvm_gui.domain.images import ImageFiles, ImageKind
from confvm_gui.domain.instance import Instance, LaunchRequest, Trust
from confvm_gui.domain.operation import OperationKind, OperationStatus
from confvm_gui.fleet.session import FleetSession
from tests.support.fake_session import fake_session
from tests.support.libvirt_rig import HURRY, WatchedProvider
from tests.support.libvirtd import Daemon
from tests.support.linux_kernel import kernel_path
from tests.support.measured_guest import READY, measured_initramfs, printed_pcrs
from tests.support.patience import until
from tests.support.runners import Run
from tests.support.shelf_library import ShelfLibrary
from tests.support.tpm2_tools import QuoteFiles, check_quote, replay_log

QUOTE, LOG = EvidenceFormat.TPM_QUOTE, EvidenceFormat.TCG_EVENT_LOG
REQUEST = LaunchRequest(
    name="shielded",
    provider="libvirt-probe",
    cloud="libvirt",
    region="host",
    zone="host",
    machine_type="small-1",
    image="local:measured",
    technology=Technology.NONE,
    vtpm=True,
    integrity_monitoring=True,
)


class Fleet:
    """A session with one host, and the events of its log as they come."""

    def __init__(self, session: FleetSession, provider: WatchedProvider) -> None:
        self.session = session
        self._provider = provider
        self._told: asyncio.Queue[Event] = asyncio.Queue()
        session.events.changes.subscribe(self._told.put_nowait)

    async def hears(self, prefix: str) -> Event:
        """The next event whose action begins so; those before it are passed over."""
        while not (event := await self._told.get()).action.startswith(prefix):
            pass
        return event

    async def act(self, kind: OperationKind, instance: Instance) -> None:
        (operation,) = await self.session.jobs.act(kind, [instance.id])
        operation = await self.session.jobs.wait(operation.id)
        assert operation.status is OperationStatus.SUCCEEDED, operation.error

    async def create(self) -> Instance:
        operation = await self.session.jobs.wait((await self.session.jobs.create(REQUEST)).id)
        assert operation.status is OperationStatus.SUCCEEDED, operation.error
        return self.session.inventory.get(operation.instance_id)

    async def printed(self, instance: Instance) -> bytes:
        """What the guest has written to its serial port by the time that its agent is up."""
        printed = b""
        async for piece in self.session.console(instance.id).stream():
            printed += piece
            if READY in printed:
                break
        return printed

    async def set_command_line(self, instance: Instance, before: str, after: str) -> None:
        """As `virsh edit` does."""

        def work(conn: object) -> None:
            import libvirt

            assert isinstance(conn, libvirt.virConnect)
            xml = conn.lookupByUUIDString(instance.id).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
            assert before in xml
            conn.defineXML(xml.replace(before, after))

        await self._provider.connection.call(work)

    async def drift(self, record: AttestationRecord) -> list[str]:
        return [one.component for one in await self.session.attestations.drift(record.id)]


@asynccontextmanager
async def fleet_on(daemon: Daemon, folder: Path) -> AsyncIterator[Fleet]:
    initrd = folder / "initrd.img"
    initrd.write_bytes(measured_initramfs())
    library = ShelfLibrary()
    library.put("measured", ImageKind.KERNEL, ImageFiles(None, kernel_path(), initrd))
    provider = WatchedProvider("libvirt-probe", daemon.uri, library, load_catalog(), patience=HURRY, stop_seconds=0.2)
    session = await fake_session()
    try:
        await session.add_provider(provider)
        await session.inventory.connected(provider.name)
        yield Fleet(session, provider)
    finally:
        await session.aclose()
        for changes in provider.watched:
            await changes.aclose()


@pytest.mark.timeout(180)
def test_what_a_linux_boots_is_read_replayed_quoted_and_watched(
    libvirtd: Daemon, tmp_path: Path, asyncio_run: Run
) -> None:
    async def scenario() -> None:
        async with fleet_on(libvirtd, tmp_path) as fleet:
            attestations = fleet.session.attestations
            instance = await fleet.create()
            assert (instance.vtpm, instance.integrity_monitoring) == (True, True)
            printed = await fleet.printed(instance)
            booted = printed_pcrs(printed)
            assert set(booted) == set(range(16))
            learned = await fleet.hears("integrity.")
            assert (learned.action, learned.severity) == ("integrity.learned", Severity.INFO)
            first = await attestations.record(str(learned.detail["record"]))
            check_quoted(first, booted, tmp_path)

            # The same log without any help from the guest.
            await until(lambda: attestations.formats(instance.id) == (QUOTE, LOG))  # an event tells of the agent
            alone = await attestations.refresh(instance.id, LOG)
            assert alone.evidence.data == first.evidence.parts[EvidencePart.EVENT_LOG]
            assert [finding.code for finding in alone.verdict.findings if finding.severity is Severity.ERROR] == [
                "not-signed"
            ]
            check_replayed(alone.evidence.data, booted, tmp_path)
            assert fleet.session.inventory.get(instance.id).trust is Trust.NOT_APPLICABLE

            await fleet.act(OperationKind.STOP, instance)
            await fleet.set_command_line(instance, "panic=-1", "panic=-1 single")
            await fleet.act(OperationKind.START, instance)
            drifted = await fleet.hears("integrity.")
            assert (drifted.action, drifted.severity) == ("integrity.drift", Severity.WARNING)
            assert "PCR 9: kernel command line" in drifted.message
            second = await attestations.record(str(drifted.detail["record"]))
            assert second.verdict.trusted
            assert second.verdict.claim("ak.fingerprint") == first.verdict.claim("ak.fingerprint")
            assert await fleet.drift(second) == ["PCR 9: kernel command line"]

            assert list((libvirtd.root / "lib").rglob("*_VARS.fd"))
            await fleet.act(OperationKind.DELETE, instance)
            left = [path.name for path in (libvirtd.root / "lib").rglob("*")]
            assert not [name for name in left if name.endswith("_VARS.fd") or name.startswith("tpm2")]

    asyncio_run(scenario(), timeout=170)


def check_quoted(record: AttestationRecord, booted: dict[int, bytes], folder: Path) -> None:
    """The quote is good, says what the guest's kernel says, and is good to tpm2_checkquote as well."""
    verdict = record.verdict
    assert verdict.trusted
    assert verdict.claim("report_data") == record.nonce.hex()
    assert {f"pcr.sha256.{pcr}": value.hex() for pcr, value in booted.items()}.items() <= verdict.claim_values().items()
    told = {finding.code: finding.severity for finding in verdict.findings}
    assert told["key-on-its-word"] is Severity.WARNING
    reference = ReferenceValues(report_data=secrets.token_bytes(32), host_runs_tpm=True)
    assert not evaluate(record.evidence, record.endorsements, reference, datetime.now(UTC)).trusted
    parts = record.evidence.parts
    files = QuoteFiles(
        record.evidence.data,
        parts[EvidencePart.SIGNATURE],
        parts[EvidencePart.AK_PUBLIC],
        {"sha256": range(16)},
        parts[EvidencePart.PCRS],
    )
    assert check_quote(folder, files, record.nonce).accepted


def check_replayed(log: bytes, booted: dict[int, bytes], folder: Path) -> None:
    """Every register that firmware and kernel measured into; 10 is the kernel's own list of files."""
    replayed = replay_pcrs(parse_event_log(log), HashAlgorithm.SHA256)
    assert {0, 1, 2, 3, 4, 5, 6, 7, 9} <= set(replayed)
    assert replayed == {pcr: booted[pcr] for pcr in replayed}
    outcome, _, theirs = replay_log(folder, log)
    assert outcome.accepted
    assert theirs["sha256"] == replayed
