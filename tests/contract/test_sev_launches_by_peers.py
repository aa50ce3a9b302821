"""Launches of the embedded secure processor, judged by libvirt's own tool for guest owners."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from confvm_gui.domain.errors import FirmwareError
from confvm_gui.engine.memory_controller.controller import MemoryController
from confvm_gui.engine.memory_controller.dram import Dram
from confvm_gui.engine.secure_processor.model import GENOA
from confvm_gui.engine.secure_processor.processor import SecureProcessor
from confvm_gui.sev.cpu_identity import cpu_of_type
from confvm_gui.sev.expected_digest import LaunchInputs, LaunchMode, launch_vmsas
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.kernel_hashes import KernelHashes
from confvm_gui.sev.key_material import fresh_128_bits
from confvm_gui.sev.key_usage import Algorithm, Usage
from confvm_gui.sev.ovmf_image import OvmfImage
from confvm_gui.sev.secret_table import parse_secret_table
from confvm_gui.sev.session import LaunchSession, TransportKeys
from confvm_gui.sev.sev_certificate import SevCertificate
from tests.support.sev_validate import Outcome, sealed_secret, validate
from tests.unit.sev.firmware_images import DEBIAN, debian_image

NODBG, ES = 1, 4
DISK_KEY = bytes(range(64))
PAGE = 4096
MODEL = replace(GENOA, min_sev_asid=100)
"""ASIDs for SEV and for SEV-ES guests."""
MILAN = cpu_of_type("EPYC-Milan")
FIRMWARE = OvmfImage.parse(debian_image(DEBIAN[0]))
HASHES = KernelHashes.of(b"a kernel", b"an initrd", "console=ttyS0")


@dataclass
class Launch:
    """A guest on a real memory controller, up to LAUNCH_MEASURE, with a session that is built here."""

    policy: int
    parts: list[bytes]
    vmsas: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dram = Dram.largest()
        controller = MemoryController(self.dram)
        self.processor = SecureProcessor(controller, model=MODEL)
        self.processor.platform_init(es=bool(self.policy & ES))
        self.processor.wbinvd()
        self.processor.df_flush()
        self.keys = TransportKeys.generate()
        pdh = SevCertificate.parse(self.processor.pdh_cert_export(chain=False).pdh).ecdh_key()
        private = ec.generate_private_key(pdh.curve)
        certificate = SevCertificate.unsigned(Usage.PDH, private.public_key(), algorithm=Algorithm.ECDH_SHA256)
        session = LaunchSession.build(
            private.exchange(ec.ECDH(), pdh),
            self.keys,
            GuestPolicy.from_int(self.policy),
            nonce=fresh_128_bits(),
            iv=fresh_128_bits(),
        )
        asid = 1 if self.policy & ES else MODEL.min_sev_asid
        content = b"".join(self.parts) + bytes(-len(b"".join(self.parts)) % PAGE)
        memory = controller.add_range(len(content) + PAGE * (len(self.vmsas) + 1), asid)
        self.secret_spa = memory.spa + memory.length - PAGE
        controller.hypervisor_write(memory, 0, content + b"".join(self.vmsas))
        self.handle = self.processor.launch_start(self.policy, certificate.to_bytes(), session.to_bytes())
        self.processor.activate(self.handle, asid)
        spa = memory.spa
        for part in self.parts:
            self.processor.launch_update_data(self.handle, spa, len(part))
            spa += len(part)
        for index in range(len(self.vmsas)):
            self.processor.launch_update_vmsa(self.handle, memory.spa + len(content) + index * PAGE)
        self.measurement = self.processor.launch_measure(self.handle)
        self.controller = controller
        self.asid = asid

    def judge(
        self, folder: Path, *options: str | Path, policy: int | None = None, firmware: bytes = FIRMWARE.data
    ) -> Outcome:
        """What the tool says of it."""
        return validate(
            folder,
            measurement=self.measurement,
            version=self.processor.platform_status().version,
            policy=self.policy if policy is None else policy,
            keys=self.keys.tek.reveal() + self.keys.tik.reveal(),
            firmware=firmware,
            options=options,
        )

    def inject(self, header: bytes, payload: bytes) -> bytes:
        """LAUNCH_SECRET of what somebody else sealed; the plain text as the guest reads it."""
        self.processor.launch_secret(self.handle, header, payload, spa=self.secret_spa)
        return self.controller.read_private(self.asid, self.secret_spa, len(payload))


@pytest.fixture
def launches() -> Iterator[list[Launch]]:
    """Launches whose memory is given back."""
    made: list[Launch] = []
    yield made
    for launch in made:
        launch.dram.close()


@pytest.fixture
def sev(launches: list[Launch]) -> Launch:
    launches.append(Launch(NODBG, [FIRMWARE.data]))
    return launches[-1]


def es_vmsas(count: int, *, fpu_reset: bool = True) -> list[bytes]:
    inputs = LaunchInputs(LaunchMode.SEV_ES, FIRMWARE, count, MILAN.signature, fpu_reset=fpu_reset)
    return [vmsa.page for vmsa in launch_vmsas(inputs)]


def inject_options(folder: Path) -> list[str | Path]:
    (folder / "disk.key").write_bytes(DISK_KEY)
    return [
        *("--inject-secret", f"luks-key:{folder / 'disk.key'}"),
        *("--secret-header", folder / "header", "--secret-payload", folder / "payload"),
    ]


def test_a_sev_launch_is_accepted_and_the_tools_secret_reaches_the_guest(sev: Launch, tmp_path: Path) -> None:
    outcome = sev.judge(tmp_path, *inject_options(tmp_path))
    assert outcome.accepted, outcome.message
    (entry,) = parse_secret_table(sev.inject(*sealed_secret(tmp_path)))
    assert entry.data == DISK_KEY
    sev.processor.launch_finish(sev.handle)


def test_another_policy_firmware_or_key_is_refused(sev: Launch, tmp_path: Path) -> None:
    other = bytearray(FIRMWARE.data)
    other[100] ^= 1
    for outcome in (sev.judge(tmp_path, policy=0), sev.judge(tmp_path, firmware=bytes(other))):
        assert not outcome.accepted
        assert "Measurement does not match" in outcome.message
    sev.keys = TransportKeys.generate()
    assert not sev.judge(tmp_path).accepted


def test_a_secret_for_another_launch_is_refused_by_the_firmware(
    sev: Launch, launches: list[Launch], tmp_path: Path
) -> None:
    launches.append(Launch(NODBG, [FIRMWARE.data]))
    assert launches[-1].judge(tmp_path, *inject_options(tmp_path)).accepted
    with pytest.raises(FirmwareError) as refused:
        sev.inject(*sealed_secret(tmp_path))
    assert refused.value.status_name == "BAD_MEASUREMENT"


def test_a_measured_kernel_is_accepted_and_another_one_refused(launches: list[Launch], tmp_path: Path) -> None:
    launches.append(Launch(NODBG, [FIRMWARE.data, HASHES.table()]))
    (tmp_path / "kernel").write_bytes(b"a kernel")
    (tmp_path / "initrd").write_bytes(b"an initrd")
    files = ("--kernel", tmp_path / "kernel", "--initrd", tmp_path / "initrd")
    assert launches[0].judge(tmp_path, *files, "--cmdline", "console=ttyS0").accepted
    assert not launches[0].judge(tmp_path, *files, "--cmdline", "console=ttyS1").accepted
    assert not launches[0].judge(tmp_path).accepted


def test_a_sev_es_launch_is_accepted_with_its_vmsas(launches: list[Launch], tmp_path: Path) -> None:
    vmsas = es_vmsas(3)
    launch = Launch(NODBG | ES, [FIRMWARE.data], vmsas)
    launches.append(launch)
    (tmp_path / "first").write_bytes(vmsas[0])
    (tmp_path / "other").write_bytes(vmsas[1])
    files = ("--vmsa-cpu0", tmp_path / "first", "--vmsa-cpu1", tmp_path / "other")
    outcome = launch.judge(tmp_path, *files, "--num-cpus", "3", *inject_options(tmp_path))
    assert outcome.accepted, outcome.message
    (entry,) = parse_secret_table(launch.inject(*sealed_secret(tmp_path)))
    assert entry.data == DISK_KEY
    assert not launch.judge(tmp_path, *files, "--num-cpus", "2").accepted
    assert not launch.judge(tmp_path, *files, "--num-cpus", "3", policy=ES).accepted


def test_the_tools_own_vmsas_are_those_of_kernels_before_6_10(launches: list[Launch], tmp_path: Path) -> None:
    launches.append(Launch(NODBG | ES, [FIRMWARE.data], es_vmsas(2, fpu_reset=False)))
    family, model, stepping = MILAN
    sku = ("--cpu-family", str(family), "--cpu-model", str(model), "--cpu-stepping", str(stepping), "--num-cpus", "2")
    outcome = launches[0].judge(tmp_path, *sku)
    assert outcome.accepted, outcome.message
    launches.append(Launch(NODBG | ES, [FIRMWARE.data], es_vmsas(2, fpu_reset=True)))
    assert not launches[1].judge(tmp_path, *sku).accepted
