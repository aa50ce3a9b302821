"""Launch digests against `sev-snp-measure`, the tool that everybody compares with: none differs, none is slower."""

from __future__ import annotations

import importlib
import random
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.cpu_identity import CPU_TYPES, CpuIdentity, cpu_of_type
from confvm_gui.sev.expected_digest import (
    FirmwareDigests,
    LaunchInputs,
    LaunchMode,
    expected_launch_digest,
    launch_vmsas,
    snp_firmware_digest,
)
from confvm_gui.sev.kernel_hashes import KernelHashes
from confvm_gui.sev.ovmf_image import OvmfImage
from confvm_gui.sev.vmsa import VmmType
from tests.unit.sev.firmware_images import DEBIAN, debian_image, make_image, with_kernel_hashes

COMBINATIONS_OF_AN_IMAGE = 48
FEATURES = (0x1, 0x21, 0x0, 0x203)
COUNTS = (1, 2, 3, 4, 17, 64, 128, 254, 255)


def peer_module(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its layouts are of a kind that newer versions of Python warn of
        return importlib.import_module(f"sevsnpmeasure.{name}")


GUEST = peer_module("guest")
PEER_TYPES: dict[str, int] = peer_module("vcpu_types").CPU_SIGS
PEER_MODES: Any = peer_module("sev_mode").SevMode
PEER_VMMS: Any = peer_module("vmm_types").VMMType


class Combination(NamedTuple):
    """One launch, in the words of both sides."""

    mode: LaunchMode
    vmm: VmmType
    vcpu_type: str
    vcpus: int
    features: int
    kernel: Path | None = None
    initrd: Path | None = None
    append: str | None = None
    firmware_digest: bytes | None = None

    def ours(self, image: bytes, known: FirmwareDigests | None = None) -> bytes:
        return expected_launch_digest(self.inputs(OvmfImage.parse(image)), known)

    def inputs(self, firmware: OvmfImage) -> LaunchInputs:
        kernel = None
        if self.kernel is not None:
            initrd = b"" if self.initrd is None else self.initrd.read_bytes()
            kernel = KernelHashes.of(self.kernel.read_bytes(), initrd, self.append or "")
        return LaunchInputs(
            self.mode,
            firmware,
            vcpus=self.vcpus,
            cpu_signature=cpu_of_type(self.vcpu_type).signature,
            vmm=self.vmm,
            guest_features=self.features,
            kernel=kernel,
            firmware_digest=self.firmware_digest,
        )

    def peers(self, path: Path) -> bytes:
        digest: bytes = GUEST.calc_launch_digest(
            PEER_MODES[self.mode.name],
            self.vcpus,
            PEER_TYPES[self.vcpu_type],
            str(path),
            None if self.kernel is None else str(self.kernel),
            None if self.initrd is None else str(self.initrd),
            self.append,
            self.features,
            "" if self.firmware_digest is None else self.firmware_digest.hex(),
            PEER_VMMS[self.vmm.value],
        )
        return digest


def combinations(seed: str, folder: Path, *, kernels: bool, count: int) -> Iterator[Combination]:
    """`count` combinations that differ, with every mode, VMM and vCPU type among them; of 48, all pairs of these."""
    chosen = random.Random(seed)
    files = []
    for index, size in enumerate((0, 1, 4096, 70_001)):
        files.append(folder / f"blob{index}")
        files[-1].write_bytes(chosen.randbytes(size))
    types = sorted(PEER_TYPES)
    seen: set[Combination] = set()
    while len(seen) < count:
        number = len(seen)
        vmm = list(VmmType)[number // 3 % 3]
        kernel = chosen.choice(files) if kernels and chosen.random() < 0.7 else None
        combination = Combination(
            list(LaunchMode)[number % 3],
            vmm,
            types[number % len(types)],
            chosen.choice(COUNTS),
            chosen.choice(FEATURES),
            kernel,
            None if kernel is None else chosen.choice((None, *files)),
            None if kernel is None else chosen.choice((None, "", "console=ttyS0 loglevel=7", "grüße", "a" * 3000)),
        )
        if combination not in seen:
            seen.add(combination)
            yield combination


def check(image: bytes, folder: Path, seed: str, *, kernels: bool, count: int = COMBINATIONS_OF_AN_IMAGE) -> None:
    path = folder / "firmware.fd"
    path.write_bytes(image)
    known = FirmwareDigests()
    for combination in combinations(seed, folder, kernels=kernels, count=count):
        expected = combination.peers(path)
        assert combination.ours(image) == expected, combination
        assert combination.ours(image, known) == expected, combination


@pytest.mark.parametrize("path", DEBIAN)
def test_debian_images(path: str, tmp_path: Path) -> None:
    check(debian_image(path), tmp_path, path, kernels=False)


@pytest.mark.parametrize("path", [DEBIAN[0], DEBIAN[4]])
def test_debian_images_with_kernels(path: str, tmp_path: Path) -> None:
    check(with_kernel_hashes(debian_image(path)), tmp_path, path, kernels=True)


@pytest.mark.parametrize("pages", [1, 2, 40])
def test_made_images_with_kernels(pages: int, tmp_path: Path) -> None:
    check(make_image(pages, seed=pages), tmp_path, f"made {pages}", kernels=True)


@pytest.mark.vectors
@pytest.mark.parametrize("name", ["ovmf_AmdSev_suffix.bin", "ovmf_OvmfX64_suffix.bin", "svsm_ovmf.fd"])
def test_published_images(name: str, tmp_path: Path, vectors_dir: Path) -> None:
    image = (vectors_dir / "virtee+sev-snp-measure/tests/fixtures" / name).read_bytes()
    check(image, tmp_path, name, kernels="AmdSev" in name)


@pytest.mark.parametrize("mode", list(LaunchMode))
def test_every_number_of_vcpus(mode: LaunchMode, tmp_path: Path) -> None:
    image = make_image(1)
    path = tmp_path / "firmware.fd"
    path.write_bytes(image)
    for vcpus in range(1, 256, 1 if mode is LaunchMode.SEV_SNP else 7):
        combination = Combination(mode, VmmType.QEMU, "EPYC-v4", vcpus, 0x1)
        assert combination.ours(image) == combination.peers(path), vcpus


def test_vcpu_types_are_the_peers_and_newer() -> None:
    for name, signature in PEER_TYPES.items():
        assert cpu_of_type(name).signature == signature, name
    assert set(PEER_TYPES) <= set(CPU_TYPES)
    for family, model, stepping in ((6, 15, 11), (0xF, 0x41, 0), (0x17, 0x31, 0), (0x19, 0xA0, 2), (0x1A, 0x11, 15)):
        ours = CpuIdentity(family, model, stepping).signature
        assert ours == peer_module("vcpu_types").cpu_sig(family, model, stepping)
        assert CpuIdentity.from_signature(ours) == (family, model, stepping)


def test_firmware_hash_in_place_of_its_content(tmp_path: Path) -> None:
    image = make_image(9)
    path = tmp_path / "firmware.fd"
    path.write_bytes(image)
    digest = snp_firmware_digest(OvmfImage.parse(image))
    assert digest == GUEST.calc_snp_ovmf_hash(str(path))
    suffix = tmp_path / "suffix.fd"
    suffix.write_bytes(image[-4096:])
    combination = Combination(LaunchMode.SEV_SNP, VmmType.QEMU, "EPYC-Genoa", 3, 0x1, firmware_digest=digest)
    assert combination.ours(image[-4096:]) == combination.peers(suffix)
    assert combination.ours(image[-4096:]) == combination._replace(firmware_digest=None).ours(image)


@pytest.mark.parametrize("mode", list(LaunchMode))
def test_both_refuse_a_kernel_that_the_firmware_does_not_measure(mode: LaunchMode, tmp_path: Path) -> None:
    kernel = tmp_path / "kernel"
    kernel.write_bytes(b"kernel")
    combination = Combination(mode, VmmType.QEMU, "EPYC", 1, 0x1, kernel)
    with pytest.raises(InvalidInput, match="does not measure") as caught:
        combination.ours(debian_image(DEBIAN[0]))
    assert caught.value.field == "ovmf"
    with pytest.raises(RuntimeError):
        combination.peers(Path(DEBIAN[0]))


def test_vmsas_are_the_peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    firmware = OvmfImage.parse(make_image(1))
    Path("firmware.fd").write_bytes(firmware.data)
    for vmm in VmmType:
        GUEST.snp_calc_launch_digest(2, 0xA00F11, "firmware.fd", None, None, None, 0x21, "", PEER_VMMS[vmm.value], True)
        inputs = LaunchInputs(
            LaunchMode.SEV_SNP, firmware, vcpus=2, cpu_signature=0xA00F11, vmm=vmm, guest_features=0x21
        )
        for index, vmsa in enumerate(launch_vmsas(inputs)):
            assert vmsa.page == Path(f"vmsa{index}.bin").read_bytes()


def best(work: Callable[[], object], rounds: int = 15) -> float:
    """The shortest of some runs, in seconds: what the work takes when nothing else is in the way."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


@pytest.mark.parametrize("mode", list(LaunchMode))
def test_no_slower_than_the_peer_and_far_faster_again(mode: LaunchMode) -> None:
    path = Path(DEBIAN[2])
    combination = Combination(mode, VmmType.QEMU, "EPYC-v4", 8, 0x1)
    known = FirmwareDigests()
    firmware = OvmfImage.parse(debian_image(DEBIAN[2]))
    assert combination.ours(firmware.data, known) == combination.peers(path)

    peers = best(lambda: combination.peers(path))
    cold = best(lambda: combination.ours(path.read_bytes()))
    again = best(lambda: expected_launch_digest(combination.inputs(firmware), known))
    # SEV and SEV-ES are one SHA-256 on both sides: what differs is noise.
    assert cold <= peers * (1.0 if mode is LaunchMode.SEV_SNP else 1.15)
    assert again * 20 <= peers
