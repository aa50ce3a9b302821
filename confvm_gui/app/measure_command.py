"""`confvm measure`: the launch digest that a guest must have, with the option names of `sev-snp-measure`.

Nothing of `sev` is imported before a digest is asked for: the parser is built for every command. And no more of the
standard library than is needed (no pathlib): most of what the command takes is Python's start.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, TextIO

from confvm_gui.domain.errors import InvalidInput

if TYPE_CHECKING:
    from confvm_gui.sev.expected_digest import LaunchInputs
    from confvm_gui.sev.kernel_hashes import KernelHashes
    from confvm_gui.sev.ovmf_image import OvmfImage
    from confvm_gui.sev.vmsa import VmmType

_OVMF_HASH: Final = "snp:ovmf-hash"
_SVSM: Final = "snp:svsm"
_LARGEST_BLOB: Final = 2 << 30
_CHUNK: Final = 4 << 20


def add_measure_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `measure` and its options to the command line; `parents` give `--json`."""
    parser = commands.add_parser(
        "measure", parents=list(parents), help="the launch digest that a guest must have, computed from its parts"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="say what the digest is of")
    parser.add_argument(
        "--mode",
        required=True,
        choices=["sev", "seves", "snp", _OVMF_HASH, _SVSM],
        help="how the guest is protected; snp:ovmf-hash prints a value for --snp-ovmf-hash",
    )
    add_launch_options(parser)
    parser.add_argument("--ovmf", required=True, metavar="PATH", help="firmware image")
    parser.add_argument("--output-format", choices=["hex", "base64"], default="hex")
    parser.add_argument("--dump-vmsa", action="store_true", help="write each measured VMSA to vmsa<N>.bin")
    for option in ("--svsm", "--vars-size", "--vars-file"):
        parser.add_argument(option, help=argparse.SUPPRESS)


def add_launch_options(parser: argparse._ActionsContainer) -> None:
    """The options that `launch_inputs` reads, but `--mode` and `--ovmf`."""
    parser.add_argument("--vcpus", type=int, metavar="N", help="number of vCPUs")
    parser.add_argument("--vcpu-type", metavar="CPUTYPE", help="QEMU's name of the vCPU model, such as EPYC-Milan")
    parser.add_argument("--vcpu-sig", type=_number, metavar="VALUE", help="CPUID signature of the vCPU")
    parser.add_argument("--vcpu-family", type=_number, metavar="FAMILY")
    parser.add_argument("--vcpu-model", type=_number, metavar="MODEL")
    parser.add_argument("--vcpu-stepping", type=_number, metavar="STEPPING")
    parser.add_argument("--vmm-type", default="QEMU", metavar="VMMTYPE", help="QEMU (default), ec2 or gce")
    parser.add_argument("--kernel", metavar="PATH", help="kernel that is booted directly")
    parser.add_argument("--initrd", metavar="PATH", help="its initrd")
    parser.add_argument("--append", metavar="CMDLINE", help="its command line")
    parser.add_argument(
        "--guest-features", type=_number, default=1, metavar="VALUE", help="SEV_FEATURES of an SNP guest (default: 0x1)"
    )
    parser.add_argument("--snp-ovmf-hash", metavar="HASH", help="digest of the firmware, in place of its content")


def run_measure(options: argparse.Namespace, out: TextIO) -> int:
    """Print the digest to `out`; return 0. InvalidInput names the option that is wrong."""
    if options.mode == _SVSM or options.svsm or options.vars_size or options.vars_file:
        raise InvalidInput("mode", "Guests with an SVSM cannot be measured; use snp for a guest without one")
    from confvm_gui.sev.expected_digest import expected_launch_digest, launch_vmsas, snp_firmware_digest

    if options.mode == _OVMF_HASH:
        digest = snp_firmware_digest(_firmware(options.ovmf))
        _print(options, out, digest, "hex", "SNP_OVMF_HASH")
        return 0
    inputs = launch_inputs(options)
    digest = expected_launch_digest(inputs)
    if options.dump_vmsa:
        vmsas = launch_vmsas(inputs)
        if not vmsas:
            raise InvalidInput("dump-vmsa", "A SEV guest has no VMSA; seves and snp guests have")
        _dump([vmsa.page for vmsa in vmsas])
    _print(options, out, digest, options.output_format, inputs.mode.name, inputs)
    return 0


def launch_inputs(options: argparse.Namespace) -> LaunchInputs:
    """What the options of a launch say, checked and read. InvalidInput names the option that is wrong."""
    from confvm_gui.sev.expected_digest import LaunchInputs, LaunchMode

    mode = LaunchMode(options.mode)
    vmm = vmm_of_name(options.vmm_type)
    if mode is not LaunchMode.SEV and options.vcpus is None:
        raise InvalidInput("vcpus", f"Say with --vcpus how many vCPUs the guest has; it matters in mode {mode.value}")
    if options.kernel is None and (options.initrd is not None or options.append):
        option = "initrd" if options.initrd is not None else "append"
        raise InvalidInput(option, f"--{option} goes with --kernel, which is missing")
    firmware_digest = None
    if options.snp_ovmf_hash:
        try:
            firmware_digest = bytes.fromhex(options.snp_ovmf_hash)
        except ValueError:
            raise InvalidInput("snp-ovmf-hash", "The firmware's hash is not in hexadecimal digits") from None
    return LaunchInputs(
        mode,
        _firmware(options.ovmf),
        vcpus=1 if options.vcpus is None else options.vcpus,
        cpu_signature=0 if mode is LaunchMode.SEV else _signature(options, vmm),
        vmm=vmm,
        guest_features=options.guest_features,
        kernel=None if options.kernel is None else kernel_hashes_of(options.kernel, options.initrd, options.append),
        firmware_digest=firmware_digest,
    )


def vmm_of_name(name: str) -> VmmType:
    """The VMM as `--vmm-type` names it; InvalidInput("vmm-type")."""
    from confvm_gui.sev.vmsa import VmmType

    for vmm in VmmType:
        if vmm.value.lower() == name.lower():
            return vmm
    raise InvalidInput("vmm-type", f"{name[:60]!r} is no known VMM; choose one of QEMU, ec2, gce")


def _signature(options: argparse.Namespace, vmm: VmmType) -> int:
    from confvm_gui.sev.cpu_identity import CpuIdentity, cpu_of_type
    from confvm_gui.sev.vmsa import VmmType

    if options.vcpu_family is not None:
        if options.vcpu_model is None or options.vcpu_stepping is None:
            raise InvalidInput("vcpu-family", "--vcpu-family goes with --vcpu-model and --vcpu-stepping")
        return CpuIdentity.checked(options.vcpu_family, options.vcpu_model, options.vcpu_stepping).signature
    if options.vcpu_sig is not None:
        return int(options.vcpu_sig)
    if options.vcpu_type is not None:
        return cpu_of_type(options.vcpu_type).signature
    if vmm is VmmType.QEMU:
        raise InvalidInput("vcpu-type", "Say with --vcpu-type, --vcpu-sig or --vcpu-family which vCPU the guest has")
    return 0  # the other VMMs do not put it into the VMSA


def _firmware(path: str) -> OvmfImage:
    from confvm_gui.sev.ovmf_image import MAXIMUM_IMAGE, OvmfImage

    # What is larger than an image, or has no end, is read no further; the parser then tells that it is too large.
    return OvmfImage.parse(b"".join(_chunks("ovmf", path, MAXIMUM_IMAGE)))


def kernel_hashes_of(kernel: str, initrd: str | None, command_line: str | None) -> KernelHashes:
    """Hashes of files that need not fit into memory; InvalidInput("kernel", "initrd" or "append")."""
    from confvm_gui.sev.kernel_hashes import KernelHashes

    initrd_digest = None if initrd is None else _sha256("initrd", initrd)
    return KernelHashes.of_digests(_sha256("kernel", kernel), initrd_digest, command_line or "")


def _sha256(option: str, path: str) -> bytes:
    """SHA-256 of a file that need not fit into memory."""
    import hashlib

    state = hashlib.sha256()
    size = 0
    for chunk in _chunks(option, path, _LARGEST_BLOB):
        state.update(chunk)
        size += len(chunk)
    if size > _LARGEST_BLOB:
        raise InvalidInput(option, f"{path} is larger than the 2 GiB that a guest can be booted with")
    return state.digest()


def _chunks(option: str, path: str, most: int) -> Iterator[bytes]:
    """The content of a file, until it ends or is longer than `most` bytes."""
    size = 0
    try:
        with io.FileIO(path) as file:
            while size <= most and (chunk := file.read(_CHUNK)):
                yield chunk
                size += len(chunk)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(option, f"{path} cannot be read: {reason}") from None


def _dump(pages: Sequence[bytes]) -> None:
    from pathlib import Path

    for number, page in enumerate(pages):
        path = Path(f"vmsa{number}.bin")
        try:
            path.write_bytes(page)
        except OSError as error:
            raise InvalidInput("dump-vmsa", f"{path} cannot be written: {error.strerror}") from None


def _print(
    options: argparse.Namespace,
    out: TextIO,
    digest: bytes,
    output_format: str,
    mode_name: str,
    inputs: LaunchInputs | None = None,
) -> None:
    text = digest.hex()
    if output_format == "base64":
        import binascii

        text = binascii.b2a_base64(digest, newline=False).decode()
    if options.json:
        import json

        answer: dict[str, object] = {"mode": options.mode, "output_format": output_format, "measurement": text}
        if inputs is not None:
            answer |= _answer_inputs(inputs)
        json.dump(answer, out, indent=2)
        out.write("\n")
    elif options.verbose:
        out.write(f"Calculated {mode_name} guest measurement: {text}\n")
    else:
        out.write(f"{text}\n")


def _answer_inputs(inputs: LaunchInputs) -> dict[str, object]:
    """What the digest was computed from, as far as it enters the digest."""
    from confvm_gui.sev.expected_digest import LaunchMode
    from confvm_gui.sev.vmsa import VmmType

    answer: dict[str, object] = {"kernel_hashes": inputs.kernel is not None}
    if inputs.mode is not LaunchMode.SEV:
        answer |= {"vcpus": inputs.vcpus, "vmm_type": inputs.vmm.value}
        if inputs.vmm is VmmType.QEMU:
            answer["vcpu_sig"] = f"{inputs.cpu_signature:#x}"
    if inputs.mode is LaunchMode.SEV_SNP:
        answer["guest_features"] = f"{inputs.guest_features:#x}"
    return answer


def _number(text: str) -> int:
    """A number as `16` or `0x10`."""
    return int(text, 0)
