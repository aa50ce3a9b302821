"""SEV launches by way of libvirt's calls, measured and opened by the embedded secure processor."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from confvm_gui.catalog import load_catalog
from confvm_gui.domain.attestation import Endorsements, TrustedRoot
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import ConfvmError, EvidenceRefused, NotFound
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.engine.guest_host.host import GuestHost
from confvm_gui.engine.machine import Machine
from confvm_gui.providers.libvirt.connection import LibvirtConnection
from confvm_gui.providers.libvirt.create import power_on
from confvm_gui.providers.libvirt.domain_xml import DomainPlan, domain_xml
from confvm_gui.providers.libvirt.firmware import FirmwareShelf
from confvm_gui.providers.libvirt.launch_security import SevSecurity
from confvm_gui.sev.amd_certificate import AmdCertificate
from confvm_gui.sev.guest_policy import GuestPolicy
from tests.support.operations import OperationRecord, require_trusted
from tests.support.runners import Run
from tests.support.sev_libvirt import SevConnection, SevDomain, sev_host
from tests.support.shelf_library import ShelfLibrary
from tests.unit.sev.firmware_images import make_image

LOADER = "/usr/share/OVMF/OVMF.amdsev.fd"
SECRET = b"the lantern opens the door".ljust(32, b"\0")
POLICY = GuestPolicy(nodbg=True, noks=True, nosend=True).to_int()
PLAN = DomainPlan(
    instance_id="0123456789abcdef0123456789abcdef", name="probe", pool_path="/pool", memory_mib=1024, vcpus=1,
    kvm=True, operation_id="op", image="local:i", machine_type="small-1", created_at=0.0, uefi=True,
    technology=Technology.SEV, security=SevSecurity(POLICY, 51, 1),
)  # fmt: skip
REQUEST = LaunchRequest(
    name="probe", provider="libvirt-probe", cloud="libvirt", region="host", zone="host", machine_type="small-1",
    image="local:i", technology=Technology.SEV, vtpm=False,
)  # fmt: skip
"""What the console keeps of the instance."""


@pytest.fixture
def machine(asyncio_run: Run) -> Iterator[Machine]:
    machine = Machine(vcpus=cast(GuestHost, object()))
    machine.power_on()
    yield machine
    asyncio_run(machine.aclose())


async def launch(machine: Machine, domain: SevDomain, folder: Path) -> OperationRecord:
    asked = []

    async def secret() -> bytes:
        asked.append(1)
        return SECRET

    async def approve(evidence: GuestEvidence) -> None:
        assert not asked, "the secret was made before the launch was approved"
        amd = await machine.amd_certificates()
        _, end = AmdCertificate.parse_prefix(amd)
        encoded = machine.root.ark.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        root = TrustedRoot("emulated", hashlib.sha256(encoded).hexdigest(), emulated=True)
        await require_trusted(
            replace(
                evidence,
                endorsements=evidence.endorsements + Endorsements(amd_certificates=(amd[:end], amd[end:])),
                reference=replace(evidence.reference, trusted_roots=(root,)),
            )
        )

    operation = OperationRecord(PLAN.instance_id, approve=approve)
    await power_on(
        cast(LibvirtConnection, SevConnection(domain)), REQUEST, operation, ShelfLibrary(), load_catalog(),
        sev_host(machine), shelf=FirmwareShelf((folder,)), secret=secret,
    )  # fmt: skip
    return operation


def test_the_firmware_that_was_meant_gets_its_secret(machine: Machine, tmp_path: Path, asyncio_run: Run) -> None:
    firmware = make_image()
    (tmp_path / "OVMF.amdsev.fd").write_bytes(firmware)
    domain = SevDomain(machine, domain_xml(PLAN), firmware, LOADER)
    operation = asyncio_run(launch(machine, domain, tmp_path))
    assert domain.running
    assert domain.secret == SECRET
    assert [name for name in operation.names if name in ("launch paused", "verify launch", "LAUNCH_SECRET")] == [
        "launch paused",
        "verify launch",
        "LAUNCH_SECRET",
    ]


def test_another_firmware_gets_nothing_and_is_off(machine: Machine, tmp_path: Path, asyncio_run: Run) -> None:
    (tmp_path / "OVMF.amdsev.fd").write_bytes(make_image())
    domain = SevDomain(machine, domain_xml(PLAN), make_image(seed=2), LOADER)
    with pytest.raises(EvidenceRefused):
        asyncio_run(launch(machine, domain, tmp_path))
    assert not domain.running
    assert domain.guest is None
    assert domain.secret == b""


def test_a_firmware_that_nobody_here_trusts_is_not_launched(machine: Machine, tmp_path: Path, asyncio_run: Run) -> None:
    domain = SevDomain(machine, domain_xml(PLAN), make_image(), LOADER)
    with pytest.raises(NotFound, match="no copy"):
        asyncio_run(launch(machine, domain, tmp_path))
    assert domain.guest is None


@pytest.mark.parametrize(
    ("policy", "text", "change"),
    [
        (GuestPolicy(noks=True, nosend=True), "", "debugging allowed"),
        (GuestPolicy(nodbg=True, noks=True), "", "sending to another host allowed"),
        (GuestPolicy(nodbg=True, noks=True, nosend=True), "<cmdline>init=/bin/sh</cmdline></os>", "another kernel"),
    ],
)
def test_a_host_that_changes_the_definition_between_stop_and_start_gets_no_secret(
    machine: Machine, tmp_path: Path, asyncio_run: Run, policy: GuestPolicy, text: str, change: str
) -> None:
    firmware = make_image()
    (tmp_path / "OVMF.amdsev.fd").write_bytes(firmware)
    domain = SevDomain(machine, domain_xml(PLAN), firmware, LOADER)
    asyncio_run(launch(machine, domain, tmp_path))
    domain.destroy()
    domain.secret = b""
    domain.edit(f"<policy>0x{POLICY:04x}</policy>", f"<policy>0x{policy.to_int():04x}</policy>")
    if text:
        domain.edit("</os>", text)
        domain.boot(make_image(seed=3))
    with pytest.raises(ConfvmError):
        asyncio_run(launch(machine, domain, tmp_path))
    assert not domain.running, change
    assert domain.guest is None
    assert domain.secret == b""
