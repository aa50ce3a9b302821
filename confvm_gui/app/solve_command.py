"""`confvm solve`: which launch has this digest, if it is not the one that was expected?

Exit code 0: found, 1: none of the launches tried has it, 2: bad input. Nothing of `attestation` is imported before it
is needed: the options of this command are part of every start of `confvm`.
"""

from __future__ import annotations

import argparse
import binascii
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from confvm_gui.domain.errors import InvalidInput

if TYPE_CHECKING:
    from confvm_gui.attestation.digest_solver import FirmwareBuild, Match, Solution, Target
    from confvm_gui.sev.expected_digest import LaunchInputs

_DEFAULT_MOST: Final = 3_000_000
_BETWEEN_REPORTS: Final = 0.5
"""Seconds."""


def add_solve_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `solve` and its options to the command line; `parents` give `--json`."""
    parser = commands.add_parser(
        "solve",
        parents=list(parents),
        help="a launch digest is not the expected one: find the launch that has it",
        description="Say what you expected, as for `confvm measure`. Tried are, nearest first: host kernels, "
        "SEV_FEATURES, kernel hashes, vCPU types and numbers, firmware builds and VMMs.",
    )
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--digest", metavar="HEX", help="launch digest: 48 bytes for snp, 32 for sev and seves")
    target.add_argument(
        "--measurement", metavar="BASE64", help="LAUNCH_MEASURE's 48 bytes; goes with --tik, --policy and --api-*"
    )
    parser.add_argument("--tik", type=Path, metavar="FILE", help="the 16 bytes of the launch's integrity key")
    parser.add_argument("--policy", metavar="POLICY", help="guest policy, as 0x3 or NODBG|NOKS")
    parser.add_argument("--api-major", type=int, metavar="N", help="version of the SEV firmware, with --measurement")
    parser.add_argument("--api-minor", type=int, metavar="N")
    parser.add_argument("--build-id", type=int, metavar="N")
    parser.add_argument("--mode", choices=["sev", "seves", "snp"], help="default: by the digest's size")
    parser.add_argument(
        "--ovmf",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="PATH",
        help="firmware images and folders of them, the expected one first (default: the distribution's)",
    )
    parser.add_argument(
        "--no-distribution", action="store_true", help="do not try the distribution's firmware beside --ovmf"
    )
    parser.add_argument("--vcpus", type=int, default=1, metavar="N", help="expected number of vCPUs (default: 1)")
    parser.add_argument("--most-vcpus", type=int, default=255, metavar="N", help="try 1 to N (default: 255)")
    parser.add_argument("--vcpu-type", metavar="CPUTYPE", help="expected vCPU model (default: EPYC-Milan)")
    parser.add_argument("--vcpu-sig", metavar="VALUE", help="expected CPUID signature, in place of --vcpu-type")
    parser.add_argument("--vmm-type", default="QEMU", metavar="VMMTYPE", help="QEMU (default), ec2 or gce")
    parser.add_argument("--guest-features", metavar="VALUE", help="expected SEV_FEATURES (default: 0x1; seves: 0)")
    parser.add_argument("--kernel", type=Path, metavar="PATH", help="kernel that is booted directly")
    parser.add_argument("--initrd", type=Path, metavar="PATH")
    parser.add_argument("--append", metavar="CMDLINE")
    parser.add_argument("--all", action="store_true", help="go on after the first launch that matches")
    parser.add_argument("--most", type=int, default=_DEFAULT_MOST, metavar="N", help="digests to try at most")


def run_solve(options: argparse.Namespace, out: TextIO) -> int:
    """0 if a launch was found, 1 if none. Raises InvalidInput naming the option."""
    from confvm_gui.attestation.digest_solver import around, solve

    if options.most < 1:
        raise InvalidInput("most", "At least one digest has to be tried")
    target = _target(options)
    builds = _builds(options)
    expected = _expected(options, target.digest_size, builds)
    es_features = 0
    if options.guest_features is not None and options.mode == "seves":
        es_features = _number("guest-features", options.guest_features, 64)
    space = around(
        expected,
        builds,
        es_features=es_features,
        command_line=options.append if options.kernel else None,
        most_vcpus=options.most_vcpus,
        digest_size=target.digest_size,
    )
    report = _Reporter()
    try:
        solution = solve(target, space, most=options.most, find_all=options.all, progress=report)
    finally:
        report.clear()
    if options.json:
        json.dump(solution_to_mapping(solution), out, indent=2, ensure_ascii=False)
        out.write("\n")
    else:
        _print(solution, out)
    return 0 if solution.matches else 1


def solution_to_mapping(solution: Solution) -> dict[str, object]:
    """JSON-able."""
    return {
        "found": bool(solution.matches),
        "matches": [_match_to_mapping(match) for match in solution.matches],
        "tried": solution.tried,
        "total": solution.total,
        "complete": solution.complete,
    }


def _match_to_mapping(match: Match) -> dict[str, object]:
    inputs = match.inputs
    answer: dict[str, object] = {
        "differences": list(match.differences),
        "mode": inputs.mode.value,
        "firmware": match.firmware,
        "kernel_hashes": inputs.kernel is not None,
        "digest": match.digest.hex(),
    }
    if inputs.mode.value != "sev":
        answer |= {
            "vcpus": inputs.vcpus,
            "vmm_type": inputs.vmm.value,
            "vcpu_sig": f"{inputs.cpu_signature:#x}",
            "guest_features": f"{inputs.guest_features if inputs.mode.value == 'snp' else match.es_features:#x}",
            "fpu_reset": inputs.fpu_reset,
            "vmsa_gpa": f"{inputs.vmsa_gpa:#x}",
        }
    return answer


def _print(solution: Solution, out: TextIO) -> None:
    tried = f"{solution.tried:,} of {solution.total:,} digests were tried"
    if not solution.matches:
        out.write(f"No launch that was tried has this digest ({tried}).\n")
        out.write(
            "The search was stopped at its bound: raise --most, or lower --most-vcpus.\n"
            if not solution.complete
            else "Add the host's own firmware build with --ovmf, and kernel, initrd and command line if it boots one.\n"
        )
        return
    for match in solution.matches:
        if not match.differences:
            out.write(f"The expected launch itself has this digest, with {match.firmware}.\n")
            continue
        out.write(f"Found, with {match.firmware}. What is not as expected:\n")
        for clause in match.differences:
            out.write(f"  - {clause}\n")
    out.write(f"{tried}.\n")


def _target(options: argparse.Namespace) -> Target:
    from confvm_gui.attestation.digest_solver import LaunchDigest, MeasuredLaunch, MeasureTerms

    if options.digest is not None:
        return LaunchDigest(_digest(options.digest))
    from confvm_gui.sev.guest_policy import GuestPolicy
    from confvm_gui.sev.key_material import TransportKey
    from confvm_gui.sev.measurement import FirmwareVersion, LaunchMeasurement

    for name in ("tik", "policy", "api_major", "api_minor", "build_id"):
        if getattr(options, name) is None:
            option = name.replace("_", "-")
            raise InvalidInput(option, f"A measurement can only be compared with --{option}; it is missing")
    try:
        blob = binascii.a2b_base64(options.measurement.encode("ascii"), strict_mode=True)
    except (ValueError, UnicodeEncodeError):
        raise InvalidInput("measurement", "The measurement is not in base64, as LAUNCH_MEASURE's answer is") from None
    try:
        with options.tik.open("rb") as file:
            key = file.read(TransportKey.SIZE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such path"
        raise InvalidInput("tik", f"{options.tik} cannot be read: {reason}") from None
    if len(key) != TransportKey.SIZE:
        raise InvalidInput("tik", f"{options.tik} is no TIK: a TIK has {TransportKey.SIZE} bytes, nothing around them")
    version = FirmwareVersion(options.api_major, options.api_minor, options.build_id)
    return MeasuredLaunch(
        LaunchMeasurement.parse(blob),
        TransportKey(key),
        (MeasureTerms(version, GuestPolicy.parse(options.policy)),),
    )


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        raise InvalidInput("digest", "Give the digest as hexadecimal digits, two for each byte") from None


def _builds(options: argparse.Namespace) -> list[FirmwareBuild]:
    from confvm_gui.fleet.readiness.firmware_files import builds_of, distribution_folders

    paths = list(options.ovmf)
    if not (paths and options.no_distribution):
        paths += distribution_folders()
    builds = list(builds_of(paths))
    if not builds:
        raise InvalidInput("ovmf", "No firmware image was found; name the one that the host uses with --ovmf")
    return builds


def _expected(options: argparse.Namespace, digest_size: int, builds: Sequence[FirmwareBuild]) -> LaunchInputs:
    from confvm_gui.app.measure_command import kernel_hashes_of, vmm_of_name
    from confvm_gui.sev.cpu_identity import CpuIdentity, cpu_of_type
    from confvm_gui.sev.expected_digest import LaunchInputs, LaunchMode

    if options.kernel is None and (options.initrd is not None or options.append):
        option = "initrd" if options.initrd is not None else "append"
        raise InvalidInput(option, f"--{option} goes with --kernel, which is missing")
    default = "snp" if digest_size == 48 else "seves"
    if options.vcpu_sig is not None:
        signature = CpuIdentity.from_signature(_number("vcpu-sig", options.vcpu_sig, 32)).signature
    else:
        signature = cpu_of_type(options.vcpu_type or "EPYC-Milan").signature
    kernel = None
    if options.kernel is not None:
        kernel = kernel_hashes_of(str(options.kernel), options.initrd and str(options.initrd), options.append)
    return LaunchInputs(
        LaunchMode(options.mode or default),
        builds[0].image,
        vcpus=options.vcpus,
        cpu_signature=signature,
        vmm=vmm_of_name(options.vmm_type),
        guest_features=_number("guest-features", options.guest_features or "1", 64),
        kernel=kernel,
    )


def _number(option: str, text: str, bits: int) -> int:
    try:
        value = int(text, 0)
    except ValueError:
        raise InvalidInput(option, f"{text[:40]!r} is no number; give it as 1 or 0x1") from None
    if not 0 <= value < 1 << bits:
        raise InvalidInput(option, f"{text[:40]} does not fit into {bits} bits")
    return value


class _Reporter:
    """Writes how far the search is, now and then, where somebody watches."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _BETWEEN_REPORTS
        self._wrote = False

    def __call__(self, tried: int, total: int) -> None:
        if (now := time.monotonic()) >= self._next and sys.stderr.isatty():
            self._next = now + _BETWEEN_REPORTS
            self._wrote = True
            sys.stderr.write(f"\r{tried:,} of {total:,} ")

    def clear(self) -> None:
        """Take the line away again."""
        if self._wrote:
            sys.stderr.write("\r\x1b[K")
