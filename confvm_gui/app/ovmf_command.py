"""`confvm ovmf`: what a firmware image can serve, and what it lacks for the rest.

Exit code 0: the image serves what `--require` asks for and nothing in it is wrong, 1: not, 2: no image.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from confvm_gui.attestation.firmware_preflight import FirmwarePreflight

_CAPABILITIES: Final = ("sev", "sev-es", "sev-snp", "launch-secret", "kernel-hashes", "snp-kernel-hashes")


def add_ovmf_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `ovmf` and its options to the command line; `parents` give `--json`."""
    parser = commands.add_parser(
        "ovmf", parents=list(parents), help="which technologies a firmware image serves, and what it lacks"
    )
    parser.add_argument("firmware", type=Path, metavar="FILE", help="firmware image, such as OVMF_CODE.fd")
    parser.add_argument(
        "--require",
        nargs="+",
        action="extend",
        choices=_CAPABILITIES,
        default=[],
        metavar="WHAT",
        help=f"exit 1 unless all of these are served: {', '.join(_CAPABILITIES)}; default: any of the first three",
    )


def run_ovmf(options: argparse.Namespace, out: TextIO) -> int:
    """0 if what is asked for is served. Raises InvalidInput("ovmf")."""
    from confvm_gui.attestation.firmware_preflight import examine_firmware
    from confvm_gui.fleet.readiness.firmware_files import read_firmware
    from confvm_gui.sev.ovmf_image import OvmfImage

    preflight = examine_firmware(OvmfImage.parse(read_firmware(options.firmware)))
    if options.require:
        served = all(preflight.serves(key) for key in options.require)
    else:
        served = any(preflight.serves(key) for key in ("sev", "sev-es", "sev-snp"))
    if options.json:
        json.dump(preflight_to_mapping(preflight), out, indent=2, ensure_ascii=False)
        out.write("\n")
    else:
        _print(preflight, out)
    return 0 if served and not preflight.problems else 1


def preflight_to_mapping(preflight: FirmwarePreflight) -> dict[str, object]:
    """JSON-able."""
    image = preflight.image
    return {
        "size": len(image.data),
        "gpa": f"{image.gpa:#x}",
        "reset_eip": None if image.reset_eip is None else f"{image.reset_eip:#x}",
        "guids": [{"guid": guid, "name": name, "size": size} for guid, name, size in preflight.entries],
        "sections": [
            {"type": region.name, "gpa": f"{region.gpa:#x}", "size": f"{region.size:#x}"}
            for region in preflight.regions
        ],
        "capabilities": {
            entry.key: {"title": entry.title, "served": entry.served, "reason": entry.reason}
            for entry in preflight.capabilities
        },
        "problems": list(preflight.problems),
    }


def _print(preflight: FirmwarePreflight, out: TextIO) -> None:
    image = preflight.image
    out.write(f"{len(image.data)} bytes, at {image.gpa:#x} in the guest\n")
    for entry in preflight.capabilities:
        out.write(f"{'yes' if entry.served else 'NO '}  {entry.title}: {entry.reason}\n")
    if preflight.entries:
        out.write("GUID table:\n")
    for guid, name, size in preflight.entries:
        out.write(f"  {guid}  {size:>4} bytes  {name or '(unknown)'}\n")
    if preflight.regions:
        out.write("SEV metadata, in the order in which they are measured:\n")
    for region in preflight.regions:
        out.write(f"  {region.gpa:#010x} to {region.end:#010x}  {region.name}\n")
    for problem in preflight.problems:
        out.write(f"problem: {problem}\n")
