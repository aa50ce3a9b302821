"""Keys leave only for a launch that is what its owner meant: under SEV, SEV-ES and SEV-SNP."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import EvidenceRefused, FirmwareError, WrongState
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.instance import HostMaintenance, InstanceState
from confvm_gui.engine.guests.image import HEARTBEAT, GuestImage
from confvm_gui.engine.guests.initial_vmsa import initial_vmsa
from confvm_gui.engine.launch_plan import LaunchPlan
from confvm_gui.engine.machine import Machine, MachineGuest
from confvm_gui.providers.embedded.owner import expected_launch, guest_policy
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.snp_policy import SnpPolicy
from tests.support.embedded_rig import Hosts, SpyKeyStore, embedded, launch_request, listed, ready, write_records
from tests.support.operations import OperationRecord, require_trusted, verdict_of

SEV, SEV_ES, SEV_SNP = Technology.SEV, Technology.SEV_ES, Technology.SEV_SNP
CONFIDENTIAL = [SEV, SEV_ES, SEV_SNP]


class Watched(Machine):
    """Remembers what a guest's memory held, in both views, when it was powered off."""

    last_memory = b""

    async def release(self, guest: MachineGuest) -> None:
        if guest.memory.length:
            self.last_memory = b"".join(
                read(guest.memory, page * 4096, 4096).tobytes()
                for page in self.controller.used_pages(guest.memory).tolist()
                for read in (self.controller.guest_read, self.controller.hypervisor_read)
            )
        await super().release(guest)


class OtherImage(Watched):
    """Changes one bit of the guest's image before it is measured."""

    async def launch(self, plan: LaunchPlan) -> MachineGuest:
        return await super().launch(replace(plan, image=plan.image[:-1] + bytes([plan.image[-1] ^ 1])))


class OtherGuest(Watched):
    """Launches another of the built-in guests."""

    async def launch(self, plan: LaunchPlan) -> MachineGuest:
        return await super().launch(replace(plan, image=GuestImage.load(HEARTBEAT).data))


class DebugPolicy(Watched):
    """Launches so that the host may decrypt the guest's memory."""

    async def launch(self, plan: LaunchPlan) -> MachineGuest:
        debug = SnpPolicy.with_flags("SMT", "DEBUG").value if plan.mode is LaunchMode.SEV_SNP else plan.policy & ~1
        return await super().launch(replace(plan, policy=debug))


async def refused(
    data_dir: Path, tmp_path: Path, hosts: Hosts, technology: Technology
) -> tuple[GuestEvidence, set[str]]:
    """Launch on these hosts, see that it is refused with nothing given away, and return what was refused and why."""
    key_store = SpyKeyStore()
    async with embedded(data_dir, key_store=key_store, make_site=hosts) as provider:
        operation = OperationRecord()
        request = launch_request(technology=technology, records=write_records(tmp_path))
        with pytest.raises(EvidenceRefused):
            await provider.create(request, operation)
        assert not {"LAUNCH_SECRET", "release keys"} & set(operation.names)
        assert await listed(provider) == {}
        assert isinstance(hosts.last, Watched)
        (dek,) = key_store.deks
        assert len(hosts.last.last_memory) > 4096
        assert dek[:16] not in hosts.last.last_memory
        assert hosts.in_use == (0, 0)
    (launch,) = operation.launches
    return launch, {finding.code for finding in operation.verdicts[0].findings}


def differs(launch: GuestEvidence) -> list[str]:
    """What the digest that was really launched is told to differ in."""
    value = verdict_of(launch).claim("measurement")
    return [item.differs for item in launch.candidates if item.digest.hex() == value]


@pytest.mark.parametrize("technology", CONFIDENTIAL)
async def test_a_verified_launch_gets_its_keys_and_works_with_them(
    data_dir: Path, tmp_path: Path, technology: Technology
) -> None:
    async with embedded(data_dir) as provider:
        operation = OperationRecord()
        request = launch_request(technology=technology, records=write_records(tmp_path))
        made = await provider.create(request, operation)
        assert (made.state, made.technology, made.host) == (InstanceState.RUNNING, technology, "host-1")
        (verdict,) = operation.verdicts
        assert verdict.trusted
        assert verdict.emulated
        expected = expected_launch(technology, request.host_maintenance, "records", 0xA10F11)
        assert verdict.claim("measurement") == expected.digest.hex()
        await ready(provider, made.id)


@pytest.mark.parametrize("technology", CONFIDENTIAL)
async def test_a_changed_image_gets_no_keys(data_dir: Path, tmp_path: Path, technology: Technology) -> None:
    _, codes = await refused(data_dir, tmp_path, Hosts(OtherImage), technology)
    assert "measurement-mismatch" in codes


async def test_another_guest_is_named(data_dir: Path, tmp_path: Path) -> None:
    launch, _ = await refused(data_dir, tmp_path, Hosts(OtherGuest), SEV_SNP)
    assert differs(launch) == ["the guest image: heartbeat was launched instead of records"]


async def test_a_debug_policy_gets_no_keys(data_dir: Path, tmp_path: Path) -> None:
    _, codes = await refused(data_dir, tmp_path, Hosts(DebugPolicy), SEV_SNP)
    assert {"debug-allowed", "claim-mismatch"} & codes


@pytest.mark.parametrize("technology", [SEV, SEV_ES])
async def test_a_policy_that_is_not_the_sessions_is_refused_by_the_firmware(
    data_dir: Path, tmp_path: Path, technology: Technology
) -> None:
    async with embedded(data_dir, make_site=Hosts(DebugPolicy)) as provider:
        operation = OperationRecord()
        with pytest.raises(FirmwareError) as refusal:
            await provider.create(launch_request(technology=technology, records=write_records(tmp_path)), operation)
        assert (refusal.value.command, refusal.value.status_name) == ("LAUNCH_START", "BAD_MEASUREMENT")
        assert operation.launches == []
        assert await listed(provider) == {}


@pytest.mark.parametrize("technology", [SEV_ES, SEV_SNP])
async def test_a_changed_vmsa_gets_no_keys_and_is_named(
    data_dir: Path, tmp_path: Path, technology: Technology, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_processors(*, cpu_signature: int, snp: bool) -> bytes:
        return initial_vmsa(cpu_signature=0, snp=snp)

    monkeypatch.setattr("confvm_gui.engine.launch_sequence.initial_vmsa", other_processors)
    launch, codes = await refused(data_dir, tmp_path, Hosts(Watched), technology)
    assert "measurement-mismatch" in codes
    if technology is SEV_SNP:
        assert differs(launch) == ["the VMSA: RDX does not hold the processor's signature"]


@pytest.mark.parametrize("technology", CONFIDENTIAL)
async def test_without_attestation_nobody_is_asked(data_dir: Path, tmp_path: Path, technology: Technology) -> None:
    hosts = Hosts(OtherImage if technology is SEV else Machine)
    async with embedded(data_dir, make_site=hosts) as provider:
        operation = OperationRecord()
        request = launch_request(technology=technology, records=write_records(tmp_path))
        made = await provider.create(replace(request, attest=False), operation)
        assert made.state is InstanceState.RUNNING
        assert operation.launches == []
        assert any("not attested" in detail for _, _, detail in operation.steps)


@pytest.mark.parametrize("technology", CONFIDENTIAL)
async def test_evidence_on_demand_carries_the_nonce(data_dir: Path, technology: Technology) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(technology=technology), OperationRecord())
        forms = provider.evidence_formats(made.id)
        assert forms[0] is (EvidenceFormat.SNP_REPORT if technology is SEV_SNP else EvidenceFormat.SEV_REPORT)
        assert EvidenceFormat.TPM_QUOTE in forms
        for form in forms:
            for nonce in (bytes(range(32)), bytes(32)[:-1] + b"\1"):
                found = await provider.evidence(made.id, form, nonce)
                await require_trusted(found)
                other = replace(found, reference=replace(found.reference, report_data=b"\7" * 16))
                assert not verdict_of(other).trusted
        await provider.stop(made.id, OperationRecord(made.id))
        assert provider.evidence_formats(made.id) == ()
        with pytest.raises(WrongState):
            await provider.evidence(made.id, forms[0], bytes(32))


async def test_an_emulated_root_is_trusted_only_as_such(data_dir: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(technology=SEV_SNP), OperationRecord())
        found = await provider.evidence(made.id, EvidenceFormat.SNP_REPORT, bytes(32))
        assert verdict_of(found).emulated
        unknown = replace(found.reference, trusted_roots=())
        assert not verdict_of(replace(found, reference=unknown)).trusted


async def test_chips_and_root_stay_what_they_are(data_dir: Path) -> None:
    key_store = SpyKeyStore()
    seen: list[tuple[object, object]] = []
    for _ in range(2):
        async with embedded(data_dir, key_store=key_store) as provider:
            made = await provider.create(launch_request(f"vm-{len(seen)}", technology=SEV_SNP), OperationRecord())
            found = await provider.evidence(made.id, EvidenceFormat.SNP_REPORT, bytes(32))
            verdict = verdict_of(found)
            seen.append((verdict.claim("chip_id"), found.reference.trusted_roots))
    assert seen[0] == seen[1]
    sealed = data_dir / "engine" / "hosts.sealed"
    sealed.write_bytes(sealed.read_bytes()[:-20])
    async with embedded(data_dir, key_store=key_store) as provider:
        made = await provider.create(launch_request("anew", technology=SEV_SNP), OperationRecord())
        found = await provider.evidence(made.id, EvidenceFormat.SNP_REPORT, bytes(32))
        assert verdict_of(found).claim("chip_id") != seen[0][0], "damaged keys are replaced by new hosts'"


async def test_an_older_consoles_definition_is_read(data_dir: Path) -> None:
    async with embedded(data_dir) as provider:
        made = await provider.create(launch_request(), OperationRecord())
    path = data_dir / "instances" / made.id / "definition.json"
    lines = [
        line
        for line in path.read_text().replace('"version": 2', '"version": 1').splitlines()
        if not any(name in line for name in ("attest", "vtpm", "secure_boot", "integrity", "host_maintenance"))
    ]
    path.write_text("\n".join(lines))
    async with embedded(data_dir) as provider:
        assert (await listed(provider))[made.id].vtpm is False
        assert (await provider.start(made.id, OperationRecord(made.id))).state is InstanceState.RUNNING


def test_policies_follow_host_maintenance() -> None:
    stays = GuestPolicy.from_int(guest_policy(SEV, HostMaintenance.TERMINATE))
    moves = GuestPolicy.from_int(guest_policy(SEV_ES, HostMaintenance.MIGRATE))
    assert (stays.nosend, stays.es, stays.nodbg, stays.noks) == (True, False, True, True)
    assert (moves.nosend, moves.es, moves.sev) == (False, True, True)
    assert guest_policy(SEV_SNP, HostMaintenance.TERMINATE) == 0x30000


def test_no_candidate_is_the_expected_launch() -> None:
    for technology in CONFIDENTIAL:
        expected = expected_launch(technology, HostMaintenance.TERMINATE, "records", 0xA10F11)
        digests = [item.digest for item in expected.candidates]
        assert expected.digest not in digests
        assert len(set(digests)) == len(digests) >= 2
