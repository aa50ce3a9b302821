"""Launches in each mode, seen from the host and from the owner, who computes by itself what must come out."""

from __future__ import annotations

import asyncio
import hashlib
import struct
from dataclasses import replace

import pytest

from confvm_gui.domain.errors import CapacityExceeded, FirmwareError, InvalidInput, MeasurementMismatch, Unsupported
from confvm_gui.engine.guests.initial_vmsa import initial_vmsa
from confvm_gui.engine.guests.memory_map import (
    ATTESTATION_GPA,
    BOOT_INFO_GPA,
    GUEST_REQUEST_GPA,
    GUEST_RESPONSE_GPA,
    IMAGE_GPA,
    SECRET_GPA,
    SNP_CPUID_GPA,
    SNP_SECRETS_GPA,
)
from confvm_gui.engine.machine import Machine, MachineGuest
from confvm_gui.engine.secure_processor.chip_secret import ChipSecret
from confvm_gui.engine.secure_processor.model import GENOA, ProcessorModel
from confvm_gui.engine.secure_processor.snp_messages import GuestMessage, MessageType, seal_message
from confvm_gui.sev.amd_certificate import AmdCertificate
from confvm_gui.sev.attestation_report import AttestationReport
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.guest_owner import GuestOwner
from confvm_gui.sev.sev_certificate import SEV_CERTIFICATE_SIZE, SevCertificate
from confvm_gui.sev.snp_report import SnpReport
from confvm_gui.sev.x509_certificate import X509Certificate
from tests.unit.engine.machine_rig import ASIDS, ES_ASIDS, HOOKS, IMAGE, MODES, RAM, ROOT, Host, host, memory, plan

PAGE = 4096
assert GENOA.snp is not None
SIGNATURE = GENOA.snp.cpu.signature


def snp_digest(vmsa: bytes) -> bytes:
    """The launch digest of IMAGE by the formula of 56860, without any of the console's own arithmetic."""
    pages = [(1, IMAGE_GPA + at, IMAGE[at : at + PAGE]) for at in range(0, len(IMAGE), PAGE)]
    pages += [(3, 0x40000, b""), (5, 0x41000, b""), (6, 0x42000, b""), (2, 0xFFFF_FFFF_F000, vmsa)]
    digest = bytes(48)
    for kind, gpa, content in pages:
        contents = hashlib.sha384(content).digest() if content else bytes(48)
        info = digest + contents + struct.pack("<HBBBBBBQ", 0x70, kind, 0, 0, 0, 0, 0, gpa)
        digest = hashlib.sha384(info).digest()
    return digest


def sev_digest(mode: LaunchMode) -> bytes:
    vmsa = initial_vmsa(cpu_signature=SIGNATURE, snp=False) if mode is LaunchMode.SEV_ES else b""
    return hashlib.sha256(IMAGE + vmsa).digest()


def check(machine: Machine, owner: GuestOwner, guest: MachineGuest, digest: bytes) -> None:
    version = machine.model.version
    owner.check_measurement(
        guest.measurement,
        api_major=version.api_major,
        api_minor=version.api_minor,
        build=version.build,
        launch_digest=digest,
    )


def ask_report(host: Host, guest: MachineGuest, report_data: bytes, sequence: int = 1) -> bytes:
    """As the guest does: with VMPCK0 of its secrets page, over its host."""
    controller, memory = host.machine.controller, guest.memory
    key = controller.guest_read(memory, SNP_SECRETS_GPA + 0x20, 32).tobytes()
    request = struct.pack("<64sII24s", report_data, 0, 0, b"")
    message = seal_message(key, MessageType.REPORT_REQ, request, sequence=sequence, vmpck=0)
    controller.hypervisor_write(memory, GUEST_REQUEST_GPA, message)
    firmware = host.vcpus.given[guest.vcpu].firmware
    assert firmware is not None
    assert firmware.guest_request() == 0
    answer = controller.hypervisor_read(memory, GUEST_RESPONSE_GPA, PAGE).tobytes()
    (size,) = struct.unpack_from("<H", answer, 0x36)
    payload = GuestMessage.parse(answer[: 0x60 + size]).open(key)
    assert payload[:4] == bytes(4)
    return payload[32:]


@pytest.mark.parametrize("mode", [LaunchMode.SEV, LaunchMode.SEV_ES])
async def test_sev_and_sev_es_are_measured_as_their_owner_expects(mode: LaunchMode) -> None:
    async with host() as made:
        machine, owner = made.machine, made.owner(mode)
        guest = await machine.launch(plan(mode, owner))
        with pytest.raises(MeasurementMismatch):
            check(machine, owner, guest, hashlib.sha256(IMAGE[:-1] + b"\0").digest())
        check(machine, owner, guest, sev_digest(mode))
        secret = b"for this launch only".ljust(32, b"\0")
        await machine.inject_secret(guest, *owner.secret_packet(secret, guest.measurement))
        await machine.run(guest, HOOKS)
        assert machine.controller.guest_read(guest.memory, SECRET_GPA, 32).tobytes() == secret
        report = AttestationReport.parse(await machine.attestation(guest, b"n" * 16))
        assert report.launch_digest == sev_digest(mode)
        assert report.mnonce == b"n" * 16
        with pytest.raises(FirmwareError):
            await machine.attestation(guest, b"short")
        await machine.release(guest)
        assert made.unused


async def test_sev_es_keeps_its_registers_from_the_host() -> None:
    async with host() as made:
        machine = made.machine
        guest = await made.launch(LaunchMode.SEV_ES)
        page = machine.controller.hypervisor_read(guest.memory, guest.vmsa_spa - guest.memory.spa, PAGE).tobytes()
        assert page != initial_vmsa(cpu_signature=SIGNATURE, snp=False)
        inside = machine.controller.read_private(guest.memory.asid, guest.vmsa_spa, PAGE)
        assert inside == initial_vmsa(cpu_signature=SIGNATURE, snp=False)
        await machine.run(guest, HOOKS, "disk.raw")
        config = made.vcpus.configs[guest.vcpu]
        assert (config.sev, config.es, config.snp) == (True, True, False)
        assert (config.vmsa_spa, config.ram_bytes, config.disk_path) == (guest.vmsa_spa, RAM, "disk.raw")
        assert guest.vmsa_spa >= guest.memory.spa + RAM


async def test_an_snp_guest_is_what_its_report_says() -> None:
    async with host() as made:
        machine = made.machine
        wanted = replace(plan(LaunchMode.SEV_SNP), host_data=b"h" * 32)
        guest = await machine.launch(wanted)
        await machine.run(guest, HOOKS)
        assert made.vcpus.configs[guest.vcpu].snp
        assert made.vcpus.controllers[guest.vcpu] is machine.controller
        report = SnpReport.parse(ask_report(made, guest, b"d" * 64))
        assert report.measurement == snp_digest(initial_vmsa(cpu_signature=SIGNATURE, snp=True))
        assert report.report_data == b"d" * 64
        assert report.host_data == b"h" * 32
        assert report.policy.value == wanted.policy
        certificates = [X509Certificate(der) for der in await machine.snp_certificates()]
        assert report.is_signed_by(certificates[0].public_key())
        again = SnpReport.parse(ask_report(made, guest, b"e" * 64, sequence=3))
        assert again.report_id == report.report_id
        await machine.release(guest)
        assert made.unused


async def test_an_snp_guests_memory_at_its_start() -> None:
    async with host() as made:
        controller = made.machine.controller
        guest = await made.launch(LaunchMode.SEV_SNP)
        assert controller.guest_read(guest.memory, IMAGE_GPA, len(IMAGE)).tobytes() == IMAGE
        assert controller.hypervisor_read(guest.memory, IMAGE_GPA, len(IMAGE)).tobytes() != IMAGE
        assert controller.guest_read(guest.memory, SECRET_GPA, PAGE).tobytes() == bytes(PAGE)
        (count,) = struct.unpack_from("<I", controller.guest_read(guest.memory, SNP_CPUID_GPA, 4).tobytes())
        assert count == 2
        for gpa in (BOOT_INFO_GPA, GUEST_REQUEST_GPA, GUEST_RESPONSE_GPA, ATTESTATION_GPA, 0x10000, 0x3F000):
            controller.hypervisor_write(guest.memory, gpa, b"shared")
            assert controller.hypervisor_read(guest.memory, gpa, 6).tobytes() == b"shared"


async def test_a_message_of_nobody_is_answered_with_a_status() -> None:
    async with host() as made:
        guest = await made.launch(LaunchMode.SEV_SNP)
        await made.machine.run(guest, HOOKS)
        firmware = made.vcpus.given[guest.vcpu].firmware
        assert firmware is not None
        assert firmware.guest_request() != 0
        made.machine.controller.hypervisor_write(guest.memory, GUEST_REQUEST_GPA, b"\xff" * PAGE)
        assert firmware.guest_request() != 0
        assert len(ask_report(made, guest, bytes(64))) == 0x4A0
        page = GUEST_RESPONSE_GPA // PAGE
        assert firmware.change_state(page, 1, True) == 0
        assert firmware.guest_request() != 0


async def test_policies_go_with_their_mode() -> None:
    async with host() as made:
        for mode, policy in ((LaunchMode.SEV, 0b111), (LaunchMode.SEV_ES, 0b011)):
            with pytest.raises(InvalidInput, match="SEV-ES"):
                await made.machine.launch(replace(plan(mode), policy=policy))
        with pytest.raises(FirmwareError):
            await made.machine.launch(replace(plan(LaunchMode.SEV_SNP), policy=0))
        assert made.unused


async def test_two_pools_of_asids() -> None:
    async with host(guests=ASIDS + 2) as made:
        machine = made.machine
        guests = [await made.launch(LaunchMode.SEV_SNP) for _ in range(2)] + [await made.launch(LaunchMode.SEV_ES)]
        assert sorted(guest.memory.asid for guest in guests) == [1, 2, 3]
        for mode in (LaunchMode.SEV_ES, LaunchMode.SEV_SNP):
            with pytest.raises(CapacityExceeded, match="SEV-ES and SEV-SNP"):
                await made.launch(mode)
        assert (machine.asids_left, machine.es_asids_left) == (ASIDS - ES_ASIDS, 0)
        sev = await made.launch(LaunchMode.SEV)
        assert sev.memory.asid > ES_ASIDS
        for guest in guests:
            await machine.release(guest)
        # Each ASID was another guest's before: it needs WBINVD and DF_FLUSH, for whichever mode comes next.
        for _ in range(2):
            for mode in MODES:
                await machine.release(await made.launch(mode))
        await machine.release(sev)
        assert made.unused


async def test_a_host_without_asids_for_sev_es_says_so() -> None:
    with memory() as dram:
        machine = Machine(dram=dram, workers=1, es_asids=0)
        machine.power_on()
        with pytest.raises(CapacityExceeded, match="no ASIDs set apart"):
            await machine.launch(plan(LaunchMode.SEV_ES))
        await machine.aclose()


async def test_certificates_of_the_platform() -> None:
    async with host() as made:
        machine = made.machine
        chain = await asyncio.to_thread(machine.platform_certificates)
        parts = [chain[at : at + SEV_CERTIFICATE_SIZE] for at in range(0, len(chain), SEV_CERTIFICATE_SIZE)]
        assert len([SevCertificate.parse(part) for part in parts]) == 4
        assert parts[0] == machine.pdh
        amd = await machine.amd_certificates()
        ask = ROOT.ask.to_bytes()
        assert amd == ask + ROOT.ark.to_bytes()
        assert AmdCertificate.parse(amd[: len(ask)]) == ROOT.ask
        with pytest.raises(Unsupported):
            await machine.attestation(await made.launch(LaunchMode.SEV_SNP), bytes(16))
        with pytest.raises(Unsupported):
            await machine.attestation(await machine.load_plain(IMAGE, RAM, b"", b""), bytes(16))


async def test_a_part_without_snp_has_no_snp_certificates() -> None:
    old: ProcessorModel = replace(GENOA, snp=None)
    with memory() as dram:
        machine = Machine(model=old, dram=dram, workers=1, root=ROOT)
        machine.power_on()
        with pytest.raises(Unsupported):
            await machine.snp_certificates()
        with pytest.raises(Unsupported):
            await machine.launch(plan(LaunchMode.SEV_SNP))
        assert dram.available == dram.size
        await machine.aclose()


async def test_the_same_chip_on_the_next_day() -> None:
    material = ChipSecret.generate().reveal()
    certificates = []
    for _ in range(2):
        with memory() as dram:
            made = Host(dram, chip=ChipSecret(material))
            vcek = X509Certificate((await made.machine.snp_certificates())[0])
            certificates.append((made.machine.processor.get_id(), vcek.public_key_fingerprint()))
    assert certificates[0] == certificates[1]


async def test_two_hosts_in_one_memory_do_not_read_each_others_guests() -> None:
    with memory(8) as dram:
        first, second = Host(dram), Host(dram, name="host-2")
        for made in (first, second):
            made.machine.power_on()
        one, two = await first.launch(LaunchMode.SEV), await second.launch(LaunchMode.SEV)
        assert one.memory.asid == two.memory.asid
        for made, guest in ((first, one), (second, two)):
            seen = made.machine.controller.guest_read(guest.memory, IMAGE_GPA, len(IMAGE)).tobytes()
            assert seen == IMAGE
        ciphertext = {
            made.machine.controller.hypervisor_read(guest.memory, IMAGE_GPA, PAGE).tobytes()
            for made, guest in ((first, one), (second, two))
        }
        assert len(ciphertext) == 2
        await first.machine.run(one, HOOKS)
        await first.machine.aclose()
        assert not first.vcpus.closed
        assert not first.vcpus.given
        await second.machine.release(two)
        assert dram.available == dram.size
        await second.machine.aclose()
