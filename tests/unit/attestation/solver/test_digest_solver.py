"""The digest solver: what is launched otherwise is found and named, nearest first, within bounds."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confvm_gui.attestation.digest_solver import (
    FirmwareBuild,
    LaunchDigest,
    MeasuredLaunch,
    MeasureTerms,
    SearchSpace,
    around,
    search,
    solve,
)
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.cpu_identity import cpu_of_type
from confvm_gui.sev.expected_digest import FirmwareDigests, LaunchInputs, LaunchMode, expected_launch_digest
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.kernel_hashes import KernelHashes
from confvm_gui.sev.key_material import TransportKey
from confvm_gui.sev.measurement import FirmwareVersion, LaunchMeasurement, launch_digest, launch_measure
from confvm_gui.sev.ovmf_image import OvmfImage
from confvm_gui.sev.vmsa import RESET_VECTOR, VmmType, Vmsa
from tests.unit.sev.firmware_images import make_image

BUILDS = tuple(FirmwareBuild(f"build-{seed}", OvmfImage.parse(make_image(seed=seed))) for seed in (1, 2, 3))
KERNEL = KernelHashes.of(b"kernel", b"initrd", "console=ttyS0")
MILAN = cpu_of_type("EPYC-Milan").signature
GENOA = cpu_of_type("EPYC-Genoa").signature
SNP = LaunchInputs(LaunchMode.SEV_SNP, BUILDS[0].image, vcpus=2, cpu_signature=MILAN, kernel=KERNEL)
ES = SNP._replace(mode=LaunchMode.SEV_ES)


def space_of(expected: LaunchInputs, most_vcpus: int = 8) -> SearchSpace:
    size = 48 if expected.mode is LaunchMode.SEV_SNP else 32
    return around(expected, BUILDS, command_line="console=ttyS0", most_vcpus=most_vcpus, digest_size=size)


def only_match(expected: LaunchInputs, actual: LaunchInputs) -> tuple[str, ...]:
    target = LaunchDigest(expected_launch_digest(actual))
    solution = solve(target, space_of(expected))
    (match,) = solution.matches
    assert expected_launch_digest(match.inputs) == target.digest == match.digest
    return match.differences


def test_all_of_the_space_is_searched_for_further_matches() -> None:
    space = space_of(SNP._replace(kernel=None), most_vcpus=2)
    solution = solve(LaunchDigest(expected_launch_digest(SNP._replace(kernel=None))), space, find_all=True)
    assert [match.differences for match in solution.matches] == [()]
    assert solution.complete


def test_the_expected_launch_is_tried_first() -> None:
    solution = solve(LaunchDigest(expected_launch_digest(SNP)), space_of(SNP))
    assert [match.differences for match in solution.matches] == [()]
    assert solution.tried == 1


@pytest.mark.parametrize("expected", [SNP, ES])
@pytest.mark.parametrize(
    ("change", "clause"),
    [
        (
            lambda launch: launch._replace(fpu_reset=False),
            "the host kernel leaves MXCSR and FCW zero (before Linux 6.10)",
        ),
        (lambda launch: launch._replace(vcpus=7), "the guest has 7 vCPUs, not 2"),
        (lambda launch: launch._replace(vcpus=1), "the guest has 1 vCPUs, not 2"),
        (lambda launch: launch._replace(cpu_signature=GENOA), "the vCPU type is EPYC-Genoa, not EPYC-Milan"),
        (lambda launch: launch._replace(firmware=BUILDS[2].image), "the firmware is build-3, not build-1"),
        (
            lambda launch: launch._replace(kernel=None),
            "the kernel was not measured (kernel-hashes=off, or booted from the disk)",
        ),
        (lambda launch: launch._replace(kernel=KernelHashes.of(b"kernel", b"", "console=ttyS0")), "there is no initrd"),
        (
            lambda launch: launch._replace(kernel=KernelHashes.of(b"kernel", b"initrd", "console=ttyS0\n")),
            "the command line ends with a line feed",
        ),
        (lambda launch: launch._replace(vmm=VmmType.EC2), "the VMM is ec2, not QEMU"),
    ],
)
def test_each_difference_is_found_and_named(
    expected: LaunchInputs, change: Callable[[LaunchInputs], LaunchInputs], clause: str
) -> None:
    assert only_match(expected, change(expected)) == (clause,)


def test_debug_swap_is_found_under_snp_and_under_sev_es() -> None:
    (clause,) = only_match(SNP, SNP._replace(guest_features=0x21))
    assert "0x21 (SNP_ACTIVE DEBUG_SWAP)" in clause
    assert "Linux 6.6" in clause
    pages = [
        Vmsa.at_reset(eip, cpu_signature=MILAN, sev_features=0x20).page
        for eip in (RESET_VECTOR, BUILDS[0].image.reset_eip or 0)
    ]
    digest = launch_digest([BUILDS[0].image.data, KERNEL.table(), *pages])
    solution = solve(LaunchDigest(digest), space_of(ES))
    assert [match.es_features for match in solution.matches] == [0x20]
    assert "DEBUG_SWAP" in solution.matches[0].differences[0]


def test_gces_place_of_the_vmsas_follows_the_processor() -> None:
    actual = SNP._replace(vmm=VmmType.GCE, vmsa_gpa=0xFFFFFFFFFF000, kernel=None)
    clauses = only_match(SNP._replace(kernel=None), actual)
    assert clauses == ("the VMM is gce, not QEMU", "the VMSAs lie at 0xffffffffff000, not 0xfffffffff000")


def test_a_guest_launched_in_another_mode_is_found() -> None:
    (clause,) = only_match(ES, ES._replace(mode=LaunchMode.SEV))
    assert clause == "the guest was launched in mode sev, not seves"


def test_differences_that_come_together_are_found() -> None:
    actual = SNP._replace(fpu_reset=False, vcpus=5, guest_features=0x21, firmware=BUILDS[1].image)
    assert len(only_match(SNP, actual)) == 4


@settings(max_examples=20, deadline=None)
@given(
    mode=st.sampled_from([LaunchMode.SEV, LaunchMode.SEV_ES, LaunchMode.SEV_SNP]),
    vcpus=st.integers(1, 8),
    signature=st.sampled_from([MILAN, GENOA]),
    vmm=st.sampled_from(list(VmmType)),
    features=st.sampled_from([1, 0x21]),
    fpu_reset=st.booleans(),
    build=st.sampled_from(BUILDS),
    kernel=st.sampled_from([None, KERNEL]),
)
def test_every_digest_of_the_space_is_that_of_expected_digest(
    mode: LaunchMode,
    vcpus: int,
    signature: int,
    vmm: VmmType,
    features: int,
    fpu_reset: bool,
    build: FirmwareBuild,
    kernel: KernelHashes | None,
) -> None:
    actual = LaunchInputs(mode, build.image, vcpus, signature, vmm, features, kernel, fpu_reset)
    expected = SNP if mode is LaunchMode.SEV_SNP else ES
    target = LaunchDigest(expected_launch_digest(actual))
    (match,) = solve(target, space_of(expected)).matches
    assert expected_launch_digest(match.inputs) == target.digest


def test_matches_come_nearest_first() -> None:
    class Everything:
        digest_size = 48

        def matches(self, digest: bytes) -> tuple[str, ...] | None:
            return ()

    found = [at.match for at in itertools.islice(search(Everything(), space_of(SNP)), 2000)]
    distances = [len(match.differences) for match in found if match is not None]
    assert distances == sorted(distances)
    assert distances[0] == 0
    assert distances[-1] >= 2
    launches = [(match.inputs, match.firmware) for match in found if match is not None]
    digests = [match.digest for match in found if match is not None]
    assert len(set(digests)) == len(launches)  # nothing is tried twice


def test_search_is_bounded_and_can_be_cancelled() -> None:
    target = LaunchDigest(bytes(48))
    space = space_of(SNP)
    bounded = solve(target, space, most=2000)
    assert (bounded.matches, bounded.complete) == ((), False)
    assert 2000 <= bounded.tried < 4000 < bounded.total
    seen: list[int] = []

    def progress(tried: int, total: int) -> None:
        assert total == bounded.total
        seen.append(tried)

    cancelled = solve(target, space, progress=progress, cancelled=lambda: len(seen) > 2)
    assert not cancelled.complete
    assert seen == sorted(seen)
    whole = solve(target, space)
    assert whole.complete
    assert whole.tried <= whole.total


def test_a_firmware_that_measures_no_kernel_is_passed_over() -> None:
    plain = OvmfImage.parse(make_image(seed=9, hash_table=None))
    actual = SNP._replace(firmware=plain, kernel=None)
    space = around(SNP, [*BUILDS, FirmwareBuild("plain", plain)], most_vcpus=2, digest_size=48)
    (match,) = solve(LaunchDigest(expected_launch_digest(actual)), space).matches
    assert match.firmware == "plain"
    assert len(match.differences) == 2


def test_firmware_that_does_not_say_where_vcpus_start_serves_one() -> None:
    single = FirmwareBuild("single", OvmfImage.parse(make_image(seed=9, reset_eip=0)))
    actual = SNP._replace(firmware=single.image, vcpus=1)
    space = around(actual, [single], most_vcpus=4, digest_size=48)
    solution = solve(LaunchDigest(expected_launch_digest(actual)), space, find_all=True)
    assert len(solution.matches) == 1


def test_a_measurement_is_solved_with_its_tik() -> None:
    tik = TransportKey(bytes(range(16)))
    policy, other = GuestPolicy.parse("NODBG|ES"), GuestPolicy.parse("NODBG|NOKS|ES")
    version, newer = FirmwareVersion(1, 51, 3), FirmwareVersion(1, 55, 8)
    digest = expected_launch_digest(ES._replace(fpu_reset=False))
    measurement = launch_measure(tik, version=newer, policy=other, digest=digest, mnonce=bytes(16))
    terms = tuple(MeasureTerms(v, p) for v, p in itertools.product((version, newer), (policy, other)))
    target = MeasuredLaunch(measurement, tik, terms)
    (match,) = solve(target, space_of(ES)).matches
    assert match.differences[0].startswith("the host kernel leaves MXCSR")
    assert match.differences[1:] == (f"the policy is {other}, not {policy}", f"the firmware is {newer}, not {version}")
    assert bytes(range(16)).hex() not in repr(target)
    stranger = MeasuredLaunch(measurement, TransportKey(bytes(16)), terms)
    assert solve(stranger, space_of(ES)).matches == ()


def test_known_firmware_is_not_hashed_again() -> None:
    known = FirmwareDigests(3)
    target = LaunchDigest(expected_launch_digest(SNP._replace(vcpus=6)))
    assert solve(target, space_of(SNP), known=known) == solve(target, space_of(SNP), known=known)


def test_questions_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InvalidInput, match="32 bytes"):
        LaunchDigest(bytes(31))
    with pytest.raises(InvalidInput, match="at least one firmware"):
        around(SNP, [], digest_size=48)
    with pytest.raises(InvalidInput, match="mode snp"):
        around(SNP, BUILDS, digest_size=32)
    with pytest.raises(InvalidInput, match="vCPUs"):
        around(SNP, BUILDS, digest_size=48, most_vcpus=100_000)
    with pytest.raises(InvalidInput, match="policy"):
        MeasuredLaunch(LaunchMeasurement(bytes(32), bytes(16)), TransportKey(bytes(16)), ())
